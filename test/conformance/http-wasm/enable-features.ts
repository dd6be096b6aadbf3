import { casesOf } from "../case.ts";
import { BUF, handling, initializing } from "../handlers.ts";
import { type Call, MAX } from "../probe.ts";

const enable = (...features: number[]): Call[] => features.map((each) => ["enable_features", each]);
const READ: Call = ["read_body", 0, BUF, 64];

export const conformance = casesOf("enable_features", [
  {
    name: "enable_features() tells at the start what is enabled, for all exchanges",
    guest: initializing(enable(1, 2), enable(0)),
    lines: [
      "enable_features(features=1) = 1",
      "enable_features(features=2) = 3",
      "enable_features(features=1) = 3",
      "enable_features(features=2) = 3",
      "enable_features(features=0) = 3",
    ],
  },
  {
    name: "enable_features() leaves bits clear that it does not know",
    guest: initializing(enable(8, 0x8000_0000, MAX)),
    lines: [
      "enable_features(features=8) = 0",
      "enable_features(features=2147483648) = 0",
      "enable_features(features=4294967295) = 7",
      "enable_features(features=8) = 7",
      "enable_features(features=2147483648) = 7",
      "enable_features(features=4294967295) = 7",
    ],
  },
  {
    name: "enable_features() enables in handle_request for that exchange, and nothing later",
    guest: handling(enable(1, 2), enable(7, 0)),
    lines: [
      "enable_features(features=1) = 1",
      "enable_features(features=2) = 3",
      "enable_features(features=7) = 3",
      "enable_features(features=0) = 3",
    ],
  },
  {
    name: "enable_features() has no trailers for a request that was not waited for",
    guest: handling(enable(4, 7)),
    lines: ["enable_features(features=4) = 0", "enable_features(features=7) = 3"],
  },
  {
    name: "enable_features() has trailers for one that was",
    guest: handling([READ, ...enable(4, 7)]),
    lines: ["enable_features(features=4) = 4", "enable_features(features=7) = 7"],
  },
]);
