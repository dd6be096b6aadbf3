import { quoted } from "../assemble.ts";
import {
  FAILED,
  FLOODED,
  handlers,
  type HostileGuest,
  POST_BODY,
  SERVED,
  SHORT,
} from "../guest.ts";

/** http-wasm guests that flood bodies, forge heads, and leave marks for the next exchange. */
const FEATURES = "(drop (call $enable_features #7))";
const SECOND = "1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.test\r\nX-Evil: 1\r\n\r\n";

/** Lines that would break a message, by header kind: the client's and the node's stay whole. */
const LINES: readonly (readonly [name: string, value: string])[] = [
  ["x-crlf", "1\r\nX-Evil: 1"],
  ["x-lf", "1\nX-Evil: 1"],
  ["x-second", SECOND],
  ["x-a\r\nx-evil", "1"],
  ["x-evil:", "1"],
  ["x evil", "1"],
  ["x-nul", "1\0X-Evil: 1"],
  [":path", "/evil"],
  [":evil", "evil"],
  ["content-length", "3"],
  ["content-length", "99999999"],
  ["transfer-encoding", "chunked"],
  ["connection", "close, x-kept"],
  ["upgrade", "evil"],
  ["host", "a\r\nX-Evil: 1"],
  ["host", "evil test"],
];

function writing(kind: number): { data: string; calls: string } {
  let at = 32_768;
  const data: string[] = [];
  const calls: string[] = [];
  for (const [name, value] of LINES) {
    const place = `#${kind} #${at} #${name.length} #${at + name.length} #${value.length}`;
    data.push(`(data (i32.const ${at}) ${quoted(name + value)})`);
    calls.push(`(call $add_header_value ${place}) (call $set_header_value ${place})`);
    at += name.length + value.length;
  }
  return { data: data.join("\n"), calls: calls.join("\n") };
}

/** What is put at 32768 and handed to a function of address and length. */
function lineOf(name: "set_method" | "set_uri", text: string): string {
  const call = `(call $${name} #32768 #${text.length})`;
  return `(data (i32.const 32768) ${quoted(text)}) ${handlers({ request: call })}`;
}

const REQUEST_LINES: readonly (readonly ["set_method" | "set_uri", string, string])[] = [
  ["set_method", "with-a-second-request", "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET"],
  ["set_method", "with-a-space", "GET /evil"],
  ["set_method", "that-makes-a-tunnel", "CONNECT"],
  ["set_method", "that-echoes-secrets", "TRACE"],
  ["set_method", "of-many-letters", "G".repeat(10_000)],
  ["set_uri", "with-a-second-request", `/ HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /`],
  ["set_uri", "with-a-space", "/get /evil"],
  ["set_uri", "of-another-host", "http://evil.test/"],
  ["set_uri", "that-is-no-path", "evil"],
  ["set_uri", "of-many-letters", `/${"u".repeat(20_000)}`],
];

const MIB = 1 << 20;
/** A memory of 17 pages with a mebibyte of "x" behind the first one. */
const LARGE = '(memory (export "memory") 17)';
const FILL = `(memory.fill #65536 #120 #${MIB})`;

const BODIES: readonly HostileGuest[] = [
  {
    name: "http-body-in-single-bytes",
    wat: handlers({ request: "(loop $l (call $write_body #0 #16 #1) (br $l))" }),
    request: "post",
    expect: FLOODED,
    settings: SHORT,
  },
  {
    name: "http-body-larger-than-may-be",
    wat: `${LARGE} ${handlers({
      request: `(loop $l (call $write_body #1 #65536 #${MIB}) (br $l))`,
    })}`,
    expect: FAILED,
    runsMax: 50,
  },
  {
    name: "http-body-of-a-reply-of-a-mebibyte",
    wat: `${LARGE} ${handlers({
      request: `${FILL} (call $set_status_code #418) (call $write_body #1 #65536 #${MIB})`,
      next: 0,
    })}`,
    expect: ["418"],
    bodyAtClient: "x".repeat(MIB),
    runsMax: 50,
  },
  {
    name: "http-body-laid-over-the-answer",
    wat: handlers({
      request: `(call $set_status_code #418) (call $write_body #1 #16 #8) ${FEATURES}`,
    }),
    expect: ["418"],
    bodyAtClient: "x-attack",
  },
  {
    name: "http-body-in-a-204",
    wat: handlers({
      request: "(call $set_status_code #204) (call $write_body #1 #16 #8)",
      next: 0,
    }),
    expect: ["204"],
    bodyAtClient: "",
  },
  {
    name: "http-body-read-and-replaced-piece-by-piece",
    wat: handlers({
      request: `(loop $l
          (local.set $k (call $read_body #0 #4096 #7))
          (local.set $i (i32.add (local.get $i) (i32.wrap_i64 (local.get $k))))
          (br_if $l (i64.eqz (i64.shr_u (local.get $k) (i64.const 32)))))
        (call $wants (local.get $i) #${POST_BODY.length})
        (call $wants (i32.wrap_i64 (call $read_body #0 #4096 #7)) #0)
        (call $write_body #0 #0 #0) (call $write_body #0 #16 #8)`,
    }),
    request: "post",
    bodyAtNode: "x-attack",
    expect: SERVED,
  },
  {
    name: "http-body-with-trailers-both-ways",
    wat: handlers({
      request: `${FEATURES} (drop (call $read_body #0 #4096 #1))
        (call $set_header_value #2 #16 #8 #16 #8)`,
      response: `(drop (call $read_body #1 #4096 #1)) (drop (call $read_body #0 #4096 #1))
        (call $set_header_value #3 #16 #8 #16 #8)`,
    }),
    request: "trailers",
    expect: SERVED,
  },
];

