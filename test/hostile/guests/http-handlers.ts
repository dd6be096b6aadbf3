import { HTTP_HANDLER_SIGNATURES } from "../../../src/abi/http-wasm/signatures.ts";
import {
  DEADLINE,
  FAILED,
  FLOODED,
  handlers,
  type HostileGuest,
  SERVED,
  SHORT,
  TOO_DEEP,
} from "../guest.ts";

/** http-wasm guests that never end, that trap, and that call what they may not, with what not. */
const EMPTY = "(loop $l (br $l))";
const ALL_FEATURES = "(drop (call $enable_features #7))";

const ENDLESS: Readonly<Record<string, string>> = {
  loop: EMPTY,
  "loop-inside-catch-all": "(loop $l (try (do (loop $m (br $m))) (catch_all)) (br $l))",
  "loop-writing-memory": "(loop $l (i32.store #40000 (i32.add (i32.load #40000) #1)) (br $l))",
  "loop-filling-memory": "(loop $l (memory.fill #32768 #7 #32768) (br $l))",
};

/** Each call in a loop without an end. */
const FLOODS: Readonly<Record<string, string>> = {
  log: "(call $http_log #2 #0 #65536)",
  "log-disabled": "(call $http_log #-1 #0 #65536)",
  get_header_names: "(drop (call $get_header_names #0 #4096 #4096))",
  get_header_values: "(drop (call $get_header_values #0 #16 #8 #4096 #64))",
  get_uri: "(drop (call $get_uri #4096 #64))",
  get_config: "(drop (call $get_config #4096 #64))",
  enable_features: "(drop (call $enable_features #-1))",
  set_header_value: "(call $set_header_value #0 #16 #8 #0 #4096)",
  set_uri: "(call $set_uri #0 #0)",
  read_body: "(drop (call $read_body #0 #4096 #1))",
  "write_body-of-nothing": "(call $write_body #0 #0 #0)",
};

const KINDS: Readonly<Record<string, string>> = {
  unreachable: "unreachable",
  "division-by-zero": "(drop (i32.div_s (local.get $i) (local.get $j)))",
  "memory-behind-its-end": "(drop (i32.load #-8))",
  "an-exit": "(call $proc_exit #7)",
  // As if the start were only over now; there is nothing that goes on.
  "an-exit-that-is-none": "(call $proc_exit #0)",
  "a-misuse-that-is-caught": `(try (do (call $set_uri #-1 #-1)) (catch_all))
    (try (do (call $set_uri #0 #0)) (catch_all))`,
};

/** Calls at the wrong time, in handle_response where `response`. */
const MISUSES: Readonly<Record<string, { request?: string; response?: string }>> = {
  "a-request-method-too-late": { response: "(call $set_method #16 #1)" },
  "a-request-uri-too-late": { response: "(call $set_uri #0 #0)" },
  "a-request-header-too-late": {
    request: ALL_FEATURES,
    response: "(call $set_header_value #0 #16 #1 #16 #1)",
  },
  "a-request-body-too-late": { request: ALL_FEATURES, response: "(call $write_body #0 #16 #1)" },
  "a-response-header-without-the-feature": {
    response: "(call $add_header_value #1 #16 #1 #16 #1)",
  },
  "a-response-status-without-the-feature": { response: "(call $set_status_code #200)" },
  "a-response-body-without-the-feature": { response: "(call $write_body #1 #16 #1)" },
  "features-too-late": {
    response: "(drop (call $enable_features #7)) (call $set_status_code #200)",
  },
  "trailers-without-the-feature": { request: "(call $set_header_value #2 #16 #1 #16 #1)" },
  "a-read-into-nothing": { request: "(drop (call $read_body #0 #4096 #0))" },
  "a-header-without-a-name": { request: "(call $set_header_value #0 #16 #0 #16 #1)" },
  "an-empty-method": { request: "(call $set_method #16 #0)" },
  ...Object.fromEntries(
    [4, -1, 0x7fff_ffff].map((kind) => [
      `headers-of-kind-${kind < 0 ? "minus-one" : kind}`,
      { request: `(drop (call $get_header_names #${kind} #4096 #64))` },
    ]),
  ),
  ...Object.fromEntries(
    [2, -1].map((kind) => [
      `bodies-of-kind-${kind < 0 ? "minus-one" : kind}`,
      { request: `(drop (call $read_body #${kind} #4096 #64))` },
    ]),
  ),
  ...Object.fromEntries(
    [0, 100, 101, 199, 600, 999, -1].map((status) => [
      `a-status-of-${status < 0 ? "minus-one" : status}`,
      { request: `(call $set_status_code #${status})` },
    ]),
  ),
};

/** Names that host functions of one word have in these texts. */
const callName = (name: string): string => (name === "log" ? "http_log" : name);

/**
 * Every function with all arguments the same bad number. Numbers are addresses, lengths, kinds and
 * statuses here: what is no trap must change nothing.
 */
