import { type Case, casesOf } from "../case.ts";
import { every, WITH_BODIES } from "../every-callback.ts";
import type { Step } from "../probe.ts";

const TICK = "proxy_set_tick_period_milliseconds";
const CONTEXT = "proxy_set_effective_context";
const RESUME = "proxy_continue_stream";
const SHOWS = [
  "proxy_on_request_headers",
  "proxy_on_request_body",
  "proxy_on_request_trailers",
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_tick",
  "upstream head",
  "upstream body",
  "upstream end",
  "client head",
  "client body",
  "client end",
];
const TICKING = { calls: [[TICK, 100]] } as const;
/** Resumes the request, or with 1 the response, 100 ms later. */
const resuming = (stream: number): Step => ({
  calls: [
    [CONTEXT, 2],
    [RESUME, stream],
    [TICK, 0],
  ],
});

/** Envoy's answers: ContinueAndEndStream, StopAllIteration with and without a buffer, and none. */
const stronger = [2, 3, 4, 255].map((answer): Case => ({
  name: `answer ${answer} of headers holds all, also where a pause lets bodies through`,
  guest: {
    on: {
      proxy_on_configure: TICKING,
      proxy_on_tick: resuming(0),
      proxy_on_request_headers: { answer },
      proxy_on_request_body: {},
    },
  },
  run: { ...WITH_BODIES, pause: "stream" },
  shows: ["proxy_on_request_headers", "proxy_on_request_body", "proxy_on_tick"],
  lines: [
    "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
    `< proxy_on_request_headers = ${answer}`,
    "> proxy_on_tick(context=1)",
    "< proxy_on_tick",
    "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
    "< proxy_on_request_body = Continue",
    "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
    "< proxy_on_request_body = Continue",
  ],
}));

export const conformance = casesOf("pauses", [
  {
    name: "of the request's headers hold the whole request",
    guest: {
      on: every({
        proxy_on_configure: TICKING,
        proxy_on_tick: resuming(0),
        proxy_on_request_headers: { answer: 1 },
      }),
    },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "ab"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "c"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Continue",
      '=> client body "de"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "of the request's headers let the body come under pause: stream, and go with its end",
    guest: {
      on: every({
        proxy_on_request_headers: { answer: 1 },
        proxy_on_request_body: [{ answer: 1 }, {}],
      }),
    },
    run: { ...WITH_BODIES, pause: "stream" },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Pause",
      "> proxy_on_request_body(context=2, body=3, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      '=> upstream body "abc"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Continue",
      '=> client body "de"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "of the response's headers hold the whole response",
    guest: {
      on: every({
        proxy_on_configure: TICKING,
        proxy_on_tick: resuming(1),
        proxy_on_response_headers: { answer: 1 },
      }),
    },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "ab"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "c"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Continue",
      '=> client body "de"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "f"',
      "=> client end",
    ],
  },
  {
    name: "of the response's headers let the body come under pause: stream",
    guest: {
      on: every({
        proxy_on_response_headers: { answer: 1 },
        proxy_on_response_body: [{ answer: 1 }, {}],
      }),
    },
    run: { ...WITH_BODIES, pause: "stream" },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "ab"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "c"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Pause",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Pause",
      "> proxy_on_response_body(context=2, body=3, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      "=> client head 200 {}",
      '=> client body "def"',
      "=> client end",
    ],
  },
  {
    name: "of headers without a body wait for proxy_continue_stream under pause: stream, too",
    guest: {
      on: every({
        proxy_on_configure: TICKING,
        proxy_on_tick: resuming(0),
        proxy_on_request_headers: { answer: 1 },
      }),
    },
    run: { request: {}, upstream: {}, pause: "stream" },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      '=> upstream head GET http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=true)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "=> client end",
    ],
  },
  ...stronger,
  {
    name: "of bodies keep their bytes for the next callback",
    guest: {
      on: every({
        proxy_on_request_body: [{ answer: 1 }, {}],
        proxy_on_response_body: [{ answer: 3 }, {}],
      }),
    },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Pause",
      "> proxy_on_request_body(context=2, body=3, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "abc"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = 3",
      "> proxy_on_response_body(context=2, body=3, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "def"',
      "=> client end",
    ],
  },
  {
    name: "of a body's end wait for proxy_continue_stream",
    guest: {
      on: every({
        proxy_on_configure: TICKING,
        proxy_on_tick: resuming(1),
        proxy_on_response_body: { answer: 1 },
      }),
    },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "ab"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "c"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Pause",
      "> proxy_on_response_body(context=2, body=3, end_of_stream=true)",
      "< proxy_on_response_body = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      '=> client body "def"',
      "=> client end",
    ],
  },
  {
    name: "of trailers wait for proxy_continue_stream",
    guest: {
      on: every({
        proxy_on_configure: TICKING,
        proxy_on_tick: resuming(0),
        proxy_on_request_trailers: { answer: 1 },
      }),
    },
    run: { request: { method: "POST", body: ["a"], trailers: [["X-T", "1"]] }, upstream: {} },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "a"',
      "> proxy_on_request_trailers(context=2, trailers=1)",
      "< proxy_on_request_trailers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      '=> upstream end {X-T: "1"}',
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=true)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "=> client end",
    ],
  },
  {
    name: "of more request body than may be held are answered with 413",
    guest: { on: every({ proxy_on_request_body: { answer: 1 } }) },
    run: { ...WITH_BODIES, filterBufferBytes: 2 },
    shows: SHOWS,
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Pause",
      "> proxy_on_response_headers(context=2, headers=2, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      '=> client head 413 {Content-Type: "application/json"}',
      "> proxy_on_response_body(context=2, body=78, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "{\\"error\\":\\"FILTER_REQUEST_BUFFER_FULL\\",\\"status\\":' +
        '413,\\"request_id\\":\\"plugin-run\\"}\\n"',
      "=> client end",
    ],
  },
  {
    name: "of more response body than may be held break the response off",
    guest: { on: every({ proxy_on_response_body: { answer: 1 } }) },
    run: { ...WITH_BODIES, filterBufferBytes: 2 },
    shows: [...SHOWS, "client failure"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "ab"',
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      '=> upstream body "c"',
      "=> upstream end",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Pause",
      "=> client failure Cannot hold 3 body bytes for paused plugin plugin: the limit " +
        "is 2 (limits.filter_buffer)",
    ],
  },
]);
