import { casesOf } from "../case.ts";
import { MAX, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "clock_res_get",
  underBothNames((module) => {
    const resolution = new Prototype(
      `${module}:clock_res_get`,
      { clock: [0, "0"], ptr: [out()] },
      "fault",
    );
    return [
      {
        name: "clock_res_get() tells of microseconds of the real and the monotonic clock",
        guest: {
          startSection: { calls: [resolution.call()] },
          on: {
            proxy_on_request_headers: { calls: [resolution.call(), resolution.call({ clock: 1 })] },
          },
        },
        lines: [
          resolution.line("success -> resolution=1000"),
          resolution.line("success -> resolution=1000"),
          resolution.line("success -> resolution=1000", { clock: "1" }),
        ],
      },
      {
        name: "clock_res_get() does not support clocks of processors, and others there are not",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [2, 3, 4, 0x7fff_ffff, MAX].map((clock) => resolution.call({ clock })),
            },
          },
        },
        lines: [2, 3, 4, 0x7fff_ffff, MAX].map((clock) =>
          resolution.line("notSupported", { clock: String(clock) }),
        ),
      },
      resolution.hostileCase(),
    ];
  }),
);
