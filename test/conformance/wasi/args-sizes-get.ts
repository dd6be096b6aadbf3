import { casesOf } from "../case.ts";
import { out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "args_sizes_get",
  underBothNames((module) => {
    const sizes = new Prototype(
      `${module}:args_sizes_get`,
      { count: [out()], bytes: [out()] },
      "fault",
    );
    return [
      {
        name: "args_sizes_get() tells of no arguments, also while a module is initialized",
        guest: {
          startSection: { calls: [sizes.call()] },
          on: {
            _initialize: { calls: [sizes.call()] },
            proxy_on_request_headers: { calls: [sizes.call()] },
          },
        },
        lines: Array<string>(3).fill(sizes.line("success -> count=0, bytes=0")),
      },
      sizes.hostileCase(),
    ];
  }),
);
