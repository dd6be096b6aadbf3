import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, loaded, MAX, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { FIRST_QUEUE } from "../queues.ts";
import { shownLong } from "../shown.ts";

const enqueue = new Prototype("proxy_enqueue_shared_queue", {
  queue: [loaded("queue"), String(FIRST_QUEUE)],
  item: [text("job"), '"job"'],
});
const REGISTER: Call = ["proxy_register_shared_queue", text("jobs"), out("queue")];
const DEQUEUE: Call = ["proxy_dequeue_shared_queue", loaded("queue"), out(), out()];
const MIB = 1024 * 1024;

const NOBODYS = [0, 1, FIRST_QUEUE + 1, FIRST_QUEUE - 1, 0x7fff_ffff, 0x8000_0001, MAX];

export const conformance = casesOf("proxy_enqueue_shared_queue", [
  {
    name: "proxy_enqueue_shared_queue() puts items in that come out in their order",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            REGISTER,
            enqueue.call(),
            enqueue.call({ item: [0, 0] }),
            enqueue.call({ item: text("\0\xff") }),
            DEQUEUE,
            DEQUEUE,
            DEQUEUE,
          ],
        },
      },
    },
    shows: ["proxy_dequeue_shared_queue"],
    lines: [
      enqueue.line("Ok"),
      enqueue.line("Ok", { item: '""' }),
      enqueue.line("Ok", { item: '"\\x00\\xff"' }),
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="job"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item=""`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="\\x00\\xff"`,
    ],
  },
  {
    name: "proxy_enqueue_shared_queue() tells the receiver later, not while it is inside",
    guest: {
      on: {
        proxy_on_configure: { calls: [REGISTER] },
        proxy_on_request_headers: { calls: [enqueue.call(), ["proxy_log", 2, text("still here")]] },
        proxy_on_queue_ready: { calls: [DEQUEUE] },
      },
    },
    shows: ["proxy_on_request_headers", "proxy_on_queue_ready", "log"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      enqueue.line("Ok"),
      "log info: still here",
      "< proxy_on_request_headers = Continue",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready",
    ],
  },
  {
    name: "proxy_enqueue_shared_queue() does not find a queue that there is not",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [REGISTER, ...NOBODYS.map((queue) => enqueue.call({ queue }))],
        },
      },
    },
    lines: NOBODYS.map((queue) => enqueue.line("NotFound", { queue: String(queue) })),
  },
  {
    name: "proxy_enqueue_shared_queue() answers NotFound when ten thousand items wait",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            REGISTER,
            { times: 10_001, call: enqueue.call({ item: [0, 0] }) },
            DEQUEUE,
            enqueue.call(),
          ],
        },
      },
    },
    lines: [
      ...Array<string>(10_000).fill(enqueue.line("Ok", { item: '""' })),
      enqueue.line("NotFound", { item: '""' }),
      enqueue.line("Ok"),
    ],
  },
  {
    name: "proxy_enqueue_shared_queue() answers NotFound when 4 MiB wait",
    guest: {
      pages: 100,
      on: {
        proxy_on_configure: {
          calls: [
            REGISTER,
            enqueue.call({ item: [65_536, 4 * MIB + 1] }),
            enqueue.call({ item: [65_536, 4 * MIB] }),
            enqueue.call(),
          ],
        },
      },
    },
    shows: ["log"],
    lines: [
      enqueue.line("NotFound", { item: shownLong("\\x00", 4 * MIB + 1) }),
      "log warn: Cannot add to the shared queue: it would hold 1 items and 4194305 bytes, " +
        "at most 10000 and 4194304; take items out as fast as they come in [SHARED_QUEUE_FULL]",
      enqueue.line("Ok", { item: shownLong("\\x00", 4 * MIB) }),
      enqueue.line("NotFound"),
    ],
  },
  {
    ...enqueue.hostileCase(),
    guest: { on: { proxy_on_configure: { calls: [REGISTER, ...enqueue.hostile().calls] } } },
  },
  ...refusedOutsideOfContexts(enqueue.call({ queue: FIRST_QUEUE }), enqueue.line("")),
]);