const POINTERS: readonly HostileGuest[] = Object.entries(HTTP_HANDLER_SIGNATURES)
  .filter(([, signature]) => !signature.startsWith(">"))
  .flatMap(([name, signature]) =>
    ["-1", "-4", "65535", "0x7fffffff", "0x80000000"].map((value) => {
      const [parameters = "", results = ""] = signature.split(">");
      const values = Array.from(parameters, () => `#${value}`).join(" ");
      const call = `(call $${callName(name)} ${values})`;
      return {
        name: `http-pointers-${name.replaceAll("_", "-")}-${value.replace("-", "minus-")}`,
        wat: handlers({ request: results === "" ? call : `(drop ${call})` }),
        // A value that is empty, or longer than such a limit, is not written anywhere.
        expect: [...FAILED, ...SERVED],
        runsMax: 10,
      };
    }),
  );

/** What lies at the memory's end, one byte behind it, and around its 4 GiB: a trap each. */
const OUTSIDE: Readonly<Record<string, string>> = {
  "a-buffer-one-byte-too-far": "(drop (call $get_method #65533 #4))",
  "a-buffer-at-minus-one": "(drop (call $get_uri #-1 #-1))",
  "a-buffer-that-wraps": "(drop (call $get_uri #-2 #64))",
  "names-behind-the-end": "(drop (call $get_header_names #0 #65535 #4096))",
  "a-name-one-byte-too-far": "(drop (call $get_header_values #0 #65529 #8 #4096 #64))",
  "a-name-of-4-gigabytes": "(call $remove_header #0 #0 #-1)",
  "a-value-of-4-gigabytes": "(call $set_header_value #0 #16 #8 #16 #-1)",
  "a-read-over-the-end": "(drop (call $read_body #0 #65535 #2))",
  "a-read-of-4-gigabytes": "(drop (call $read_body #0 #0 #-1))",
  "a-write-over-the-end": "(call $write_body #0 #65535 #2)",
  "a-write-of-4-gigabytes": "(call $write_body #1 #1 #-1)",
  "a-write-of-the-poll-page": "(call $write_body #0 #-65536 #16)",
};

export const HTTP_HANDLERS: readonly HostileGuest[] = [
  ...Object.entries(ENDLESS).flatMap(([name, body]) => [
    {
      name: `http-${name}`,
      wat: handlers({ request: body }),
      expect: DEADLINE,
      settings: SHORT,
    },
    {
      name: `http-${name}-in-the-response`,
      wat: handlers({ request: ALL_FEATURES, response: body }),
      expect: DEADLINE,
      settings: SHORT,
    },
  ]),
  ...Object.entries(FLOODS).map(([name, call]) => ({
    name: `http-flood-of-${name.replaceAll("_", "-")}`,
    wat: handlers({ request: `(loop $l ${call} (br $l))` }),
    request: "post" as const,
    expect: FLOODED,
    settings: SHORT,
  })),
  {
    name: "http-recursion",
    wat: `(func $f (call $f) (call $f)) ${handlers({ request: "(call $f)" })}`,
    expect: TOO_DEEP,
  },
  {
    name: "http-recursion-through-its-own-exports",
    wat: `(global $n (mut i32) (i32.const 0))
      (func $again (export "handle_request") (result i64)
        (if (i32.eqz (call $attacked)) (then (return (i64.const 1))))
        (global.set $n (i32.add (global.get $n) #1))
        (if (i32.lt_u (global.get $n) #100) (then (return (call $again))))
        (global.set $n #0) (call $response #0 #0) (i64.const 1))
      (func $response (export "handle_response") (param i32 i32))`,
    expect: SERVED,
  },
  ...Object.entries(KINDS).flatMap(([name, body]) => [
    { name: `http-${name}`, wat: handlers({ request: body }), expect: FAILED },
    { name: `http-${name}-in-the-response`, wat: handlers({ response: body }), expect: FAILED },
    {
      name: `http-${name}-in-both-failing-open`,
      wat: handlers({ request: body, response: body }),
      expect: SERVED,
      settings: "fail: open",
    },
  ]),
  ...Object.entries(MISUSES).map(([name, calls]) => ({
    name: `http-misuse-${name}`,
    wat: handlers(calls),
    expect: FAILED,
  })),
  ...POINTERS,
  ...Object.entries(OUTSIDE).map(([name, call]) => ({
    name: `http-pointers-${name}`,
    wat: handlers({ request: call }),
    request: "post" as const,
    expect: FAILED,
  })),
  {
    name: "http-pointers-limits-too-small",
    wat: `(data (i32.const 40000) "\\ff\\ff\\ff\\ff") ${handlers({
      request: `(call $wants (call $get_method #40000 #2) #3)
        (call $wants (call $get_uri #40000 #3) #4)
        (call $wants (i32.wrap_i64 (call $get_header_values #0 #16 #8 #40000 #16)) #17)
        (call $wants (i32.load #40000) #-1)
        (call $wants (call $get_uri #-1 #0) #4)`,
    })}`,
    expect: SERVED,
  },
  {
    name: "http-features-that-are-not-there",
    wat: handlers({ request: "(call $wants (call $enable_features #-8) #0)" }),
    expect: SERVED,
  },
];
