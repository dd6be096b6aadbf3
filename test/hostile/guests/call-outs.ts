import { pairs, quoted } from "../assemble.ts";
import {
  attack,
  callback,
  DEADLINE,
  FAILED,
  FLOODED,
  type HostileGuest,
  reply,
  SERVED,
  SHORT,
} from "../guest.ts";

/** Guests that call others: nodes that never answer, call-outs by the thousand, torn requests. */
const GRANTED = "allow: { http_call: [node, silent] }";
const HEAD = [
  [":method", "GET"],
  [":path", "/called"],
  [":authority", "called.test"],
] as const;
const EVIL = [
  ...HEAD,
  ["content-length", "5"],
  ["transfer-encoding", "chunked"],
  ["connection", "close, x-kept"],
  ["host", "evil.test"],
  ["x-evil\r\nx-more", "1"],
  ["x-crlf", "1\r\nX-Evil: 1"],
  ["x-nul", "1\0"],
] as const;
const head = pairs(HEAD);
const evil = pairs(EVIL);
/** At 32768 the name "silent", at 32784 "node", at 33024 a head, at 34048 an evil one. */
const DATA = `(data (i32.const 32768) "silent") (data (i32.const 32784) "node")
  (data (i32.const 33024) ${quoted(head)}) (data (i32.const 34048) ${quoted(evil)})`;
const toSilent = (timeoutMs: number): string =>
  `(call $proxy_http_call #32768 #6 #33024 #${head.byteLength} #0 #0 #0 #0 #${timeoutMs} #128)`;
const toNode = (body = "#0 #0"): string =>
  `(call $proxy_http_call #32784 #4 #33024 #${head.byteLength} ${body} #0 #0 #2000 #128)`;
const evilToNode = `(call $proxy_http_call #32784 #4 #34048 #${evil.byteLength}
  #0 #5 #0 #0 #2000 #128)`;
const KEEP = "(global $stream (mut i32) (i32.const 0))";
const NOTE = "(global.set $stream (local.get $id))";
const GO_ON = `(drop (call $proxy_set_effective_context (global.get $stream)))
  (drop (call $proxy_continue_stream #0))`;

const GUESTS: readonly HostileGuest[] = [
  {
    name: "never-answered",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (call $expect ${toSilent(20)} #0)`, 1) +
      callback("http_call_response", `(call $expect (local.get $headers) #0) ${GO_ON}`),
    expect: SERVED,
  },
  {
    name: "never-answered-and-no-timeout",
    wat: attack("request_headers", `(call $expect ${toSilent(0)} #0)`, 1),
    leavesAfterMs: 5,
    expect: ["left"],
  },
  {
    name: "without-waiting",
    wat: attack("request_headers", `(drop ${toSilent(5)}) (drop ${toNode()})`),
    expect: SERVED,
  },
  {
    name: "twenty-each-time",
    wat: attack(
      "request_headers",
      `(loop $l (drop ${toSilent(10)})
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) #1)) #20)))`,
    ),
    expect: SERVED,
  },
  {
    name: "without-an-end",
    wat: attack("request_headers", `(loop $l (drop ${toSilent(50)}) (br $l))`),
    expect: FLOODED,
    settings: "limits: { deadline: 2ms }",
  },
  {
    name: "then-trap",
    wat: attack("request_headers", `(drop ${toSilent(0)}) (drop ${toNode()}) unreachable`),
    expect: FAILED,
  },
  {
    name: "trap-in-the-answer",
    wat:
      attack("request_headers", `(drop ${toNode()})`, 1) +
      callback("http_call_response", "unreachable"),
    expect: FAILED,
  },
  {
    name: "loop-in-the-answer",
    wat:
      attack("request_headers", `(drop ${toNode()})`, 1) +
      callback("http_call_response", "(loop $l (br $l))"),
    expect: DEADLINE,
    settings: SHORT,
  },
  {
    name: "answer-by-a-reply",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (drop ${toNode()})`, 1) +
      callback(
        "http_call_response",
        `(drop (call $proxy_set_effective_context (global.get $stream))) ${reply(418)}
        ${reply(419)} (drop (call $proxy_continue_stream #0))`,
      ),
    expect: ["418"],
  },
  {
    // Each answer makes the next call, and nobody goes on; it ends only to spare this test.
    name: "chain",
    wat:
      "(global $left (mut i32) (i32.const 0))" +
      attack("request_headers", `(global.set $left #20) (drop ${toNode()})`, 1) +
      callback(
        "http_call_response",
        `(if (i32.eqz (global.get $left)) (then (return)))
        (global.set $left (i32.sub (global.get $left) #1)) (drop ${toNode()})`,
      ),
    leavesAfterMs: 5,
    expect: ["left"],
  },
  {
    name: "from-on-log",
    wat: attack("log", `(drop ${toSilent(20)}) (drop ${toNode()})`),
    expect: SERVED,
  },
  {
    name: "from-every-callback",
    wat: [
      "context_create" as const,
      "request_headers" as const,
      "request_body" as const,
      "response_headers" as const,
      "response_body" as const,
      "log" as const,
      "done" as const,
      "delete" as const,
    ]
      .map((name) => attack(name, `(drop ${toSilent(5)})`))
      .join("\n"),
    request: "post",
    expect: SERVED,
  },
  {
    name: "body-of-everything",
    wat: attack("request_headers", `(drop ${toNode("#0 #65536")}) (drop ${toNode("#0 #65537")})`),
    expect: SERVED,
  },
  {
    name: "torn-request",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (call $expect ${evilToNode} #0)`, 1) +
      callback("http_call_response", GO_ON),
    expect: SERVED,
  },
  {
    name: "answer-of-a-dead-exchange",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (drop ${toNode()})`) +
      callback("http_call_response", `${GO_ON} ${reply(418)} (drop (call $proxy_close_stream #0))`),
    // The answer may come while the exchange still waits for its own node.
    expect: [...SERVED, "418", "502 FILTER_RESET", "cut"],
  },
];

export const CALL_OUTS: readonly HostileGuest[] = [
  ...GUESTS.map((guest) => ({
    ...guest,
    name: `call-out-${guest.name}`,
    wat: guest.wat + DATA,
    settings: [GRANTED, guest.settings].filter((each) => each !== undefined).join(", "),
  })),
  {
    name: "call-out-to-what-is-not-granted",
    wat:
      DATA +
      attack("request_headers", `(call $expect ${toNode()} #2) (call $expect ${toSilent(5)} #2)`),
    expect: SERVED,
  },
];
