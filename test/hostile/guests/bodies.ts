import { attack, type HostileGuest, POST_BODY, SERVED } from "../guest.ts";

/** Body windows with absurd ranges. Bytes 32768 to 32771 are "EVIL". */
const DATA = '(data (i32.const 32768) "EVIL")';
const OK = 0;
const BAD_ARGUMENT = 2;
const BAD_MEMORY = 6;

/** One splice of the request's body, at its end. */
function splice(
  name: string,
  range: string,
  bodyAtNode: string,
  bytes = "#32768 #4",
  status = OK,
): HostileGuest {
  const call = `(call $proxy_set_buffer_bytes #0 ${range} ${bytes})`;
  return {
    name: `body-${name}`,
    wat:
      DATA +
      attack(
        "request_body",
        `(if (local.get $end) (then (call $expect ${call} #${status})) (else (return #1)))`,
      ),
    request: "post",
    bodyAtNode,
    expect: SERVED,
  };
}

const all = POST_BODY;
const size = POST_BODY.length;

export const BODIES: readonly HostileGuest[] = [
  splice("behind-its-end", `#${size + 1} #1`, `${all}EVIL`),
  splice("far-behind-its-end", "#0x7fffffff #0x7fffffff", `${all}EVIL`),
  splice("at-minus-one", "#-1 #-1", `${all}EVIL`),
  splice("at-minus-one-of-nothing", "#-1 #0", `${all}EVIL`),
  splice("from-the-start-to-minus-one", "#0 #-1", "EVIL"),
  splice("from-the-middle-to-minus-one", `#${size / 2} #-1`, `${all.slice(0, size / 2)}EVIL`),
  splice("a-sum-that-overflows", "#16 #0xfffffff0", `${all.slice(0, 16)}EVIL`),
  splice("replaced-by-nothing", "#0 #-1", "", "#0 #0"),
  splice("from-behind-the-memory", "#0 #-1", all, "#65533 #4", BAD_MEMORY),
  splice("from-the-poll-page", "#0 #-1", all, "#-65536 #16", BAD_MEMORY),
  splice("of-4-gigabytes", "#0 #0", all, "#0 #-1", BAD_MEMORY),
  {
    name: "body-of-other-kinds",
    wat: attack(
      "request_body",
      [2, 3, 4, 5, 6, 7, 8, 9, -1, 0x7fff_ffff]
        .map((kind) => `(drop (call $proxy_set_buffer_bytes #${kind} #0 #0 #0 #16))`)
        .join("\n") +
        `(call $expect (call $proxy_set_buffer_bytes #9 #0 #0 #0 #1) #${BAD_ARGUMENT})`,
    ),
    request: "post",
    expect: SERVED,
  },
  {
    name: "body-read-in-absurd-windows",
    wat: attack(
      "request_body",
      [
        "#-1 #-1",
        "#0 #0",
        "#0x7fffffff #0x7fffffff",
        "#1 #-1",
        `#${size} #1`,
        "#0x80000000 #0x80000000",
      ]
        .map((window) => `(drop (call $proxy_get_buffer_bytes #0 ${window} #64 #68))`)
        .join("\n"),
    ),
    request: "post",
    expect: SERVED,
  },
  {
    // Sixteen bytes become sixteen mebibytes by repeated copies of what there is.
    name: "body-that-doubles",
    wat: `(memory (export "memory") 40)
      (func (export "malloc") (param i32) (result i32) #65536)
      ${attack(
        "request_body",
        `(loop $l
          (drop (call $proxy_get_buffer_bytes #0 #0 #0x200000 #64 #68))
          (drop (call $proxy_set_buffer_bytes #0 #-1 #0 (i32.load #64) (i32.load #68)))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) #1)) #6)))
        (drop (call $proxy_set_buffer_bytes #0 #0 #-1 #0 #0))`,
      )}`,
    request: "post",
    bodyAtNode: "",
    expect: SERVED,
  },
  {
    name: "body-of-the-request-in-the-response",
    wat:
      DATA + attack("response_body", "(drop (call $proxy_set_buffer_bytes #0 #0 #-1 #32768 #4))"),
    expect: SERVED,
  },
  {
    name: "body-of-a-request-that-has-none",
    wat:
      DATA + attack("request_headers", "(drop (call $proxy_set_buffer_bytes #0 #0 #-1 #32768 #4))"),
    expect: SERVED,
  },
  {
    name: "body-of-the-response-dropped",
    wat: attack("response_body", "(drop (call $proxy_set_buffer_bytes #1 #0 #-1 #0 #0))"),
    expect: SERVED,
    bodyAtClient: "",
  },
  {
    name: "body-of-the-response-too-large-to-hold",
    wat: `(memory (export "memory") 17) ${attack(
      "response_body",
      "(drop (call $proxy_set_buffer_bytes #1 #-1 #0 #0 #0x110000))",
      1,
    )}`,
    expect: ["cut", "500 FILTER_RESPONSE_BUFFER_FULL", "left"],
    leavesAfterMs: 50,
  },
];
