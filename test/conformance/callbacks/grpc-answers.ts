import { grpcCall, grpcStream, RESUME } from "../calls.ts";
import { type Case, casesOf } from "../case.ts";
import { type Call, loaded, out, param, text } from "../probe.ts";

const CALLBACKS = [
  "proxy_on_grpc_receive_initial_metadata",
  "proxy_on_grpc_receive",
  "proxy_on_grpc_receive_trailing_metadata",
  "proxy_on_grpc_trailing_metadata",
  "proxy_on_grpc_close",
];
const SHOWS = [...CALLBACKS, "proxy_on_request_headers", "notes"];
const MESSAGE: Call = ["proxy_get_buffer_bytes", 5, 0, 1000, out(), out()];
const STATUS: Call = ["proxy_get_status", out(), out(), out()];
const pairsOf = (map: number): Call => ["proxy_get_header_map_pairs", map, out(), out()];
const READ: readonly Call[] = [pairsOf(4), pairsOf(5), MESSAGE, STATUS];
const READING = ["proxy_get_header_map_pairs", "proxy_get_buffer_bytes", "proxy_get_status"];

/** Asks, waits, and goes on when `last` has come. */
function asking(
  calls: readonly Call[],
  last: string,
  on: Case["guest"]["on"] = {},
  reading: readonly Call[] = [],
): Case["guest"] {
  const each = Object.fromEntries(
    CALLBACKS.filter((name) => name !== "proxy_on_grpc_trailing_metadata").map((name) => [
      name,
      { calls: [...reading, ...(name === last ? RESUME : [])] },
    ]),
  );
  return { on: { proxy_on_request_headers: { calls, answer: 1 }, ...each, ...on } };
}

const ANSWER = {
  upstream: "auth",
  metadata: [["x-m", "1"] as const],
  messages: ["pong"],
  trailing: [["x-t", "2"] as const],
};

