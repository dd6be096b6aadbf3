import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import type { PluginMetric, PluginStatus } from "../filter/filter.ts";
import { endedPlugin, PluginSums, runningPlugin } from "./plugin-sums.ts";

function status(name: string, changes: Partial<PluginStatus> = {}): PluginStatus {
  return {
    name,
    breaker: "closed",
    breakerOpened: 0,
    failures: {},
    recycled: 0,
    sandboxes: undefined,
    metrics: [],
    ...changes,
  };
}

function metric(name: string, changes: Partial<PluginMetric> = {}): PluginMetric {
  return { name, type: "counter", value: 1n, count: 0, ...changes };
}

function many(count: number): PluginMetric[] {
  return Array.from({ length: count }, (_, n) => metric(`m${n}`));
}

function sumOf(...all: PluginStatus[]) {
  const sums = new PluginSums();
  for (const each of all) sums.add(runningPlugin(each));
  return sums.all;
}

describe("PluginSums.add()", () => {
  test("adds up what has one name, and keeps names apart, in their order", () => {
    const sandboxes = { busy: 1, idle: 2, waiting: 3 };
    const [a, b] = sumOf(
      status("b", { failures: { trap: 7 } }),
      status("a", { failures: { trap: 1 }, breakerOpened: 1, recycled: 2, sandboxes }),
      status("a", { failures: { trap: 2, fuel: 1 }, breakerOpened: 3, sandboxes }),
    );
    expect(a).toMatchObject({
      name: "a",
      running: 2,
      failures: { trap: 3, fuel: 1 },
      breakerOpened: 4,
      recycled: 2,
      sandboxes: { busy: 2, idle: 4, waiting: 6 },
    });
    expect(b).toMatchObject({ name: "b", running: 1, failures: { trap: 7 }, sandboxes: undefined });
  });

  test.each([
    [["closed", "half-open", "open"], "open"],
    [["open", "closed"], "open"],
    [["closed", "half-open"], "half-open"],
    [["closed", "closed"], "closed"],
  ] as const)("lets the worst breaker of %p stand for all", (breakers, worst) => {
    const [sum] = sumOf(...breakers.map((breaker) => status("a", { breaker })));
    expect(sum?.breaker).toBe(worst);
  });

  test("adds up metrics of one name and type", () => {
    const [sum] = sumOf(
      status("a", { metrics: [metric("n"), metric("n", { type: "gauge", value: -3n })] }),
      status("a", { metrics: [metric("n", { value: 2n ** 64n - 1n })] }),
      status("a", { metrics: [metric("h", { type: "histogram", value: 5n, count: 2 })] }),
      status("a", { metrics: [metric("h", { type: "histogram", value: 1n, count: 1 })] }),
    );
    expect(sum?.metrics).toEqual([
      { name: "n", type: "counter", value: 2n ** 64n, count: 0 },
      { name: "n", type: "gauge", value: -3n, count: 0 },
      { name: "h", type: "histogram", value: 6n, count: 3 },
    ]);
  });

  test("changes nothing of what was added", () => {
    const added = status("a", { failures: { trap: 1 }, metrics: [metric("n")] });
    sumOf(added, added);
    expect(added).toEqual(status("a", { failures: { trap: 1 }, metrics: [metric("n")] }));
  });
});

describe("PluginSums.add() bounds", () => {
  test("leaves metrics out that are too many for one name, and counts them", () => {
    const [sum] = sumOf(status("a", { metrics: many(LIMITS.guestMetricsMax + 3) }));
    expect([sum?.metrics.length, sum?.metricsLeftOut]).toEqual([LIMITS.guestMetricsMax, 3]);
  });

  test("leaves metrics out that are too many over all names, but adds to known ones", () => {
    const sums = new PluginSums();
    const plugins = Array.from({ length: 8 }, (_, n) => status(`p${n}`, { metrics: many(900) }));
    for (const each of [...plugins, ...plugins]) sums.add(runningPlugin(each));
    const { all } = sums;
    expect(all.reduce((total, each) => total + each.metrics.length, 0)).toBe(
      LIMITS.statusMetricsMax,
    );
    expect(all[0]?.metrics[899]?.value).toBe(2n);
    expect(all[7]?.metricsLeftOut).toBe(900);
  });

  test("leaves metrics with long names out", () => {
    const metrics = [
      metric("x".repeat(LIMITS.statusMetricNameMax)),
      metric("x".repeat(LIMITS.statusMetricNameMax + 1)),
    ];
    const [sum] = sumOf(status("a", { metrics }));
    expect([sum?.metrics.length, sum?.metricsLeftOut]).toEqual([1, 1]);
  });

  test("forgets the name that came first, with its metrics, when there are too many", () => {
    const count = LIMITS.statusPluginsMax + 1;
    const width = String(count).length;
    const all = Array.from({ length: count }, (_, n) =>
      status(`p${String(n).padStart(width, "0")}`, { metrics: many(4) }),
    );
    const sums = sumOf(...all);
    expect(sums).toHaveLength(LIMITS.statusPluginsMax);
    expect(sums[0]?.name).toBe(`p${"1".padStart(width, "0")}`);
    expect(sums.at(-1)?.metrics).toHaveLength(4);
  });
});

describe("endedPlugin()", () => {
  test("keeps what only grows", () => {
    const sum = runningPlugin(
      status("a", {
        breaker: "open",
        breakerOpened: 2,
        failures: { trap: 3 },
        recycled: 4,
        sandboxes: { busy: 1, idle: 1, waiting: 0 },
        metrics: [
          metric("c"),
          metric("g", { type: "gauge" }),
          metric("h", { type: "histogram", count: 1 }),
        ],
      }),
    );
    expect(endedPlugin(sum)).toEqual({
      name: "a",
      breaker: "closed",
      breakerOpened: 2,
      failures: { trap: 3 },
      recycled: 4,
      sandboxes: undefined,
      running: 0,
      metricsLeftOut: 0,
      metrics: [metric("c"), metric("h", { type: "histogram", count: 1 })],
    });
  });
});
