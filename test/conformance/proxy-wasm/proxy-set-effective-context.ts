import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_set_effective_context";
const VALUE = "proxy_get_header_map_value";
const TICK = "proxy_set_tick_period_milliseconds";
const PATH = [VALUE, 0, text(":path"), out(), out()] as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() makes an exchange's context that of the root's callback, and back`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[TICK, 100]] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: {
          calls: [
            PATH,
            [NAME, 2],
            PATH,
            [NAME, 1],
            PATH,
            [NAME, 2],
            ["proxy_continue_stream", 0],
            [TICK, 0],
          ],
        },
      },
    },
    shows: [VALUE, "proxy_continue_stream"],
    lines: [
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = NotFound',
      "proxy_set_effective_context(context=2) = Ok",
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = Ok -> value="/"',
      "proxy_set_effective_context(context=1) = Ok",
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = NotFound',
      "proxy_set_effective_context(context=2) = Ok",
      "proxy_continue_stream(stream=Request) = Ok",
    ],
  },
  {
    name: `${NAME}() lasts until the callback ends`,
    guest: {
      on: {
        proxy_on_request_headers: { calls: [[NAME, 1], PATH] },
        proxy_on_response_headers: { calls: [PATH] },
      },
    },
    shows: [VALUE],
    lines: [
      "proxy_set_effective_context(context=1) = Ok",
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = Ok -> value="/"',
    ],
  },
  {
    name: `${NAME}() stays what it was when there is no such context`,
    guest: onRequest([NAME, 0], [NAME, 3], [NAME, -1], [NAME, MAX], [NAME, 0x8000_0001], PATH),
    shows: [VALUE],
    lines: [
      "proxy_set_effective_context(context=0) = BadArgument",
      "proxy_set_effective_context(context=3) = BadArgument",
      "proxy_set_effective_context(context=4294967295) = BadArgument",
      "proxy_set_effective_context(context=4294967295) = BadArgument",
      "proxy_set_effective_context(context=2147483649) = BadArgument",
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = Ok -> value="/"',
    ],
  },
  {
    name: `${NAME}() knows an exchange from its creation to its end, and not any more then`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            [TICK, 100],
            [NAME, 1],
            [NAME, 2],
          ],
        },
        proxy_on_context_create: { calls: [[NAME, 2]] },
        proxy_on_delete: { calls: [[NAME, 2]] },
        proxy_on_tick: {
          calls: [
            [NAME, 2],
            [NAME, 1],
          ],
        },
      },
    },
    run: { ticksAfter: 1 },
    shows: ["proxy_on_context_create", "proxy_on_tick", "proxy_on_delete"],
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "proxy_set_effective_context(context=2) = BadArgument",
      "< proxy_on_context_create",
      "proxy_set_effective_context(context=1) = Ok",
      "proxy_set_effective_context(context=2) = BadArgument",
      "> proxy_on_context_create(context=2, parent=1)",
      "proxy_set_effective_context(context=2) = Ok",
      "< proxy_on_context_create",
      "> proxy_on_delete(context=2)",
      "proxy_set_effective_context(context=2) = Ok",
      "< proxy_on_delete",
      "> proxy_on_tick(context=1)",
      "proxy_set_effective_context(context=2) = BadArgument",
      "proxy_set_effective_context(context=1) = Ok",
      "< proxy_on_tick",
      "> proxy_on_delete(context=1)",
      "proxy_set_effective_context(context=2) = BadArgument",
      "< proxy_on_delete",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 1], `${NAME}(context=1)`),
]);
