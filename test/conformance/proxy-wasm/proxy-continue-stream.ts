import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { MAX, onRequest } from "../probe.ts";

const NAME = "proxy_continue_stream";
const TICK = "proxy_set_tick_period_milliseconds";
const CONTEXT = "proxy_set_effective_context";
const REQUEST = { method: "POST", body: ["a", "b"], trailers: [["X-T", "1"]] } as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() has paused headers go on, and the bodies follow`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_request_body: {},
        proxy_on_tick: {
          calls: [
            [CONTEXT, 2],
            [NAME, 0],
            [NAME, 0],
            [TICK, 0],
          ],
        },
      },
    },
    run: { request: REQUEST, upstream: {} },
    shows: ["callbacks", "upstream body"],
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Request) = Ok",
      "proxy_continue_stream(stream=Request) = Ok",
      "< proxy_on_tick",
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "a"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "b"',
      "> proxy_on_request_body(context=2, body=0, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
    ],
  },
  {
    name: `${NAME}() lets go of a body that is held back`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_body: [{ answer: 1 }, { answer: 1 }],
        proxy_on_tick: [
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 0],
            ],
          },
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 0],
              [TICK, 0],
            ],
          },
        ],
      },
    },
    run: { request: { method: "POST", body: ["a", "b"] }, upstream: {} },
    shows: ["proxy_on_request_body", "proxy_on_tick", "upstream body"],
    lines: [
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      "< proxy_on_request_body = Pause",
      "> proxy_on_request_body(context=2, body=2, end_of_stream=true)",
      "< proxy_on_request_body = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Request) = Ok",
      "< proxy_on_tick",
      '=> upstream body "ab"',
    ],
  },
  {
    name: `${NAME}() has paused trailers go on, both ways`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_trailers: { answer: 1 },
        proxy_on_response_trailers: { answer: 1 },
        proxy_on_tick: [
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 0],
            ],
          },
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 1],
              [TICK, 0],
            ],
          },
        ],
      },
    },
    run: { request: REQUEST, upstream: { body: ["c"], trailers: [["X-T", "2"]] } },
    shows: [
      "proxy_on_request_trailers",
      "proxy_on_response_trailers",
      "proxy_on_tick",
      "upstream end",
      "client end",
    ],
    lines: [
      "> proxy_on_request_trailers(context=2, trailers=1)",
      "< proxy_on_request_trailers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Request) = Ok",
      "< proxy_on_tick",
      '=> upstream end {X-T: "1"}',
      "> proxy_on_response_trailers(context=2, trailers=1)",
      "< proxy_on_response_trailers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Response) = Ok",
      "< proxy_on_tick",
      '=> client end {X-T: "2"}',
    ],
  },
  {
    name: `${NAME}() of the other way does not end a pause`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: [
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 1],
            ],
          },
          {
            calls: [
              [CONTEXT, 2],
              [NAME, 0],
              [TICK, 0],
            ],
          },
        ],
      },
    },
    run: { upstream: {} },
    shows: ["proxy_on_request_headers", "proxy_on_tick", "upstream end"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Response) = Ok",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_continue_stream(stream=Request) = Ok",
      "< proxy_on_tick",
      "=> upstream end",
    ],
  },
  {
    name: `${NAME}() ends the pause that its own callback asks for`,
    guest: {
      on: {
        proxy_on_request_headers: { calls: [[NAME, 0]], answer: 1 },
        proxy_on_request_body: { calls: [[NAME, 0]], answer: 1 },
        proxy_on_request_trailers: { calls: [[NAME, 0]], answer: 1 },
        proxy_on_response_headers: { calls: [[NAME, 1]], answer: 1 },
        proxy_on_response_body: { calls: [[NAME, 1]], answer: 1 },
      },
    },
    run: { request: REQUEST, upstream: { body: ["c"] } },
    shows: ["upstream body", "upstream end", "client body", "client end"],
    lines: [
      "proxy_continue_stream(stream=Request) = Ok",
      "proxy_continue_stream(stream=Request) = Ok",
      '=> upstream body "a"',
      "proxy_continue_stream(stream=Request) = Ok",
      '=> upstream body "b"',
      "proxy_continue_stream(stream=Request) = Ok",
      '=> upstream end {X-T: "1"}',
      "proxy_continue_stream(stream=Response) = Ok",
      "proxy_continue_stream(stream=Response) = Ok",
      '=> client body "c"',
      "=> client end",
    ],
  },
  {
    name: `${NAME}() is Ok for the downstream of TCP, and knows no other types`,
    guest: onRequest([NAME, 2], [NAME, 3], [NAME, 4], [NAME, -1], [NAME, MAX], [NAME, 0x7fff_ffff]),
    lines: [
      "proxy_continue_stream(stream=Downstream) = Ok",
      "proxy_continue_stream(stream=Upstream) = BadArgument",
      "proxy_continue_stream(stream=4) = BadArgument",
      "proxy_continue_stream(stream=-1) = BadArgument",
      "proxy_continue_stream(stream=-1) = BadArgument",
      "proxy_continue_stream(stream=2147483647) = BadArgument",
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
            [NAME, 1],
          ],
        },
      },
    },
    lines: [
      "proxy_continue_stream(stream=Request) = BadArgument",
      "proxy_continue_stream(stream=Response) = BadArgument",
      "proxy_continue_stream(stream=Request) = BadArgument",
      "proxy_continue_stream(stream=Response) = BadArgument",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 0], `${NAME}(stream=Request)`),
]);
