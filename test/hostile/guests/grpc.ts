import { type CallbackName, type HostileGuest, SERVED, SHORT } from "../guest.ts";
import { attack, callback, DEADLINE, FAILED, FLOODED, reply } from "../guest.ts";

/** Guests with calls and streams of gRPC, to a node that never answers and to one that attacks. */
const GRANTED = "allow: { http_call: [grpc, silent] }";
/** At 32768 the name "silent", at 32784 "grpc", at 32800 service and method. */
const DATA = `(data (i32.const 32768) "silent") (data (i32.const 32784) "grpc")
  (data (i32.const 32800) "a.B")`;
const SILENT = "#32768 #6";
const HOSTILE = "#32784 #4";
const METHOD = "#32800 #3 #32802 #1 #0 #0";
/** Its id stands at 128. */
const call = (to: string, timeoutMs: number, message = "#0 #5"): string =>
  `(call $proxy_grpc_call ${to} ${METHOD} ${message} #${timeoutMs} #128)`;
const stream = (to: string): string => `(call $proxy_grpc_stream ${to} ${METHOD} #128)`;
const ID = "(i32.load #128)";
const send = (message: string, isLast = 0): string =>
  `(call $proxy_grpc_send ${ID} ${message} #${isLast})`;

const KEEP = "(global $stream (mut i32) (i32.const 0))";
const NOTE = "(global.set $stream (local.get $id))";
const GO_ON = `(drop (call $proxy_set_effective_context (global.get $stream)))
  (drop (call $proxy_continue_stream #0))`;
/** A call ends with either. */
const ENDS = ["grpc_receive", "grpc_close"] as const;
const EVENTS = [
  ...ENDS,
  "grpc_receive_initial_metadata",
  "grpc_receive_trailing_metadata",
] as const;
const each = (names: readonly CallbackName[], body: string): string =>
  names.map((name) => callback(name, body)).join("\n");
const times = (count: number, body: string): string =>
  `(local.set $i #0) (loop $l ${body}
    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) #1)) #${count})))`;

