import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, loaded, MAX, out, text } from "../probe.ts";
import { Prototype } from "../prototype.ts";
import { FIRST_QUEUE } from "../queues.ts";

const dequeue = new Prototype("proxy_dequeue_shared_queue", {
  queue: [loaded("queue"), String(FIRST_QUEUE)],
  ptr: [out()],
  length: [out()],
});
const REGISTER: Call = ["proxy_register_shared_queue", text("jobs"), out("queue")];
const enqueue = (item: string): Call => ["proxy_enqueue_shared_queue", loaded("queue"), text(item)];

const NOBODYS = [0, 1, FIRST_QUEUE + 1, FIRST_QUEUE - 1, 0x7fff_ffff, 0x8000_0001, MAX];

export const conformance = casesOf("proxy_dequeue_shared_queue", [
  {
    name: "proxy_dequeue_shared_queue() takes the oldest item out, until there is none",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            REGISTER,
            dequeue.call(),
            enqueue("a"),
            enqueue("b"),
            dequeue.call(),
            dequeue.call(),
            dequeue.call(),
          ],
        },
      },
    },
    lines: [
      dequeue.line("Empty"),
      dequeue.line('Ok -> item="a"'),
      dequeue.line('Ok -> item="b"'),
      dequeue.line("Empty"),
    ],
  },
  {
    name: "proxy_dequeue_shared_queue() gives an empty item without asking the allocator",
    guest: {
      allocator: { answers: "trap" },
      on: { proxy_on_configure: { calls: [REGISTER, enqueue(""), dequeue.call()] } },
    },
    lines: [dequeue.line('Ok -> item=""')],
  },
  {
    name: "proxy_dequeue_shared_queue() works from an exchange, of what others have put in",
    guest: {
      on: {
        proxy_on_configure: { calls: [REGISTER] },
        proxy_on_request_headers: { calls: [dequeue.call(), dequeue.call()] },
      },
    },
    run: { queueItems: [{ queue: "jobs", item: "from outside" }] },
    lines: [dequeue.line('Ok -> item="from outside"'), dequeue.line("Empty")],
  },
  {
    name: "proxy_dequeue_shared_queue() does not find a queue that there is not",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [REGISTER, ...NOBODYS.map((queue) => dequeue.call({ queue }))],
        },
      },
    },
    lines: NOBODYS.map((queue) => dequeue.line("NotFound", { queue: String(queue) })),
  },
  {
    ...dequeue.hostileCase(),
    name: "proxy_dequeue_shared_queue() keeps an item for which it has no out-pointers",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [REGISTER, enqueue("a"), ...dequeue.hostile().calls, dequeue.call()],
        },
      },
    },
    lines: [...dequeue.hostile().lines, dequeue.line('Ok -> item="a"')],
  },
  ...(["0", "beyond"] as const).map((answers) => ({
    name: `proxy_dequeue_shared_queue() has no place when the allocator answers ${answers}`,
    guest: {
      allocator: { answers },
      on: { proxy_on_configure: { calls: [REGISTER, enqueue("a"), dequeue.call()] } },
    },
    lines: [dequeue.line("InvalidMemoryAccess")],
  })),
  ...refusedOutsideOfContexts(dequeue.call({ queue: FIRST_QUEUE }), dequeue.line("")),
]);
