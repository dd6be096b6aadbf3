import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { MAX, onRequest } from "../probe.ts";

const NAME = "proxy_close_stream";
const CONTEXT = "proxy_set_effective_context";
const TICK = "proxy_set_tick_period_milliseconds";
const SHOWS = ["callbacks", "upstream", "client head", "client body", "client failure"];
const RUN = { request: { headers: [] }, upstream: { body: ["a", "b"] } };

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() breaks the exchange off when the request's headers have returned`,
    guest: onRequest([NAME, 0], [NAME, 0]),
    run: RUN,
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "proxy_close_stream(stream=Request) = Ok",
      "proxy_close_stream(stream=Request) = Ok",
      "< proxy_on_request_headers = Continue",
      '=> client head 502 {Content-Type: "application/json"}',
      '=> client body "{\\"error\\":\\"FILTER_RESET\\",\\"status\\":502,\\"reques' +
        't_id\\":\\"plugin-run\\"}\\n"',
    ],
  },
  {
    name: `${NAME}() breaks the exchange off in the response's headers`,
    guest: {
      on: { proxy_on_response_headers: { calls: [[NAME, 1]] }, proxy_on_log: {} },
    },
    run: RUN,
    shows: ["proxy_on_response_headers", "proxy_on_log", "client head", "client failure"],
    lines: [
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "proxy_close_stream(stream=Response) = Ok",
      "< proxy_on_response_headers = Continue",
      '=> client head 502 {Content-Type: "application/json"}',
      "> proxy_on_log(context=2)",
      "< proxy_on_log",
    ],
  },
  {
    name: `${NAME}() breaks a response off whose head has left`,
    guest: { on: { proxy_on_response_body: [{}, { calls: [[NAME, 1]] }], proxy_on_log: {} } },
    run: RUN,
    shows: SHOWS,
    lines: [
      '=> upstream head GET http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "=> upstream end",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=1, end_of_stream=false)",
      "< proxy_on_response_body = Continue",
      '=> client body "a"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=true)",
      "proxy_close_stream(stream=Response) = Ok",
      "< proxy_on_response_body = Continue",
      "> proxy_on_log(context=2)",
      "< proxy_on_log",
      "=> client failure Plugin plugin has reset the exchange",
    ],
  },
  {
    name: `${NAME}() ends a paused exchange from the root context`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: {
          calls: [
            [CONTEXT, 2],
            [NAME, 0],
            [TICK, 0],
          ],
        },
      },
    },
    run: RUN,
    shows: SHOWS,
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_close_stream(stream=Request) = Ok",
      "< proxy_on_tick",
      '=> client head 502 {Content-Type: "application/json"}',
      '=> client body "{\\"error\\":\\"FILTER_RESET\\",\\"status\\":502,\\"reques' +
        't_id\\":\\"plugin-run\\"}\\n"',
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing for the types of TCP`,
    guest: onRequest([NAME, 2], [NAME, 3]),
    run: RUN,
    shows: ["client head"],
    lines: [
      "proxy_close_stream(stream=Downstream) = Ok",
      "proxy_close_stream(stream=Upstream) = Ok",
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest([NAME, 4], [NAME, -1], [NAME, MAX], [NAME, 0x7fff_ffff]),
    run: RUN,
    shows: ["client head"],
    lines: [
      "proxy_close_stream(stream=4) = BadArgument",
      "proxy_close_stream(stream=-1) = BadArgument",
      "proxy_close_stream(stream=-1) = BadArgument",
      "proxy_close_stream(stream=2147483647) = BadArgument",
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() answers BadArgument where there is no exchange`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            [NAME, 0],
            [NAME, 1],
          ],
        },
        proxy_on_request_headers: {
          calls: [
            [CONTEXT, 1],
            [NAME, 0],
          ],
        },
      },
    },
    run: RUN,
    shows: ["client head"],
    lines: [
      "proxy_close_stream(stream=Request) = BadArgument",
      "proxy_close_stream(stream=Response) = BadArgument",
      "proxy_close_stream(stream=Request) = BadArgument",
      "=> client head 200 {}",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 0], `${NAME}(stream=Request)`),
]);
