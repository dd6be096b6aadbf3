import { casesOf } from "../case.ts";
import { end, MAX, onRequest, out, text } from "../probe.ts";

export const conformance = casesOf("proxy_get_log_level", [
  {
    name: "proxy_get_log_level() writes the lowest level that is written, up to the end of memory",
    guest: onRequest(["proxy_get_log_level", out()], ["proxy_get_log_level", end(4)]),
    lines: [
      "proxy_get_log_level() = Ok -> level=trace",
      "proxy_get_log_level() = Ok -> level=trace",
    ],
  },
  {
    name: "proxy_get_log_level() works while a module is initialized, and for its allocator",
    guest: {
      startSection: { calls: [["proxy_get_log_level", out()]] },
      allocator: { calls: [["proxy_get_log_level", out()]] },
      on: {
        _initialize: { calls: [["proxy_get_log_level", out()]] },
        proxy_on_request_headers: {
          calls: [["proxy_get_property", text("plugin_name"), out(), out()]],
        },
      },
    },
    lines: [
      "proxy_get_log_level() = Ok -> level=trace",
      "proxy_get_log_level() = Ok -> level=trace",
      "proxy_get_log_level() = Ok -> level=trace",
    ],
  },
  {
    name: "proxy_get_log_level() refuses addresses that are not within memory",
    guest: onRequest(
      ["proxy_get_log_level", end(3)],
      ["proxy_get_log_level", end()],
      ["proxy_get_log_level", MAX],
      ["proxy_get_log_level", 0x8000_0000],
    ),
    lines: [
      "proxy_get_log_level() = InvalidMemoryAccess",
      "proxy_get_log_level() = InvalidMemoryAccess",
      "proxy_get_log_level() = InvalidMemoryAccess",
      "proxy_get_log_level() = InvalidMemoryAccess",
    ],
  },
]);
