import { httpCall, RESUME } from "../calls.ts";
import { casesOf } from "../case.ts";
import { type Call, out, text } from "../probe.ts";

const SHOWS = [
  "proxy_on_request_headers",
  "proxy_on_http_call_response",
  "proxy_on_log",
  "proxy_on_delete",
  "notes",
];
const pairsOf = (map: number): Call => ["proxy_get_header_map_pairs", map, out(), out()];
const valueOf = (map: number, key: string): Call => [
  "proxy_get_header_map_value",
  map,
  text(key),
  out(),
  out(),
];
/** All that an answer can be asked for. */
const READ: readonly Call[] = [
  pairsOf(6),
  pairsOf(7),
  valueOf(6, ":status"),
  ["proxy_get_buffer_bytes", 4, 0, 1000, out(), out()],
  ["proxy_get_status", out(), out(), out()],
];
const READING = [
  "proxy_get_header_map_pairs",
  "proxy_get_header_map_value",
  "proxy_get_buffer_bytes",
  "proxy_get_status",
];

export const conformance = casesOf("answers of call-outs", [
  {
    name: "come in the root context, with headers, body and trailers to be read",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()], answer: 1 },
        proxy_on_http_call_response: { calls: [...READ, ...RESUME] },
      },
    },
    run: {
      callOuts: [
        {
          upstream: "auth",
          status: 403,
          headers: [["X-A", "1"]],
          body: ["not ", "you"],
          trailers: [["x-sum", "7"]],
        },
      ],
    },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth answers 403",
      "> proxy_on_http_call_response(context=1, token=1, headers=2, body=7, trailers=1)",
      'proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={:status: "403", ' +
        'x-a: "1"}',
      'proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={x-sum: "7"}',
      'proxy_get_header_map_value(map=HttpCallResponseHeaders, key=":status") = Ok -> value="403"',
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, length=1000) = Ok -> " +
        'bytes="not you"',
      'proxy_get_status() = Ok -> code=0, message=""',
      "< proxy_on_http_call_response",
    ],
  },
  {
    name: "can be read in their callback only",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall(), ...READ], answer: 1 },
        proxy_on_http_call_response: { calls: RESUME },
        proxy_on_response_headers: { calls: READ },
      },
    },
    run: { callOuts: [{ upstream: "auth", headers: [["X-A", "1"]], body: ["x"] }] },
    shows: READING,
    lines: [
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
      'proxy_get_header_map_value(map=HttpCallResponseHeaders, key=":status") = NotFound',
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=0, message=""',
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
      'proxy_get_header_map_value(map=HttpCallResponseHeaders, key=":status") = NotFound',
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=0, message=""',
    ],
  },
  {
    name: "have 0 headers, and nothing to be read, when the call has failed",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()], answer: 1 },
        proxy_on_http_call_response: { calls: [...READ, ...RESUME] },
      },
    },
    run: { callOuts: [{ upstream: "auth", error: "connection refused" }] },
    shows: [...SHOWS, ...READING],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth has failed: connection refused",
      "> proxy_on_http_call_response(context=1, token=1, headers=0, body=0, trailers=0)",
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
      'proxy_get_header_map_value(map=HttpCallResponseHeaders, key=":status") = NotFound',
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, length=1000) = NotFound",
      'proxy_get_status() = Ok -> code=11, message="connection refused"',
      "< proxy_on_http_call_response",
    ],
  },
  {
    name: "have 0 headers when the call has timed out; an answer that is too late does not come",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 200]] },
        proxy_on_tick: {},
        proxy_on_request_headers: { calls: [httpCall("", 50)], answer: 1 },
        proxy_on_http_call_response: { calls: RESUME },
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 100 }], ticksAfter: 2 },
    shows: [...SHOWS, "proxy_on_tick"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth has failed: no answer within 50 ms",
      "> proxy_on_http_call_response(context=1, token=1, headers=0, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
    ],
  },
  {
    name: "come as they are there, whatever the order of the calls",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall(), httpCall(), httpCall()], answer: 1 },
        proxy_on_http_call_response: [{}, {}, { calls: RESUME }],
      },
    },
    run: {
      callOuts: [
        { upstream: "auth", delayMs: 60 },
        { upstream: "auth", delayMs: 20, error: "connection reset" },
        { upstream: "auth", delayMs: 40 },
      ],
    },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth has failed: connection reset",
      "> proxy_on_http_call_response(context=1, token=2, headers=0, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=3, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
    ],
  },
  {
    name: "may make the next call, whose token is another one",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()], answer: 1 },
        proxy_on_http_call_response: [{ calls: [httpCall()] }, { calls: RESUME }],
      },
    },
    run: { callOuts: [{ upstream: "auth" }, { upstream: "auth", status: 404 }] },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "* the call to auth answers 404",
      "> proxy_on_http_call_response(context=1, token=2, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
    ],
  },
  {
    name: "never come while the guest is inside: also one that is there at once comes later",
    guest: {
      on: {
        proxy_on_request_headers: {
          calls: [httpCall(), ["proxy_log", 2, text("still here")]],
          answer: 1,
        },
        proxy_on_http_call_response: { calls: RESUME },
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 0 }] },
    shows: ["callbacks", "log"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "log info: still here",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
    ],
  },
  {
    name: "come also after the exchange that has asked is over",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 200]] },
        proxy_on_tick: {},
        proxy_on_request_headers: { calls: [httpCall()] },
        proxy_on_log: {},
        proxy_on_delete: {},
        proxy_on_http_call_response: { calls: RESUME },
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 50 }], ticksAfter: 1 },
    shows: [...SHOWS, "proxy_set_effective_context", "proxy_continue_stream"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
      "> proxy_on_log(context=2)",
      "< proxy_on_log",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "proxy_set_effective_context(context=2) = BadArgument",
      "proxy_continue_stream(stream=Request) = BadArgument",
      "< proxy_on_http_call_response",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
    ],
  },
  {
    name: "do not come after the guest's end: its calls are cancelled",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()] },
        proxy_on_delete: {},
        proxy_on_http_call_response: {},
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 50 }] },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
      "* the call to auth is cancelled",
    ],
  },
  {
    name: "do not come to a guest that has trapped since: its calls are cancelled",
    guest: {
      on: {
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 200]] },
        proxy_on_tick: {},
        proxy_on_request_headers: { calls: [httpCall()], traps: true },
        proxy_on_http_call_response: {},
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 50 }], ticksAfter: 1 },
    shows: [...SHOWS, "proxy_on_tick"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers failed: Unreachable code should not be executed",
      "* the call to auth is cancelled",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
    ],
  },
  {
    name: "go with the exchange when it has a guest of its own: the call is cancelled",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()] },
        proxy_on_delete: {},
        proxy_on_http_call_response: {},
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 50 }], instances: "per_request" },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "* the call to auth is cancelled",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
    ],
  },
  {
    name: "answer the request in the exchange's place by a local response",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [httpCall()], answer: 1 },
        proxy_on_http_call_response: {
          calls: [
            ["proxy_set_effective_context", 2],
            ["proxy_send_local_response", 403, 0, 0, text("no"), 0, 0, -1],
          ],
        },
      },
    },
    run: { callOuts: [{ upstream: "auth" }] },
    shows: [...SHOWS, "upstream", "client"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "=> client head 403 {}",
      '=> client body "no"',
      "=> client end",
    ],
  },
  {
    name: "to calls of proxy_on_configure come without any exchange",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [httpCall(), ["proxy_set_tick_period_milliseconds", 200]],
        },
        proxy_on_tick: {},
        proxy_on_http_call_response: {},
        proxy_on_request_headers: {},
      },
    },
    run: { callOuts: [{ upstream: "auth", delayMs: 50 }], ticks: 1 },
    shows: [...SHOWS, "proxy_on_tick"],
    lines: [
      "* the call to auth answers 200",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      "< proxy_on_http_call_response",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
    ],
  },
]);
