import { describe, expect, test } from "bun:test";
import type { Plugin, PluginStatus } from "../filter/filter.ts";
import { PluginRegistry } from "./plugin-registry.ts";

/** A plugin that does nothing but have a status. */
function plugin(name: string, traps: number | undefined): Plugin {
  const status: PluginStatus | undefined =
    traps === undefined
      ? undefined
      : {
          name,
          breaker: "open",
          breakerOpened: 1,
          failures: { trap: traps },
          recycled: 0,
          sandboxes: { busy: 0, idle: 1, waiting: 0 },
          metrics: [{ name: "g", type: "gauge", value: 1n, count: 0 }],
        };
  return {
    name,
    callbacks: 0,
    failOpen: false,
    createFilter: () => {
      throw new Error("Cannot create a filter: there is none");
    },
    ...(status && { status }),
    close: () => {},
  };
}

describe("PluginRegistry.sums", () => {
  test("adds up the configurations of one plugin, and leaves out what has no guests", () => {
    const registry = new PluginRegistry();
    registry.acquire("1", () => plugin("a", 1));
    registry.acquire("1", () => plugin("a", 100));
    registry.acquire("2", () => plugin("a", 2));
    registry.acquire("3", () => plugin("native", undefined));
    expect(registry.sums).toHaveLength(1);
    expect(registry.sums[0]).toMatchObject({ name: "a", running: 2, failures: { trap: 3 } });
  });

  test("goes on counting where a closed plugin has ended", () => {
    const registry = new PluginRegistry();
    registry.acquire("1", () => plugin("a", 5));
    registry.release("1");
    expect(registry.sums[0]).toMatchObject({
      running: 0,
      breaker: "closed",
      breakerOpened: 1,
      failures: { trap: 5 },
      sandboxes: undefined,
      metrics: [],
    });
    registry.acquire("2", () => plugin("a", 1));
    expect(registry.sums[0]).toMatchObject({ running: 1, failures: { trap: 6 }, breakerOpened: 2 });
    registry.release("2");
    expect(registry.sums[0]).toMatchObject({ running: 0, failures: { trap: 6 }, breakerOpened: 2 });
  });
});
