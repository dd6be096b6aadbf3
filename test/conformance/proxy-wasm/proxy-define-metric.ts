import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { index, MAX, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { shownLong } from "../shown.ts";

const define = new Prototype("proxy_define_metric", {
  metric: [0, "Counter"],
  name: [text("requests"), '"requests"'],
  id: [out()],
});

export const conformance = casesOf("proxy_define_metric", [
  {
    name: "proxy_define_metric() tells the type by the lowest two bits of the id",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [define.call(), define.call({ metric: 1 }), define.call({ metric: 2 })],
        },
      },
    },
    lines: [
      define.line("Ok -> id=4"),
      define.line("Ok -> id=9", { metric: "Gauge" }),
      define.line("Ok -> id=14", { metric: "Histogram" }),
    ],
  },
  {
    name: "proxy_define_metric() gives the same id for the same name and type, in an exchange, too",
    guest: {
      on: {
        proxy_on_configure: { calls: [define.call(), define.call({ name: text("errors") })] },
        proxy_on_request_headers: {
          calls: [define.call({ name: text("errors") }), define.call()],
        },
      },
    },
    lines: [
      define.line("Ok -> id=4"),
      define.line("Ok -> id=8", { name: '"errors"' }),
      define.line("Ok -> id=8", { name: '"errors"' }),
      define.line("Ok -> id=4"),
    ],
  },
  {
    name: "proxy_define_metric() knows three types",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [3, -1, 0x7fff_ffff].map((metric) => define.call({ metric })),
        },
      },
    },
    lines: ["3", "-1", "2147483647"].map((metric) => define.line("BadArgument", { metric })),
  },
  {
    name: "proxy_define_metric() refuses an empty name, and one of more than a thousand chars",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            define.call({ name: text("") }),
            define.call({ name: text("n".repeat(1024)) }),
            define.call({ name: text("n".repeat(1025)) }),
            define.call({ name: text("n".repeat(5000)) }),
          ],
        },
      },
    },
    lines: [
      define.line("BadArgument", { name: '""' }),
      define.line("Ok -> id=4", { name: shownLong("n", 1024) }),
      define.line("BadArgument", { name: shownLong("n", 1025) }),
      define.line("BadArgument", { name: shownLong("n", 5000) }),
    ],
  },
  {
    name: "proxy_define_metric() defines a thousand metrics, and no more",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            // Names of 1 to 1000 bytes of an empty page.
            { times: 1000, call: define.call({ name: [8192, index] }) },
            define.call(),
            define.call({ name: [8192, 1000] }),
          ],
        },
      },
    },
    lines: [
      ...Array.from({ length: 1000 }, (_, at) =>
        define.line(`Ok -> id=${4 * at + 4}`, { name: shownLong("\\x00", 1000 - at) }),
      ),
      define.line("InternalFailure"),
      define.line("Ok -> id=4", { name: shownLong("\\x00", 1000) }),
    ],
  },
  define.hostileCase(),
  {
    name: "proxy_define_metric() looks at the type before it looks into memory",
    guest: { on: { proxy_on_configure: { calls: [define.call({ metric: 3, name: [0, MAX] })] } } },
    lines: [define.line("BadArgument", { metric: "3", name: "beyond-memory" })],
  },
  ...refusedOutsideOfContexts(define.call(), define.line("")),
]);
