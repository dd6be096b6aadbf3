import { casesOf } from "../case.ts";
import { end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_get_current_time_nanoseconds";

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() writes a u64 that grows, to any address`,
    guest: onRequest([NAME, out()], [NAME, 1001], [NAME, end(8)], [NAME, 0]),
    run: { startMs: 1_234_567_890_123 },
    lines: [
      "proxy_get_current_time_nanoseconds() = Ok -> time=1234567890123001000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1234567890123002000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1234567890123003000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1234567890123004000",
    ],
  },
  {
    name: `${NAME}() works while a module is initialized, and for its allocator`,
    guest: {
      startSection: { calls: [[NAME, out()]] },
      allocator: { calls: [[NAME, out()]] },
      on: {
        _initialize: { calls: [[NAME, out()]] },
        proxy_on_request_headers: {
          calls: [["proxy_get_property", text("plugin_name"), out(), out()]],
        },
      },
    },
    run: { startMs: 0 },
    lines: [
      "proxy_get_current_time_nanoseconds() = Ok -> time=1000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=2000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=3000",
    ],
  },
  {
    name: `${NAME}() refuses addresses that are not within memory`,
    guest: onRequest([NAME, end(7)], [NAME, end()], [NAME, MAX], [NAME, 0x8000_0000]),
    lines: [
      "proxy_get_current_time_nanoseconds() = InvalidMemoryAccess",
      "proxy_get_current_time_nanoseconds() = InvalidMemoryAccess",
      "proxy_get_current_time_nanoseconds() = InvalidMemoryAccess",
      "proxy_get_current_time_nanoseconds() = InvalidMemoryAccess",
    ],
  },
]);
