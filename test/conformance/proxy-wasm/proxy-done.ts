import { casesOf, refusedOutsideOfContexts } from "../case.ts";

const NAME = "proxy_done";
const TICK = "proxy_set_tick_period_milliseconds";
const CONTEXT = "proxy_set_effective_context";
const TICKING = { calls: [[TICK, 1000]] } as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() ends a plugin that has answered "not yet", when the callback has returned`,
    guest: {
      on: {
        proxy_on_context_create: [TICKING, {}],
        proxy_on_done: [{}, { answer: 0 }],
        proxy_on_tick: { calls: [[NAME], [NAME]] },
        proxy_on_delete: {},
      },
    },
    shows: ["callbacks"],
    lines: [
      "> proxy_on_context_create(context=1, parent=0)",
      "< proxy_on_context_create",
      "> proxy_on_context_create(context=2, parent=1)",
      "< proxy_on_context_create",
      "> proxy_on_done(context=2)",
      "< proxy_on_done = true",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "> proxy_on_done(context=1)",
      "< proxy_on_done = false",
      "> proxy_on_tick(context=1)",
      "proxy_done() = Ok",
      "proxy_done() = NotFound",
      "< proxy_on_tick",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
    ],
  },
  {
    name: `${NAME}() answers NotFound when nobody waits for it`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[NAME]] },
        proxy_on_request_headers: { calls: [[NAME], [CONTEXT, 1], [NAME]] },
        proxy_on_done: { calls: [[NAME]], answer: 1 },
        proxy_on_delete: { calls: [[NAME]] },
      },
    },
    lines: [
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
      "proxy_done() = NotFound",
    ],
  },
  {
    name: `${NAME}() does not hold up the end of an exchange`,
    guest: { on: { proxy_on_done: [{ answer: 0 }, {}], proxy_on_delete: { calls: [[NAME]] } } },
    shows: ["proxy_on_done", "proxy_on_delete"],
    lines: [
      "> proxy_on_done(context=2)",
      "< proxy_on_done = false",
      "> proxy_on_delete(context=2)",
      "proxy_done() = NotFound",
      "< proxy_on_delete",
      "> proxy_on_done(context=1)",
      "< proxy_on_done = true",
      "> proxy_on_delete(context=1)",
      "proxy_done() = NotFound",
      "< proxy_on_delete",
    ],
  },
  {
    name: `without ${NAME}() a plugin is ended after 5 s, and works until then`,
    guest: {
      on: {
        proxy_on_context_create: [TICKING, {}],
        proxy_on_done: [{}, { answer: 0 }],
        proxy_on_tick: {},
        proxy_on_delete: {},
      },
    },
    shows: ["proxy_on_tick", "proxy_on_done", "proxy_on_delete"],
    lines: [
      "> proxy_on_done(context=2)",
      "< proxy_on_done = true",
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "> proxy_on_done(context=1)",
      "< proxy_on_done = false",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
    ],
  },
  ...refusedOutsideOfContexts([NAME], `${NAME}()`),
]);
