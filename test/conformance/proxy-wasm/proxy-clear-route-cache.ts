import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { text } from "../probe.ts";

const NAME = "proxy_clear_route_cache";

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() is Ok wherever it is called, and the exchange goes on`,
    guest: {
      abi: "0.1.0",
      on: {
        proxy_on_configure: { calls: [[NAME]] },
        proxy_on_request_headers: {
          calls: [
            ["proxy_replace_header_map_value", 0, text(":path"), text("/new")],
            [NAME],
            [NAME],
          ],
        },
        proxy_on_response_headers: { calls: [[NAME]] },
        proxy_on_log: { calls: [[NAME]] },
      },
    },
    run: { request: { url: "http://a.test/" }, upstream: {} },
    shows: ["upstream head", "client head"],
    lines: [
      "proxy_clear_route_cache() = Ok",
      "proxy_clear_route_cache() = Ok",
      "proxy_clear_route_cache() = Ok",
      '=> upstream head GET http://a.test/new {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"a.test", X-Forwarded-Port: "80"}',
      "proxy_clear_route_cache() = Ok",
      "=> client head 200 {}",
      "proxy_clear_route_cache() = Ok",
    ],
  },
  {
    name: `${NAME}() is there for the later versions, too`,
    guest: { abi: "0.2.1", on: { proxy_on_request_headers: { calls: [[NAME]] } } },
    lines: ["proxy_clear_route_cache() = Ok"],
  },
  ...refusedOutsideOfContexts([NAME], `${NAME}()`),
]);