const HEADS: readonly HostileGuest[] = [
  ...[0, 1].flatMap((kind) => {
    const { data, calls } = writing(kind);
    return (["get", "post"] as const).map((request) => ({
      name: `http-forged-${kind === 0 ? "request" : "early-response"}-lines-${request}`,
      wat: `${data} ${handlers({ request: calls })}`,
      request,
      expect: SERVED,
    }));
  }),
  {
    name: "http-forged-response-lines",
    wat: `${writing(1).data} ${handlers({ request: FEATURES, response: writing(1).calls })}`,
    expect: SERVED,
  },
  {
    name: "http-forged-reply-lines",
    wat: `${writing(1).data} ${handlers({
      request: `${writing(1).calls} (call $set_status_code #418) (call $write_body #1 #16 #8)`,
      next: 0,
    })}`,
    expect: ["418"],
    bodyAtClient: "x-attack",
  },
  ...[2, 3].map((kind) => ({
    name: `http-forged-${kind === 2 ? "request" : "response"}-trailers`,
    wat: `${writing(kind).data} ${handlers({
      request: `${FEATURES} (drop (call $read_body #0 #4096 #1)) ${writing(kind).calls}`,
    })}`,
    request: "trailers" as const,
    expect: SERVED,
  })),
  ...REQUEST_LINES.map(([name, what, text]) => ({
    name: `http-forged-${name === "set_method" ? "method" : "uri"}-${what}`,
    wat: lineOf(name, text),
    expect: FAILED,
  })),
  {
    name: "http-headers-without-end",
    wat: handlers({
      request: `(loop $l (call $add_header_value #1 #16 #8 #16 #8) (br $l))`,
    }),
    expect: FAILED,
  },
  {
    name: "http-headers-all-removed",
    wat: `(data (i32.const 32768) "hostcontent-lengthtransfer-encoding") ${handlers({
      request: `(call $remove_header #0 #32768 #4) (call $remove_header #0 #32772 #14)
        (call $remove_header #0 #32786 #17)`,
    })}`,
    request: "post",
    expect: SERVED,
  },
];

/** An address: nothing there, then a mark. */
const mark = "(call $wants (i32.load #40000) #0) (i32.store #40000 #1)";

const STATE: readonly HostileGuest[] = [
  {
    name: "http-state-in-memory",
    wat: handlers({ request: mark, response: "(i32.store #40000 #2)" }),
    expect: SERVED,
    instances: ["per_request"],
  },
  {
    name: "http-state-in-what-a-reply-leaves",
    wat: handlers({ request: `${mark} (call $set_status_code #418)`, next: 0 }),
    expect: ["418"],
    instances: ["per_request"],
  },
  {
    name: "http-state-in-what-a-trap-leaves",
    wat: handlers({ request: `${mark} (call $set_header_value #1 #16 #8 #16 #8) unreachable` }),
    expect: FAILED,
  },
  {
    name: "http-state-in-features",
    wat: handlers({
      request: "(call $wants (call $enable_features #0) #0) (drop (call $enable_features #3))",
    }),
    expect: SERVED,
  },
  {
    // What one exchange has made must not be seen by the next, in the same guest too.
    name: "http-state-in-an-early-response",
    wat: handlers({
      request: `(call $wants (call $get_status_code) #200)
        (call $wants (i32.wrap_i64 (call $get_header_names #1 #4096 #4096)) #0)
        (call $set_status_code #201) (call $set_header_value #1 #16 #8 #16 #8)
        (call $write_body #1 #16 #8)`,
    }),
    expect: ["201"],
    bodyAtClient: "x-attack",
  },
  {
    // It gives every exchange the same number, and is told it back.
    name: "http-state-in-the-numbers-of-exchanges",
    wat: handlers({
      request: "(return (i64.const 0x7fffffff00000001))",
      response: "(if (i32.ne (local.get $exchange) #0x7fffffff) (then unreachable))",
    }),
    expect: SERVED,
  },
];

export const HTTP_MESSAGES: readonly HostileGuest[] = [...BODIES, ...HEADS, ...STATE];
