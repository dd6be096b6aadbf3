import { casesOf, refusedOutsideOfContexts } from "../case.ts";

const NAME = "proxy_continue_request";
const TICK = "proxy_set_tick_period_milliseconds";
const CONTEXT = "proxy_set_effective_context";
const RUN = { upstream: { body: ["answered"] } };

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() has a paused request go on, when the callback has returned`,
    guest: {
      abi: "0.1.0",
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: { calls: [[CONTEXT, 2], [NAME], [NAME], [TICK, 0]] },
      },
    },
    run: RUN,
    shows: ["callbacks", "upstream head", "client head"],
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "proxy_continue_request() = Ok",
      "proxy_continue_request() = Ok",
      "< proxy_on_tick",
      '=> upstream head GET http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() ends the pause that its own callback asks for`,
    guest: { abi: "0.1.0", on: { proxy_on_request_headers: { calls: [[NAME]], answer: 1 } } },
    run: RUN,
    shows: ["proxy_on_request_headers", "upstream head", "client head"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "proxy_continue_request() = Ok",
      "< proxy_on_request_headers = Pause",
      '=> upstream head GET http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "=> client head 200 {}",
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing when nothing is paused, and for the log`,
    guest: {
      abi: "0.2.1",
      on: {
        proxy_on_request_headers: { calls: [[NAME]] },
        proxy_on_response_headers: { calls: [[NAME]] },
        proxy_on_log: { calls: [[NAME]] },
      },
    },
    run: RUN,
    shows: ["upstream head", "client head"],
    lines: [
      "proxy_continue_request() = Ok",
      '=> upstream head GET http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "proxy_continue_request() = Ok",
      "=> client head 200 {}",
      "proxy_continue_request() = Ok",
    ],
  },
  {
    name: `${NAME}() answers BadArgument where there is no exchange`,
    guest: {
      abi: "0.1.0",
      on: {
        proxy_on_vm_start: { calls: [[NAME]] },
        proxy_on_configure: { calls: [[NAME]] },
        proxy_on_request_headers: { calls: [[CONTEXT, 1], [NAME]] },
      },
    },
    lines: [
      "proxy_continue_request() = BadArgument",
      "proxy_continue_request() = BadArgument",
      "proxy_continue_request() = BadArgument",
    ],
  },
  ...refusedOutsideOfContexts([NAME], `${NAME}()`),
]);
