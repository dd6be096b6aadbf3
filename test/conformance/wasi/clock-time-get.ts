import { casesOf } from "../case.ts";
import { end, MAX, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

/** ns since 1970 at which a run begins; each look at the clock takes a microsecond. */
const START_NS = 1_767_225_600_000_000_000n;

function at(look: bigint): string {
  return `success -> time=${START_NS + look * 1000n}`;
}

export const conformance = casesOf(
  "clock_time_get",
  underBothNames((module) => {
    const time = new Prototype(
      `${module}:clock_time_get`,
      { clock: [0, "0"], precision: [1n, "1"], ptr: [out()] },
      "fault",
    );
    return [
      {
        name: "clock_time_get() knows the real and the monotonic clock, whatever the precision",
        guest: {
          on: {
            _initialize: { calls: [time.call()] },
            proxy_on_request_headers: {
              calls: [
                time.call({ clock: 1 }),
                time.call({ precision: 2n ** 63n - 1n }),
                time.call({ ptr: 8193 }),
                time.call({ ptr: end(8) }),
              ],
            },
          },
        },
        lines: [
          time.line(at(1n)),
          time.line(at(2n), { clock: "1" }),
          time.line(at(3n), { precision: "9223372036854775807" }),
          time.line(at(4n)),
          time.line(at(5n)),
        ],
      },
      {
        name: "clock_time_get() works for an allocator",
        guest: {
          allocator: { calls: [time.call()] },
          on: {
            proxy_on_request_headers: { calls: [["proxy_get_header_map_pairs", 0, out(), out()]] },
          },
        },
        lines: [time.line(at(1n))],
      },
      {
        name: "clock_time_get() does not support clocks of processors, and others there are not",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [2, 3, 4, 0x7fff_ffff, MAX].map((clock) => time.call({ clock })),
            },
          },
        },
        lines: [2, 3, 4, 0x7fff_ffff, MAX].map((clock) =>
          time.line("notSupported", { clock: String(clock) }),
        ),
      },
      time.hostileCase(),
    ];
  }),
);
