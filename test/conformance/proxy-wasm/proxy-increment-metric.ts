import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, loaded, MAX, out, text } from "../probe.ts";

const DEFINE: readonly Call[] = [
  ["proxy_define_metric", 0, text("c"), out("counter")],
  ["proxy_define_metric", 1, text("g"), out("gauge")],
  ["proxy_define_metric", 2, text("h"), out("histogram")],
];
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

function increments(name: string, offsets: readonly bigint[]): Call[] {
  return offsets.flatMap((offset): Call[] => [
    ["proxy_increment_metric", loaded(name), offset],
    ["proxy_get_metric", loaded(name), out()],
  ]);
}

export const conformance = casesOf("proxy_increment_metric", [
  {
    name: "proxy_increment_metric() lets a counter grow only",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [...DEFINE, ...increments("counter", [1n, 5n, 0n, -1n, INT64_MIN, INT64_MAX])],
        },
      },
    },
    shows: ["proxy_get_metric"],
    lines: [
      "proxy_increment_metric(id=4, offset=1) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=1",
      "proxy_increment_metric(id=4, offset=5) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=6",
      "proxy_increment_metric(id=4, offset=0) = BadArgument",
      "proxy_get_metric(id=4) = Ok -> value=6",
      "proxy_increment_metric(id=4, offset=-1) = BadArgument",
      "proxy_get_metric(id=4) = Ok -> value=6",
      "proxy_increment_metric(id=4, offset=-9223372036854775808) = BadArgument",
      "proxy_get_metric(id=4) = Ok -> value=6",
      "proxy_increment_metric(id=4, offset=9223372036854775807) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=9223372036854775813",
    ],
  },
  {
    name: "proxy_increment_metric() moves a gauge up and down",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [...DEFINE, ...increments("gauge", [5n, -2n, 0n, -4n, INT64_MIN])],
        },
      },
    },
    shows: ["proxy_get_metric"],
    lines: [
      "proxy_increment_metric(id=9, offset=5) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=5",
      "proxy_increment_metric(id=9, offset=-2) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=3",
      "proxy_increment_metric(id=9, offset=0) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=3",
      "proxy_increment_metric(id=9, offset=-4) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=18446744073709551615",
      "proxy_increment_metric(id=9, offset=-9223372036854775808) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=9223372036854775807",
    ],
  },
  {
    name: "proxy_increment_metric() refuses a histogram",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [...DEFINE, ["proxy_increment_metric", loaded("histogram"), 1n]],
        },
      },
    },
    lines: ["proxy_increment_metric(id=14, offset=1) = BadArgument"],
  },
  {
    name: "proxy_increment_metric() keeps what is counted from one exchange's guest to the root's",
    guest: {
      on: {
        proxy_on_configure: { calls: DEFINE },
        proxy_on_request_headers: { calls: [["proxy_increment_metric", 4, 2n]] },
        proxy_on_log: { calls: increments("counter", [1n]) },
      },
    },
    run: { instances: "per_request" },
    shows: ["proxy_get_metric"],
    lines: [
      "proxy_increment_metric(id=4, offset=2) = Ok",
      "proxy_increment_metric(id=4, offset=1) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=3",
    ],
  },
  {
    name: "proxy_increment_metric() does not find what has not been defined",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...[0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map((id): Call => [
              "proxy_increment_metric",
              id,
              1n,
            ]),
          ],
        },
      },
    },
    lines: [0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map(
      (id) => `proxy_increment_metric(id=${id}, offset=1) = NotFound`,
    ),
  },
  ...refusedOutsideOfContexts(
    ["proxy_increment_metric", 4, 1n],
    "proxy_increment_metric(id=4, offset=1)",
  ),
]);
