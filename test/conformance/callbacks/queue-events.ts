import { casesOf } from "../case.ts";
import { type Call, out, param, text } from "../probe.ts";
import { FIRST_QUEUE } from "../queues.ts";

const register = (name = "jobs"): Call => ["proxy_register_shared_queue", text(name), out()];
const dequeue = (queue: number = FIRST_QUEUE): Call => [
  "proxy_dequeue_shared_queue",
  queue,
  out(),
  out(),
];
const enqueue = (item: string): Call => ["proxy_enqueue_shared_queue", FIRST_QUEUE, text(item)];
const TAKE: Call = ["proxy_dequeue_shared_queue", param(1), out(), out()];
const SHOWS = ["proxy_on_queue_ready", "proxy_dequeue_shared_queue"];
const items = (...texts: string[]) => texts.map((item) => ({ queue: "jobs", item }));

export const conformance = casesOf("events of queues", [
  {
    name: "come in the root context, one for each item",
    guest: {
      on: {
        proxy_on_configure: { calls: [register()] },
        proxy_on_queue_ready: { calls: [TAKE] },
      },
    },
    run: { queueItems: items("a", "b") },
    shows: SHOWS,
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="a"`,
      "< proxy_on_queue_ready",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="b"`,
      "< proxy_on_queue_ready",
    ],
  },
  {
    name: "do not come for items that are gone again",
    guest: {
      on: {
        proxy_on_configure: { calls: [register()] },
        proxy_on_queue_ready: { calls: [TAKE, TAKE, TAKE] },
      },
    },
    run: { queueItems: items("a", "b") },
    shows: SHOWS,
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="a"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="b"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Empty`,
      "< proxy_on_queue_ready",
    ],
  },
  {
    name: "come again for items that were left",
    guest: {
      on: {
        proxy_on_configure: { calls: [register()] },
        proxy_on_queue_ready: [{}, { calls: [TAKE, TAKE] }],
      },
    },
    run: { queueItems: items("a", "b") },
    shows: SHOWS,
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="a"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="b"`,
      "< proxy_on_queue_ready",
    ],
  },
  {
    name: "come for items that the guest puts in itself, after it has returned",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [register(), enqueue("own"), ["proxy_log", 2, text("inside")]],
        },
        proxy_on_queue_ready: { calls: [TAKE] },
        proxy_on_request_headers: {},
      },
    },
    shows: [...SHOWS, "proxy_on_configure", "proxy_on_request_headers", "log"],
    lines: [
      "> proxy_on_configure(context=1, bytes=0)",
      "log info: inside",
      "< proxy_on_configure = true",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="own"`,
      "< proxy_on_queue_ready",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Continue",
    ],
  },
  {
    name: "tell which queue it is",
    guest: {
      on: {
        proxy_on_configure: { calls: [register("mail"), register()] },
        proxy_on_queue_ready: { calls: [TAKE] },
      },
    },
    run: { queueItems: items("a") },
    shows: SHOWS,
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE + 1})`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE + 1}) = Ok -> item="a"`,
      "< proxy_on_queue_ready",
    ],
  },
  {
    name: "do not come to a guest that has not registered",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [["proxy_resolve_shared_queue", text(""), text("jobs"), out()]],
        },
        proxy_on_queue_ready: {},
      },
    },
    run: { queueItems: items("a") },
    shows: [...SHOWS, "notes"],
    lines: ["* an item finds no place in queue jobs"],
  },
  {
    name: "come for every item, though each of them has the guest trap; the items stay",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [register(), ["proxy_set_tick_period_milliseconds", 100]],
        },
        proxy_on_tick: {},
        proxy_on_queue_ready: { traps: true },
        proxy_on_request_headers: { calls: [dequeue(), dequeue(), dequeue()] },
      },
    },
    run: { queueItems: items("a", "b"), ticks: 1, instances: "per_request" },
    shows: [...SHOWS, "proxy_on_request_headers", "proxy_on_tick"],
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready failed: Unreachable code should not be executed",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready failed: Unreachable code should not be executed",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="a"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="b"`,
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Empty`,
      "< proxy_on_request_headers = Continue",
    ],
  },
  {
    name: "go on after one that has trapped; the items stay until somebody takes them",
    guest: {
      on: {
        proxy_on_configure: {
          calls: [register(), ["proxy_set_tick_period_milliseconds", 100]],
        },
        proxy_on_tick: {},
        proxy_on_queue_ready: { traps: true },
        proxy_on_request_headers: { calls: [enqueue("c"), dequeue()] },
      },
    },
    run: { queueItems: items("a"), ticks: 1, instances: "per_request" },
    shows: [...SHOWS, "proxy_on_request_headers", "proxy_on_tick"],
    lines: [
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready failed: Unreachable code should not be executed",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      `proxy_dequeue_shared_queue(queue=${FIRST_QUEUE}) = Ok -> item="a"`,
      "< proxy_on_request_headers = Continue",
      `> proxy_on_queue_ready(context=1, queue=${FIRST_QUEUE})`,
      "< proxy_on_queue_ready failed: Unreachable code should not be executed",
    ],
  },
]);
