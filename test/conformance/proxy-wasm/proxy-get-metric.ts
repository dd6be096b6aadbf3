import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, loaded, MAX, out, text } from "../probe.ts";

const DEFINE: readonly Call[] = [
  ["proxy_define_metric", 0, text("c"), out("counter")],
  ["proxy_define_metric", 2, text("h"), out("histogram")],
];

export const conformance = casesOf("proxy_get_metric", [
  {
    name: "proxy_get_metric() gives 0 at first, then what has been counted in all contexts",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ["proxy_get_metric", loaded("counter"), out()],
            ["proxy_increment_metric", loaded("counter"), 0x1_0000_0000n],
          ],
        },
        proxy_on_request_headers: {
          calls: [["proxy_get_metric", loaded("counter"), out()]],
        },
      },
    },
    lines: [
      "proxy_get_metric(id=4) = Ok -> value=0",
      "proxy_get_metric(id=4) = Ok -> value=4294967296",
    ],
  },
  {
    name: "proxy_get_metric() writes eight bytes to any address, the last of memory among them",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ["proxy_increment_metric", loaded("counter"), 7n],
            ["proxy_get_metric", loaded("counter"), 8193],
            ["proxy_get_metric", loaded("counter"), end(8)],
          ],
        },
      },
    },
    lines: ["proxy_get_metric(id=4) = Ok -> value=7", "proxy_get_metric(id=4) = Ok -> value=7"],
  },
  {
    name: "proxy_get_metric() refuses a histogram, which has no one value",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [...DEFINE, ["proxy_get_metric", loaded("histogram"), out()]],
        },
      },
    },
    lines: ["proxy_get_metric(id=10) = BadArgument"],
  },
  {
    name: "proxy_get_metric() does not find what has not been defined",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...[0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map((id): Call => [
              "proxy_get_metric",
              id,
              out(),
            ]),
          ],
        },
      },
    },
    lines: [0, 5, 8, 0x7fff_ffff, 0x8000_0004, MAX].map(
      (id) => `proxy_get_metric(id=${id}) = NotFound`,
    ),
  },
  {
    name: "proxy_get_metric() refuses addresses that eight bytes do not fit behind",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            ...DEFINE,
            ...[end(7), end(), 0x8000_0000, MAX - 7, MAX].map((ptr): Call => [
              "proxy_get_metric",
              loaded("counter"),
              ptr,
            ]),
          ],
        },
      },
    },
    lines: Array(5).fill("proxy_get_metric(id=4) = InvalidMemoryAccess"),
  },
  ...refusedOutsideOfContexts(["proxy_get_metric", 4, out()], "proxy_get_metric(id=4)"),
]);
