import { casesOf } from "../case.ts";
import { MAX } from "../probe.ts";
import { underBothNames } from "../wasi-names.ts";

export const conformance = casesOf(
  "args_get",
  underBothNames((module) => [
    {
      name: "args_get() has nothing to write, wherever it would be",
      guest: {
        startSection: { calls: [[`${module}:args_get`, 8192, 8200]] },
        on: {
          proxy_on_request_headers: {
            calls: [
              [`${module}:args_get`, 8192, 8200],
              [`${module}:args_get`, MAX, MAX],
              ["proxy_log", 2, 8192, 16],
            ],
          },
        },
      },
      shows: ["proxy_log"],
      lines: [
        "args_get() = success",
        "args_get() = success",
        "args_get() = success",
        `proxy_log(level=info, message="${"\\x00".repeat(16)}") = Ok`,
      ],
    },
  ]),
);