export const conformance = casesOf("answers of gRPC", [
  {
    name: "of a call: its message alone, when it has succeeded",
    guest: asking([grpcCall()], "proxy_on_grpc_receive", {}, READ),
    run: { grpc: [ANSWER] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_receive(context=1, token=1, bytes=4)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "2"}',
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = Ok -> bytes="pong"',
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_grpc_receive",
    ],
  },
  {
    name: "of a call: an empty message is one, too",
    guest: asking([grpcCall()], "proxy_on_grpc_receive", {}, [MESSAGE]),
    run: { grpc: [{ upstream: "auth", messages: [""] }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_receive(context=1, token=1, bytes=0)",
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = Ok -> bytes=""',
      "< proxy_on_grpc_receive",
    ],
  },
  {
    name: "of a call: its status and why, when it has failed",
    guest: asking([grpcCall()], "proxy_on_grpc_close", {}, READ),
    run: { grpc: [{ ...ANSWER, status: 7, message: "not you" }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 7",
      "> proxy_on_grpc_close(context=1, token=1, status=7)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "2"}',
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=7, message="not you"',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a call: status 4 when it has timed out",
    guest: asking([grpcCall("", 50)], "proxy_on_grpc_close", {}, [STATUS]),
    run: { grpc: [{ ...ANSWER, delayMs: 100 }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 4",
      "> proxy_on_grpc_close(context=1, token=1, status=4)",
      'proxy_get_status() = Ok -> code=4, message="no answer in time"',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a call: status 14 when nobody is there",
    guest: asking([grpcCall()], "proxy_on_grpc_close", {}, [STATUS]),
    run: { upstreams: ["auth"] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 14",
      "> proxy_on_grpc_close(context=1, token=1, status=14)",
      'proxy_get_status() = Ok -> code=14, message=""',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a call: status 13 for no message, and for two",
    guest: asking([grpcCall(), grpcCall()], "", {
      proxy_on_grpc_close: [{ calls: [STATUS] }, { calls: [STATUS, ...RESUME] }],
    }),
    run: {
      grpc: [{ upstream: "auth" }, { upstream: "auth", messages: ["a", "b"] }],
    },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=1, status=13)",
      'proxy_get_status() = Ok -> code=13, message="a call has one answer, this one has 0"',
      "< proxy_on_grpc_close",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=3, status=13)",
      'proxy_get_status() = Ok -> code=13, message="a call has one answer, this one has 2"',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a stream: metadata, messages, metadata and the status, each to be read in its turn",
    guest: asking([grpcStream()], "proxy_on_grpc_close", {}, READ),
    run: { grpc: [{ ...ANSWER, messages: ["a", "bc"], message: "fine" }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_receive_initial_metadata(context=1, token=2, headers=1)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_grpc_receive_initial_metadata",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=1)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = Ok -> bytes="a"',
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_grpc_receive",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=2)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = Ok -> bytes="bc"',
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_grpc_receive",
      "> proxy_on_grpc_receive_trailing_metadata(context=1, token=2, trailers=1)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "2"}',
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_grpc_receive_trailing_metadata",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      'proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={x-m: "1"}',
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "2"}',
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=0, message="fine"',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a stream: no metadata, no messages, and a status that is an error",
    guest: asking([grpcStream()], "proxy_on_grpc_close", {}, [STATUS]),
    run: { grpc: [{ upstream: "auth", status: 5, message: "none" }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* /svc/method ends with status 5",
      "> proxy_on_grpc_close(context=1, token=2, status=5)",
      'proxy_get_status() = Ok -> code=5, message="none"',
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a client's stream: one message for all that were sent, after the end",
    guest: asking(
      [
        grpcStream("stream"),
        ["proxy_grpc_send", loaded("stream"), text("one"), 0],
        ["proxy_grpc_send", loaded("stream"), text("two"), 0],
        ["proxy_grpc_close", loaded("stream")],
      ],
      "proxy_on_grpc_close",
      {},
      [MESSAGE],
    ),
    run: { grpc: [{ upstream: "auth", messages: ["both"], waitsForEnd: true }] },
    shows: [...SHOWS, "proxy_get_buffer_bytes"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "* /svc/method is sent 3 bytes",
      "* /svc/method is sent 3 bytes",
      "* /svc/method is sent no more",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=4)",
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = Ok -> bytes="both"',
      "< proxy_on_grpc_receive",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=1000) = NotFound",
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of both ways: what comes is answered, and the last one ends it",
    guest: asking([grpcStream("stream")], "proxy_on_grpc_close", {
      proxy_on_grpc_receive: [
        { calls: [["proxy_grpc_send", param(1), text("first"), 0]] },
        { calls: [["proxy_grpc_send", param(1), text("last"), 1]] },
      ],
    }),
    run: { grpc: [{ upstream: "auth", messages: ["a", "b"] }] },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=1)",
      "* /svc/method is sent 5 bytes",
      "< proxy_on_grpc_receive",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=1)",
      "* /svc/method is sent 4 bytes",
      "* /svc/method is sent no more",
      "< proxy_on_grpc_receive",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of a stream: nothing follows after it was cancelled in its metadata",
    guest: asking([grpcStream()], "", {
      proxy_on_grpc_receive_initial_metadata: {
        calls: [["proxy_grpc_cancel", param(1)], ...RESUME],
      },
    }),
    run: { grpc: [ANSWER] },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_receive_initial_metadata(context=1, token=2, headers=1)",
      "* /svc/method is cancelled",
      "< proxy_on_grpc_receive_initial_metadata",
    ],
  },
  {
    name: "of a stream: an id that has ended is not found",
    guest: asking([grpcStream()], "", {
      proxy_on_grpc_close: {
        calls: [
          ["proxy_grpc_send", param(1), text("x"), 0],
          ["proxy_grpc_cancel", param(1)],
          ["proxy_grpc_close", param(1)],
          ...RESUME,
        ],
      },
    }),
    run: { grpc: [{ upstream: "auth" }] },
    shows: ["proxy_grpc_send", "proxy_grpc_cancel", "proxy_grpc_close"],
    lines: [
      'proxy_grpc_send(token=2, message="x", end_of_stream=false) = NotFound',
      "proxy_grpc_cancel(token=2) = NotFound",
      "proxy_grpc_close(token=2) = NotFound",
    ],
  },
  {
    name: "of a stream: trailing metadata come under AssemblyScript's name when that is exported",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [grpcStream()], answer: 1 },
        proxy_on_grpc_trailing_metadata: { calls: [pairsOf(5)] },
        proxy_on_grpc_close: { calls: RESUME },
      },
    },
    run: { grpc: [ANSWER] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_trailing_metadata(context=1, token=2, trailers=1)",
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "2"}',
      "< proxy_on_grpc_trailing_metadata",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      "< proxy_on_grpc_close",
    ],
  },
  {
    name: "of several: calls and streams side by side, each under its id",
    guest: asking([grpcCall(), grpcStream(), grpcCall()], "", {
      proxy_on_grpc_receive: [{}, {}, { calls: RESUME }],
    }),
    run: {
      grpc: [
        { upstream: "auth", messages: ["slow"], delayMs: 60 },
        { upstream: "auth", messages: ["stream"], delayMs: 20 },
        { upstream: "auth", messages: ["quick"], delayMs: 40 },
      ],
    },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_grpc_receive(context=1, token=2, bytes=6)",
      "< proxy_on_grpc_receive",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_close(context=1, token=2, status=0)",
      "< proxy_on_grpc_close",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_receive(context=1, token=3, bytes=5)",
      "< proxy_on_grpc_receive",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_receive(context=1, token=1, bytes=4)",
      "< proxy_on_grpc_receive",
    ],
  },
  {
    name: "come also after the exchange that has asked is over, and not after the guest's end",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 200]] },
        proxy_on_tick: {},
        proxy_on_request_headers: { calls: [grpcCall(), grpcStream()] },
        proxy_on_delete: {},
        proxy_on_grpc_receive: {},
        proxy_on_grpc_close: {},
      },
    },
    run: {
      grpc: [
        { upstream: "auth", messages: ["late"], delayMs: 50 },
        { upstream: "auth", messages: ["never"], delayMs: 500 },
      ],
      ticksAfter: 1,
    },
    shows: [...SHOWS, "proxy_on_delete", "proxy_on_tick"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "* /svc/method ends with status 0",
      "> proxy_on_grpc_receive(context=1, token=1, bytes=4)",
      "< proxy_on_grpc_receive",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
      "* /svc/method is cancelled",
    ],
  },
  {
    name: "do not come to a guest that has trapped since: all is cancelled",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 200]] },
        proxy_on_tick: {},
        proxy_on_request_headers: { calls: [grpcCall(), grpcStream()], traps: true },
        proxy_on_grpc_receive: {},
        proxy_on_grpc_close: {},
      },
    },
    run: { grpc: [ANSWER, ANSWER], ticksAfter: 1 },
    shows: [...SHOWS, "proxy_on_tick"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers failed: Unreachable code should not be executed",
      "* /svc/method is cancelled",
      "* /svc/method is cancelled",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
    ],
  },
]);
