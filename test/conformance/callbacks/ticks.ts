import { casesOf } from "../case.ts";
import { toUpstream } from "../handlers.ts";
import { type Call, out, text } from "../probe.ts";

const every = (ms: number): Call => ["proxy_set_tick_period_milliseconds", ms];
const TIME: Call = ["proxy_get_current_time_nanoseconds", out()];
const SHOWS = ["proxy_on_tick", "proxy_get_current_time_nanoseconds"];

export const conformance = casesOf("ticks", [
  {
    name: "come in the root context, once in each period",
    guest: {
      on: {
        proxy_on_configure: { calls: [TIME, every(100)] },
        proxy_on_tick: { calls: [TIME] },
      },
    },
    run: { ticks: 3 },
    shows: SHOWS,
    lines: [
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600000001000",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600100002000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600200003000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600300004000",
      "< proxy_on_tick",
    ],
  },
  {
    name: "come in a new period when another one is set, and not at all with 0",
    guest: {
      on: {
        proxy_on_configure: { calls: [every(100)] },
        proxy_on_tick: [{ calls: [TIME, every(50)] }, { calls: [TIME, every(0)] }],
      },
    },
    run: { ticks: 3 },
    shows: [...SHOWS, "notes"],
    lines: [
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600100001000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600150002000",
      "< proxy_on_tick",
      "* no tick comes: the plugin has not asked for any",
    ],
  },
  {
    name: "come every 10 ms when they are asked for more often",
    guest: {
      on: {
        proxy_on_configure: { calls: [every(1)] },
        proxy_on_tick: { calls: [TIME] },
      },
    },
    run: { ticks: 2 },
    shows: SHOWS,
    lines: [
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600010001000",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "proxy_get_current_time_nanoseconds() = Ok -> time=1767225600020002000",
      "< proxy_on_tick",
    ],
  },
  {
    name: "of which an exchange has asked are the root context's, and stay when it is over",
    guest: {
      on: {
        proxy_on_request_headers: { calls: [every(50)] },
        proxy_on_delete: {},
        proxy_on_tick: {},
      },
    },
    run: { ticksAfter: 2 },
    shows: ["proxy_on_tick", "proxy_on_delete"],
    lines: [
      "> proxy_on_delete(context=2)",
      "< proxy_on_delete",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_delete(context=1)",
      "< proxy_on_delete",
    ],
  },
  {
    name: "let an exchange go on that waits",
    guest: {
      on: {
        proxy_on_configure: { calls: [every(50)] },
        proxy_on_request_headers: { answer: 1 },
        proxy_on_tick: [
          {},
          { calls: [["proxy_set_effective_context", 2], ["proxy_continue_stream", 0], every(0)] },
        ],
      },
    },
    shows: ["proxy_on_request_headers", "proxy_on_tick", "upstream head", "client head"],
    lines: [
      "> proxy_on_request_headers(context=2, headers=9, end_of_stream=true)",
      "< proxy_on_request_headers = Pause",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      "> proxy_on_tick(context=1)",
      "< proxy_on_tick",
      toUpstream("GET", "/"),
      '=> client head 200 {Content-Type: "application/json"}',
    ],
  },
  {
    name: "go on after one that has trapped",
    guest: {
      on: {
        proxy_on_configure: { calls: [every(50)] },
        proxy_on_tick: { calls: [["proxy_log", 2, text("ticks")]], traps: true },
      },
    },
    run: { ticks: 2 },
    shows: ["proxy_on_tick", "log"],
    lines: [
      "> proxy_on_tick(context=1)",
      "log info: ticks",
      "< proxy_on_tick failed: Unreachable code should not be executed",
      "log critical: proxy_on_tick failed: trap: Unreachable code should not be executed",
      "> proxy_on_tick(context=1)",
      "log info: ticks",
      "< proxy_on_tick failed: Unreachable code should not be executed",
      "log critical: proxy_on_tick failed: trap: Unreachable code should not be executed",
    ],
  },
]);
