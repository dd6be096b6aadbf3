import { casesOf } from "../case.ts";
import { end, MAX, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

/** A stream without flags, and with one right: to be written. */
const STAT = `proxy_log(level=info, message="${"\\x00".repeat(8)}@${"\\x00".repeat(15)}") = Ok`;

export const conformance = casesOf(
  "fd_fdstat_get",
  underBothNames((module) => {
    const stat = new Prototype(`${module}:fd_fdstat_get`, { fd: [1, "1"], stat: [out()] }, "fault");
    return [
      {
        name: "fd_fdstat_get() tells of two streams that can be written, in 24 bytes",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [
                stat.call({ stat: 8192 }),
                ["proxy_log", 2, 8192, 24],
                stat.call({ fd: 2, stat: 8192 }),
                ["proxy_log", 2, 8192, 24],
                stat.call({ stat: end(24) }),
              ],
            },
          },
        },
        shows: ["proxy_log"],
        lines: [
          "fd_fdstat_get(fd=1) = success",
          STAT,
          "fd_fdstat_get(fd=2) = success",
          STAT,
          "fd_fdstat_get(fd=1) = success",
        ],
      },
      {
        name: "fd_fdstat_get() knows two descriptors",
        guest: {
          startSection: { calls: [stat.call({ fd: 0 })] },
          on: {
            proxy_on_request_headers: {
              calls: [3, 0x7fff_ffff, MAX].map((fd) => stat.call({ fd })),
            },
          },
        },
        lines: [0, 3, 0x7fff_ffff, MAX].map((fd) => stat.line("badDescriptor", { fd: String(fd) })),
      },
      {
        name: "fd_fdstat_get() answers fault where 24 bytes do not fit",
        guest: {
          on: {
            proxy_on_request_headers: {
              calls: [end(23), end(), 0x8000_0000, MAX - 23, MAX].map((ptr) =>
                stat.call({ stat: ptr }),
              ),
            },
          },
        },
        lines: Array<string>(5).fill(stat.line("fault")),
      },
    ];
  }),
);
