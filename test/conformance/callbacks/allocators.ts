import { casesOf } from "../case.ts";
import { every } from "../every-callback.ts";
import { type Call, loaded, onRequest, out, text } from "../probe.ts";

const GET = "proxy_get_property";
const NAME: Call = [GET, text("plugin_name"), out("ptr"), out("length")];
const SAY: Call = ["proxy_log", 2, loaded("ptr"), loaded("length")];

export const conformance = casesOf("allocators", [
  {
    name: "malloc hands out memory",
    guest: { ...onRequest(NAME, SAY), allocator: { name: "malloc" } },
    shows: [GET, "log"],
    lines: ['proxy_get_property(path="plugin_name") = Ok -> value="plugin"', "log info: plugin"],
  },
  {
    name: "proxy_on_memory_allocate hands out memory",
    guest: { ...onRequest(NAME, SAY), allocator: { name: "proxy_on_memory_allocate" } },
    shows: [GET, "log"],
    lines: ['proxy_get_property(path="plugin_name") = Ok -> value="plugin"', "log info: plugin"],
  },
  {
    name: "may not be missing: the module is refused",
    guest: { ...onRequest(NAME), allocator: { answers: "none" } },
    shows: [GET],
    lines: [
      "refused: the module exports no allocator: neither proxy_on_memory_allocate nor malloc",
    ],
  },
  {
    name: "that trap end the guest's life, and the exchange fails closed",
    guest: {
      on: every({ proxy_on_request_headers: { calls: [NAME] } }),
      allocator: { answers: "trap" },
    },
    shows: ["callbacks", GET, "client"],
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      'proxy_get_property(path="plugin_name") failed: Unreachable code should not be executed',
      "< proxy_on_request_headers failed: Unreachable code should not be executed",
      '=> client head 503 {Content-Type: "application/json"}',
      '=> client body "{\\"error\\":\\"FILTER_FAILED\\",\\"status\\":503,\\"reque' +
        'st_id\\":\\"plugin-run\\"}\\n"',
      "=> client end",
    ],
  },
]);