const GUESTS: readonly HostileGuest[] = [
  {
    name: "never-answered",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (call $expect ${call(SILENT, 20)} #0)`, 1) +
      each(ENDS, GO_ON),
    expect: SERVED,
  },
  {
    name: "of-a-hostile-node",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (call $expect ${call(HOSTILE, 200)} #0)`, 1) +
      each(ENDS, GO_ON),
    expect: SERVED,
  },
  {
    // The call is the stream's deadline, which has none of its own.
    name: "stream-of-a-hostile-node",
    wat:
      KEEP +
      "(global $open (mut i32) (i32.const 0))" +
      attack(
        "request_headers",
        `${NOTE} (drop (call $proxy_grpc_cancel (global.get $open)))
        (call $expect ${stream(HOSTILE)} #0) (global.set $open ${ID})
        (drop ${send("#0 #5")}) (drop ${send("#0 #5", 1)})
        (call $expect ${call(SILENT, 200)} #0)`,
        1,
      ) +
      callback("grpc_close", GO_ON),
    expect: SERVED,
  },
  {
    name: "flood-of-calls",
    wat: attack("request_headers", `(loop $l (drop ${call(SILENT, 50)}) (br $l))`),
    expect: FLOODED,
    settings: "limits: { deadline: 2ms }",
  },
  {
    name: "flood-of-streams",
    wat: attack("request_headers", `(loop $l (drop ${stream(HOSTILE)}) (br $l))`),
    expect: FLOODED,
    settings: "limits: { deadline: 2ms }",
  },
  {
    name: "flood-of-nothing",
    wat: attack(
      "request_headers",
      `(drop ${stream(SILENT)}) (loop $l (drop ${send("#0 #0")}) (br $l))`,
    ),
    expect: FLOODED,
    settings: "limits: { deadline: 2ms }",
  },
  {
    name: "streams-left-open",
    wat: attack(
      "request_headers",
      times(20, `(drop ${stream(HOSTILE)}) (drop ${stream(SILENT)}) (drop ${send("#0 #100")})`),
    ),
    expect: SERVED,
  },
  {
    name: "all-of-its-memory",
    wat: attack(
      "request_headers",
      `(drop ${stream(SILENT)}) ${times(100, `(drop ${send("#0 #65536")})`)}
      (drop ${stream(HOSTILE)}) ${times(100, `(drop ${send("#0 #65536")})`)}
      (drop ${send("#0 #65537")})`,
    ),
    expect: SERVED,
  },
  {
    name: "opened-and-cancelled",
    wat: attack(
      "request_headers",
      times(
        100,
        `(call $expect ${stream(HOSTILE)} #0) (drop ${send("#0 #30000")})
        (call $expect (call $proxy_grpc_close ${ID}) #0)
        (call $expect ${send("#0 #1")} #2)
        (call $expect (call $proxy_grpc_cancel ${ID}) #0)
        (call $expect (call $proxy_grpc_cancel ${ID}) #1)`,
      ),
    ),
    expect: SERVED,
  },
  {
    name: "ids-of-nobody",
    wat: attack(
      "request_headers",
      ["#0", "#-1", "#0x7fffffff", "#-2147483648", "#999999"]
        .map(
          (id) => `(call $expect (call $proxy_grpc_send ${id} #0 #1 #0) #1)
          (call $expect (call $proxy_grpc_cancel ${id}) #1)
          (call $expect (call $proxy_grpc_close ${id}) #1)`,
        )
        .join("\n"),
    ),
    expect: SERVED,
  },
  {
    name: "then-trap",
    wat: attack(
      "request_headers",
      `${times(20, `(drop ${stream(HOSTILE)}) (drop ${send("#0 #30000")})`)}
      ${times(20, `(drop ${call(SILENT, 0)})`).replaceAll("$l", "$m")} unreachable`,
    ),
    expect: FAILED,
  },
  {
    name: "trap-in-the-answer",
    wat: attack("request_headers", `(drop ${call(HOSTILE, 50)})`, 1) + each(EVENTS, "unreachable"),
    expect: FAILED,
  },
  {
    name: "loop-in-the-answer",
    wat:
      attack("request_headers", `(drop ${call(HOSTILE, 50)})`, 1) +
      each(EVENTS, "(loop $l (br $l))"),
    expect: DEADLINE,
    settings: SHORT,
  },
  {
    name: "cancels-in-the-answer",
    wat:
      KEEP +
      attack(
        "request_headers",
        `${NOTE} ${times(10, `(drop ${stream(HOSTILE)}) (drop ${send("#0 #10", 1)})`)}
        (drop ${call(SILENT, 50)})`,
        1,
      ) +
      each(
        EVENTS,
        `(local.set $j (local.get $token))
        ${times(64, `(drop (call $proxy_grpc_cancel (i32.add (local.get $i) (local.get $j))))`)}
        (drop (call $proxy_grpc_cancel (local.get $token)))
        (drop ${stream(HOSTILE)}) (drop (call $proxy_grpc_cancel ${ID})) ${GO_ON}`,
      ),
    expect: SERVED,
  },
  {
    name: "answer-by-a-reply",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (drop ${call(HOSTILE, 50)})`, 1) +
      each(
        ENDS,
        `(drop (call $proxy_set_effective_context (global.get $stream))) ${reply(418)}
        ${reply(419)} (drop (call $proxy_continue_stream #0))`,
      ),
    expect: ["418"],
  },
  {
    name: "answer-of-a-dead-exchange",
    wat:
      KEEP +
      attack("request_headers", `${NOTE} (drop ${call(HOSTILE, 50)}) (drop ${stream(HOSTILE)})`) +
      each(EVENTS, `${GO_ON} ${reply(418)} (drop (call $proxy_close_stream #0))`),
    // The answer may come while the exchange still waits for its own node.
    expect: [...SERVED, "418", "502 FILTER_RESET", "cut"],
  },
  {
    // Each end makes the next call, and nobody goes on; it ends only to spare this test.
    name: "chain",
    wat:
      "(global $left (mut i32) (i32.const 0))" +
      attack("request_headers", `(global.set $left #20) (drop ${call(HOSTILE, 20)})`, 1) +
      each(
        ENDS,
        `(if (i32.eqz (global.get $left)) (then (return)))
        (global.set $left (i32.sub (global.get $left) #1)) (drop ${call(HOSTILE, 20)})`,
      ),
    leavesAfterMs: 5,
    expect: ["left"],
  },
  {
    name: "stream-without-an-end",
    wat: attack("request_headers", `(drop ${stream(SILENT)}) (drop ${send("#0 #1000")})`, 1),
    leavesAfterMs: 5,
    expect: ["left"],
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
      .map((name) => attack(name, `(drop ${stream(HOSTILE)}) (drop ${call(SILENT, 5)})`))
      .join("\n"),
    request: "post",
    expect: SERVED,
  },
];

export const GRPC: readonly HostileGuest[] = [
  ...GUESTS.map((guest) => ({
    ...guest,
    name: `grpc-${guest.name}`,
    wat: guest.wat + DATA,
    settings: [GRANTED, guest.settings].filter((part) => part !== undefined).join(", "),
  })),
  {
    name: "grpc-to-what-is-not-granted",
    wat:
      DATA +
      attack(
        "request_headers",
        `(call $expect ${call(HOSTILE, 5)} #4) (call $expect ${stream(SILENT)} #4)`,
      ),
    expect: SERVED,
  },
];
