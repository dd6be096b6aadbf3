import { casesOf } from "../case.ts";
import { type Call, out, pairs, type Step, text } from "../probe.ts";

const NAME = "proxy_send_local_response";
const CONTEXT = "proxy_set_effective_context";
const TICK = "proxy_set_tick_period_milliseconds";
const AUTH: Call = [
  "proxy_http_call",
  text("auth"),
  pairs([":method", "GET"], [":path", "/"], [":authority", "auth"]),
  0,
  0,
  0,
  0,
  1000,
  out(),
];
const reply = (status: number, body: string): Call => [
  NAME,
  status,
  text("why"),
  text(body),
  pairs(["X-By", "guest"]),
  -1,
];
const REPLY: Step = { calls: [reply(403, "no")] };
const RUN = {
  request: { method: "POST", body: ["a", "b"], trailers: [["X-T", "1"]] },
  upstream: { body: ["c", "d"], trailers: [["X-T", "2"]] },
} as const;
const CLIENT = ["callbacks", "client head", "client body", "client failure"];

/** The phases in which a guest can answer. */
export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() answers from the request's headers: nothing reaches the upstream`,
    guest: { on: { proxy_on_request_headers: REPLY, proxy_on_request_body: {} } },
    run: RUN,
    shows: [...CLIENT, "upstream"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_request_headers = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers from the request's body`,
    guest: { on: { proxy_on_request_body: REPLY, proxy_on_request_trailers: {} } },
    run: RUN,
    shows: CLIENT,
    lines: [
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_request_body = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers from the request's trailers`,
    guest: { on: { proxy_on_request_trailers: REPLY } },
    run: RUN,
    shows: CLIENT,
    lines: [
      "> proxy_on_request_trailers(context=2, trailers=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_request_trailers = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers in the place of the response from its headers`,
    guest: { on: { proxy_on_response_headers: [REPLY, {}], proxy_on_response_body: {} } },
    run: RUN,
    shows: CLIENT,
    lines: [
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_headers = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers from the response's body while the head is held back`,
    guest: {
      on: { proxy_on_response_headers: { answer: 1 }, proxy_on_response_body: REPLY },
    },
    run: { ...RUN, pause: "stream" },
    shows: CLIENT,
    lines: [
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Pause",
      "> proxy_on_response_body(context=2, body=1, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_body = Continue",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers from a tick while the response's head is held back`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_response_headers: { answer: 1 },
        proxy_on_tick: { calls: [[CONTEXT, 2], reply(403, "no"), [TICK, 0]] },
      },
    },
    run: RUN,
    shows: CLIENT,
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Pause",
      "> proxy_on_tick(context=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_tick",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() comes too late for a response whose head has left: Ok, and one warning`,
    guest: { on: { proxy_on_response_body: REPLY, proxy_on_response_trailers: REPLY } },
    run: RUN,
    shows: [...CLIENT, "log"],
    lines: [
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=1, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_body = Continue",
      "log warn: proxy_send_local_response has no effect: there is a reply already, " +
        "or the response was sent",
      '=> client body "c"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=false)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_body = Continue",
      '=> client body "d"',
      "> proxy_on_response_trailers(context=2, trailers=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_response_trailers = Continue",
    ],
  },
  {
    name: `${NAME}() answers an exchange that waits for a call-out, when that is answered`,
    guest: {
      on: {
        proxy_on_request_headers: { calls: [AUTH], answer: 1 },
        proxy_on_http_call_response: { calls: [[CONTEXT, 2], reply(403, "no")] },
      },
    },
    run: { callOuts: [{ upstream: "auth", status: 401 }] },
    shows: CLIENT,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=0, trailers=0)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_http_call_response",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() answers an exchange that waits, from a tick`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: { calls: [[CONTEXT, 2], reply(403, "no"), [TICK, 0]] },
      },
    },
    shows: CLIENT,
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_tick",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
  {
    name: `${NAME}() has no effect when the exchange has ended`,
    guest: { on: { proxy_on_log: REPLY, proxy_on_done: REPLY, proxy_on_delete: REPLY } },
    run: { upstream: {} },
    shows: [...CLIENT, "log"],
    lines: [
      "=> client head 200 {}",
      "> proxy_on_log(context=2)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_log",
      "log warn: proxy_send_local_response has no effect: there is a reply already, " +
        "or the response was sent",
      "> proxy_on_done(context=2)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_done = true",
      "> proxy_on_delete(context=2)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_delete",
      "> proxy_on_done(context=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      "< proxy_on_done = true",
      "> proxy_on_delete(context=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = BadArgument',
      "< proxy_on_delete",
    ],
  },
  {
    name: `${NAME}() answers from the creation of the context`,
    guest: { on: { proxy_on_context_create: [{}, REPLY], proxy_on_request_headers: {} } },
    shows: CLIENT,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      'proxy_send_local_response(status=403, details="why", body="no", headers={X-By: ' +
        '"guest"}, grpc_status=-1) = Ok',
      "< proxy_on_context_create",
      '=> client head 403 {X-By: "guest"}',
      '=> client body "no"',
    ],
  },
]);
