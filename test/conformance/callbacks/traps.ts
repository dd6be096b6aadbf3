import { casesOf } from "../case.ts";
import { every, WITH_BODIES } from "../every-callback.ts";

const SHOWS = ["callbacks", "upstream head", "client head", "client body", "client failure"];
const TRAP = { traps: true } as const;

export const conformance = casesOf("traps", [
  {
    name: "in the creation of an exchange's context: 503, and the guest knows nothing of it",
    guest: { on: every({ proxy_on_context_create: [{}, TRAP] }) },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create failed: Unreachable code should not be executed",
      '=> client head 503 {Content-Type: "application/json"}',
      '=> client body "{\\"error\\":\\"FILTER_FAILED\\",\\"status\\":503,\\"reque' +
        'st_id\\":\\"plugin-run\\"}\\n"',
    ],
  },
  {
    name: "in the request's headers, fail: closed: 503, and no more callbacks",
    guest: { on: every({ proxy_on_request_headers: TRAP }) },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers failed: Unreachable code should not be executed",
      '=> client head 503 {Content-Type: "application/json"}',
      '=> client body "{\\"error\\":\\"FILTER_FAILED\\",\\"status\\":503,\\"reque' +
        'st_id\\":\\"plugin-run\\"}\\n"',
    ],
  },
  {
    name: "in the request's headers, fail: open: the exchange passes without the guest",
    guest: { on: every({ proxy_on_request_headers: TRAP }) },
    run: { ...WITH_BODIES, fail: "open" },
    shows: SHOWS,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers failed: Unreachable code should not be executed",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "=> client head 200 {}",
      '=> client body "de"',
      '=> client body "f"',
    ],
  },
  {
    name: "in the response's body when the head has left: it breaks off",
    guest: { on: every({ proxy_on_response_body: TRAP }) },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body failed: Unreachable code should not be executed",
      '=> client failure proxy_on_response_body of plugin "plugin" failed: trap: ' +
        "Unreachable code should not be executed",
    ],
  },
  {
    name: "in proxy_on_log: the exchange is as it was",
    guest: { on: every({ proxy_on_log: TRAP }) },
    run: WITH_BODIES,
    shows: SHOWS,
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=false)",
      "< proxy_on_request_headers = Continue",
      '=> upstream head POST http://example.test/ {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"example.test", X-Forwarded-Port: "80"}',
      "> proxy_on_request_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_request_body = Continue",
      "> proxy_on_request_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_request_body = Continue",
      "> proxy_on_response_headers(context=2, headers=1, end_of_stream=false)",
      "< proxy_on_response_headers = Continue",
      "=> client head 200 {}",
      "> proxy_on_response_body(context=2, body=2, end_of_stream=false)",
      "< proxy_on_response_body = Continue",
      '=> client body "de"',
      "> proxy_on_response_body(context=2, body=1, end_of_stream=true)",
      "< proxy_on_response_body = Continue",
      '=> client body "f"',
      "> proxy_on_log(context=2)",
      "< proxy_on_log failed: Unreachable code should not be executed",
    ],
  },
  {
    name: "in a tick: the next one comes to a guest that is as it was configured",
    guest: {
      on: {
        proxy_on_context_create: {},
        proxy_on_configure: { calls: [["proxy_set_tick_period_milliseconds", 100]] },
        proxy_on_tick: TRAP,
      },
    },
    run: { ticks: 2, upstream: {} },
    shows: ["callbacks", "client head"],
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_configure(context=1, bytes=0)",
      "< proxy_on_configure = true",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick failed: Unreachable code should not be executed",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick failed: Unreachable code should not be executed",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "=> client head 200 {}",
    ],
  },
]);
