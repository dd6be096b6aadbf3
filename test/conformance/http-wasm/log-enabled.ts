import { casesOf } from "../case.ts";
import { handling, initializing } from "../handlers.ts";
import type { Call } from "../probe.ts";

const ask = (...levels: number[]): Call[] => levels.map((level) => ["log_enabled", level]);

export const conformance = casesOf("log_enabled", [
  {
    name: "log_enabled() knows debug, info, warn and error, and that none is never enabled",
    guest: handling(ask(-1, 0, 1, 2, 3)),
    lines: [
      "log_enabled(level=debug) = true",
      "log_enabled(level=info) = true",
      "log_enabled(level=warn) = true",
      "log_enabled(level=error) = true",
      "log_enabled(level=none) = false",
    ],
  },
  {
    name: "log_enabled() does not enable levels that there are not",
    guest: handling(ask(4, -2, 0x7fff_ffff, 0x8000_0000)),
    lines: [
      "log_enabled(level=4) = false",
      "log_enabled(level=-2) = false",
      "log_enabled(level=2147483647) = false",
      "log_enabled(level=-2147483648) = false",
    ],
  },
  {
    name: "log_enabled() answers while a guest is started",
    guest: initializing(ask(0)),
    lines: ["log_enabled(level=info) = true", "log_enabled(level=info) = true"],
  },
]);
