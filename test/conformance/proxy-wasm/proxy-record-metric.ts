import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, loaded, MAX, out, text } from "../probe.ts";

const DEFINE: readonly Call[] = [
  ["proxy_define_metric", 0, text("c"), out("counter")],
  ["proxy_define_metric", 1, text("g"), out("gauge")],
  ["proxy_define_metric", 2, text("h"), out("histogram")],
];
const UINT64_MAX = 2n ** 64n - 1n;

function records(name: string, values: readonly bigint[]): Call[] {
  return values.flatMap((value): Call[] => [
    ["proxy_record_metric", loaded(name), value],
    ["proxy_get_metric", loaded(name), out()],
  ]);
}

export const conformance = casesOf("proxy_record_metric", [
  {
    name: "proxy_record_metric() adds to a counter, and sets a gauge",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...records("counter", [3n, 0n, 4n]),
            ...records("gauge", [3n, 0n, 4n, UINT64_MAX]),
          ],
        },
      },
    },
    shows: ["proxy_get_metric"],
    lines: [
      "proxy_record_metric(id=4, value=3) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=3",
      "proxy_record_metric(id=4, value=0) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=3",
      "proxy_record_metric(id=4, value=4) = Ok",
      "proxy_get_metric(id=4) = Ok -> value=7",
      "proxy_record_metric(id=9, value=3) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=3",
      "proxy_record_metric(id=9, value=0) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=0",
      "proxy_record_metric(id=9, value=4) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=4",
      "proxy_record_metric(id=9, value=18446744073709551615) = Ok",
      "proxy_get_metric(id=9) = Ok -> value=18446744073709551615",
    ],
  },
  {
    name: "proxy_record_metric() takes any value for a histogram",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...[0n, 1n, UINT64_MAX].map((value): Call => [
              "proxy_record_metric",
              loaded("histogram"),
              value,
            ]),
          ],
        },
      },
    },
    lines: [
      "proxy_record_metric(id=14, value=0) = Ok",
      "proxy_record_metric(id=14, value=1) = Ok",
      "proxy_record_metric(id=14, value=18446744073709551615) = Ok",
    ],
  },
  {
    name: "proxy_record_metric() does not find what has not been defined",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...[0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map((id): Call => [
              "proxy_record_metric",
              id,
              1n,
            ]),
          ],
        },
      },
    },
    lines: [0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map(
      (id) => `proxy_record_metric(id=${id}, value=1) = NotFound`,
    ),
  },
  ...refusedOutsideOfContexts(["proxy_record_metric", 4, 1n], "proxy_record_metric(id=4, value=1)"),
]);
