import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { index, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { FIRST_QUEUE } from "../queues.ts";
import { shownLong } from "../shown.ts";

const register = new Prototype("proxy_register_shared_queue", {
  name: [text("jobs"), '"jobs"'],
  queue: [out()],
});

export const conformance = casesOf("proxy_register_shared_queue", [
  {
    name: "proxy_register_shared_queue() gives a new name a new number, and a known one its own",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [register.call(), register.call({ name: text("mail") }), register.call()],
        },
        proxy_on_request_headers: { calls: [register.call({ name: text("mail") })] },
      },
    },
    lines: [
      register.line(`Ok -> queue=${FIRST_QUEUE}`),
      register.line(`Ok -> queue=${FIRST_QUEUE + 1}`, { name: '"mail"' }),
      register.line(`Ok -> queue=${FIRST_QUEUE}`),
      register.line(`Ok -> queue=${FIRST_QUEUE + 1}`, { name: '"mail"' }),
    ],
  },
  {
    name: "proxy_register_shared_queue() takes an empty name, and one of bytes that are no text",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [register.call({ name: [0, 0] }), register.call({ name: text("\0\xff") })],
        },
      },
    },
    lines: [
      register.line(`Ok -> queue=${FIRST_QUEUE}`, { name: '""' }),
      register.line(`Ok -> queue=${FIRST_QUEUE + 1}`, { name: '"\\x00\\xff"' }),
    ],
  },
  {
    name: "proxy_register_shared_queue() refuses a name above 1 KiB",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [1024, 1025].map((length) => register.call({ name: text("q".repeat(length)) })),
        },
      },
    },
    lines: [
      register.line(`Ok -> queue=${FIRST_QUEUE}`, { name: shownLong("q", 1024) }),
      register.line("BadArgument", { name: shownLong("q", 1025) }),
    ],
  },
  {
    name: "proxy_register_shared_queue() makes a hundred queues, and no more",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            { times: 100, call: register.call({ name: [8192, index] }) },
            register.call(),
            register.call({ name: [8192, 100] }),
          ],
        },
      },
    },
    lines: [
      ...Array.from({ length: 100 }, (_, at) =>
        register.line(`Ok -> queue=${FIRST_QUEUE + at}`, { name: shownLong("\\x00", 100 - at) }),
      ),
      register.line("InternalFailure"),
      register.line(`Ok -> queue=${FIRST_QUEUE}`, { name: shownLong("\\x00", 100) }),
    ],
  },
  register.hostileCase(),
  ...refusedOutsideOfContexts(register.call(), register.line("")),
]);
