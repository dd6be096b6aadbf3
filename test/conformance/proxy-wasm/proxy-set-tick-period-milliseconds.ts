import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { MAX, onRequest, out } from "../probe.ts";

const NAME = "proxy_set_tick_period_milliseconds";
const NOW = "proxy_get_current_time_nanoseconds";
const TICKING = { proxy_on_tick: { calls: [[NOW, out()]] } } as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() has the root context called again and again`,
    guest: { on: { proxy_on_configure: { calls: [[NAME, 1500]] }, ...TICKING } },
    run: { ticks: 3, startMs: 0 },
    shows: ["proxy_on_tick", NOW],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=1500) = Ok",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1500001000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=3000002000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=4500003000",
      "< proxy_on_tick",
    ],
  },
  {
    name: `${NAME}() asks for the root context's tick also in the context of an exchange`,
    guest: { on: { proxy_on_request_headers: { calls: [[NAME, 20]] }, ...TICKING } },
    run: { ticksAfter: 1, startMs: 0 },
    shows: ["proxy_on_tick", "proxy_on_delete", NOW],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=20) = Ok",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=20001000",
      "< proxy_on_tick",
    ],
  },
  {
    name: `${NAME}() replaces the period that there is, and counts from now`,
    guest: {
      on: {
        proxy_on_vm_start: { calls: [[NAME, 1000]] },
        proxy_on_configure: { calls: [[NAME, 50]] },
        proxy_on_tick: [
          { calls: [[NOW, out()]] },
          {
            calls: [
              [NOW, out()],
              [NAME, 300],
            ],
          },
        ],
      },
    },
    run: { ticks: 3, startMs: 0 },
    shows: [NOW],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=1000) = Ok",
      "proxy_set_tick_period_milliseconds(period_ms=50) = Ok",
      "proxy_get_current_time_nanoseconds() = Ok -> time=50001000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=100002000",
      "proxy_set_tick_period_milliseconds(period_ms=300) = Ok",
      "proxy_get_current_time_nanoseconds() = Ok -> time=400003000",
      "proxy_set_tick_period_milliseconds(period_ms=300) = Ok",
    ],
  },
  {
    name: `${NAME}() stops the tick for 0`,
    guest: {
      on: {
        proxy_on_configure: { calls: [[NAME, 50]] },
        proxy_on_tick: { calls: [[NAME, 0]] },
      },
    },
    run: { ticks: 2 },
    shows: ["notes"],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=50) = Ok",
      "proxy_set_tick_period_milliseconds(period_ms=0) = Ok",
      "* no tick comes: the plugin has not asked for any",
    ],
  },
  {
    name: `${NAME}() makes a short period 10 ms, and takes the longest`,
    guest: {
      on: {
        proxy_on_vm_start: { calls: [[NAME, MAX]] },
        proxy_on_configure: { calls: [[NAME, 1]] },
        ...TICKING,
      },
    },
    run: { ticks: 2, startMs: 0 },
    shows: [NOW],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=4294967295) = Ok",
      "proxy_set_tick_period_milliseconds(period_ms=1) = Ok",
      "proxy_get_current_time_nanoseconds() = Ok -> time=10001000",
      "proxy_get_current_time_nanoseconds() = Ok -> time=20002000",
    ],
  },
  {
    name: `${NAME}() has no effect in a copy, which has no tick`,
    guest: { on: { ...onRequest([NAME, 20]).on, ...TICKING } },
    run: { instances: "per_request", ticksAfter: 1 },
    shows: ["proxy_on_tick", "log", "notes"],
    lines: [
      "proxy_set_tick_period_milliseconds(period_ms=20) = Ok",
      "log warn: proxy_set_tick_period_milliseconds has no effect in an exchange " +
        "under instances: per_request; set it in proxy_on_configure, where it belongs " +
        "to the plugin's long-lived guest",
      "* no tick comes: the plugin has not asked for any",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 1000], `${NAME}(period_ms=1000)`),
]);
