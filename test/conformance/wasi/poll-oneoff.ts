import { casesOf } from "../case.ts";
import { MAX, out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "poll_oneoff",
  underBothNames((module) => {
    const poll = new Prototype(
      `${module}:poll_oneoff`,
      { in: [0], out: [0], count: [1, "1"], events: [out()] },
      "fault",
    );
    return [
      {
        name: "poll_oneoff() answers at once that nothing has happened, whatever is waited for",
        guest: {
          startSection: { calls: [poll.call()] },
          allocator: { calls: [poll.call()] },
          on: {
            proxy_on_request_headers: {
              calls: [
                poll.call({ count: 0 }),
                poll.call({ in: MAX, out: MAX, count: MAX }),
                ["proxy_get_header_map_pairs", 0, out(), out()],
              ],
            },
          },
        },
        lines: [
          poll.line("success -> events=0"),
          poll.line("success -> events=0", { count: "0" }),
          poll.line("success -> events=0", { count: "4294967295" }),
          poll.line("success -> events=0"),
        ],
      },
      poll.hostileCase(),
    ];
  }),
);
