import { attack, callback, DEADLINE, type HostileGuest, SERVED } from "../guest.ts";
import { FORMS } from "./loops.ts";

/** Bounds beside the deadline of a callback: fuel, the time of an exchange, host calls, a seed. */
const FUEL = "limits: { fuel: 100000, deadline: 1s }";
const OUT_OF_FUEL = ["503 FILTER_FUEL"];
/** Those that take long before they are stopped. */
const RUNS_MAX = 20;
/** Some 10 ms, on a machine as there are now. */
const WORK = `(local.set $i #20000000)
  (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) #1))))`;

export const BUDGETS: readonly HostileGuest[] = [
  ...Object.entries(FORMS).map(([name, { body, more = "" }]) => ({
    name: `fuel-for-${name}`,
    wat: attack("request_headers", body) + more,
    settings: FUEL,
    expect: OUT_OF_FUEL,
  })),
  {
    name: "fuel-for-recursion-of-trees",
    wat: `${attack("request_headers", "(call $f #60)")}
      (func $f (param i32)
        (if (local.get 0) (then
          (call $f (i32.sub (local.get 0) #1)) (call $f (i32.sub (local.get 0) #1)))))`,
    settings: FUEL,
    expect: OUT_OF_FUEL,
  },
  {
    name: "fuel-for-the-allocator",
    wat: `${attack("request_headers", "")}
      (func (export "malloc") (param i32) (result i32) (loop $l (br $l)) #4096)`,
    settings: FUEL,
    expect: OUT_OF_FUEL,
  },
  {
    name: "fuel-caught",
    wat: `${attack("request_headers", "(loop $l (try (do (call $f)) (catch_all)) (br $l))")}
      (func $f (loop $l (br $l)))`,
    settings: FUEL,
    expect: OUT_OF_FUEL,
  },
  {
    name: "fuel-of-the-callback-before",
    wat: ["request_headers" as const, "response_headers" as const]
      .map((name) =>
        attack(
          name,
          `(local.set $i #5000)
          (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) #1))))`,
        ),
      )
      .join("\n"),
    settings: FUEL,
    expect: SERVED,
  },
  {
    name: "total-of-several-callbacks",
    wat: ["request_headers" as const, "request_body" as const, "response_headers" as const]
      .map((name) => attack(name, WORK))
      .join("\n"),
    request: "post",
    settings: "limits: { deadline: 100ms, total: 8ms }",
    expect: DEADLINE,
    runsMax: RUNS_MAX,
  },
  {
    // At its end an exchange gets time for its log, whatever it has used up.
    name: "total-in-on-log",
    wat: attack("log", "(loop $l (br $l))"),
    settings: "limits: { deadline: 2ms, total: 1ms }",
    expect: SERVED,
  },
  {
    name: "host-calls-that-are-cheap",
    wat: attack("request_headers", "(loop $l (drop (call $proxy_done)) (br $l))"),
    settings: "limits: { deadline: 2s }",
    expect: ["503 FILTER_HOST_CALLS"],
    runsMax: RUNS_MAX,
  },
  {
    name: "host-calls-caught",
    wat: attack(
      "request_headers",
      "(loop $l (try (do (drop (call $sched_yield))) (catch_all)) (br $l))",
    ),
    settings: "limits: { deadline: 100ms }",
    expect: ["503 FILTER_HOST_CALLS"],
    runsMax: RUNS_MAX,
  },
  {
    name: "seed-that-counts",
    wat: `(global $seeds (mut i32) (i32.const 0))
      (func (export "draw") (global.set $seeds (i32.add (global.get $seeds) #1)))
      ${callback("request_headers", "(call $expect (global.get $seeds) #1)")}`,
    instances: ["per_request"],
    settings: "seed: draw",
    expect: SERVED,
  },
];
