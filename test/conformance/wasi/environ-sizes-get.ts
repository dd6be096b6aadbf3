import { casesOf } from "../case.ts";
import { out } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "environ_sizes_get",
  underBothNames((module) => {
    const sizes = new Prototype(
      `${module}:environ_sizes_get`,
      { count: [out()], bytes: [out()] },
      "fault",
    );
    const guest = {
      startSection: { calls: [sizes.call()] },
      on: { proxy_on_request_headers: { calls: [sizes.call()] } },
    };
    return [
      {
        name: "environ_sizes_get() tells of no variable of the process",
        guest,
        lines: Array<string>(2).fill(sizes.line("success -> count=0, bytes=0")),
      },
      {
        name: "environ_sizes_get() counts what is granted in bytes, with a NUL behind each",
        guest,
        run: { allow: { env: { A: "1", CITY: "Köln" } } },
        lines: Array<string>(2).fill(sizes.line("success -> count=2, bytes=15")),
      },
      sizes.hostileCase({ allow: { env: { A: "1" } } }),
    ];
  }),
);
