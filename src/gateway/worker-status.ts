import type { PluginMetric } from "../filter/filter.ts";
import type { PluginSum } from "./plugin-sums.ts";

/** How often a worker has collected all its garbage, by reason. */
export interface Collections {
  /** It had grown: see PressureCollection. */
  readonly growth: number;
  /** It had nothing to do: see IdleCollection. */
  readonly idle: number;
}

/** Told with every heartbeat. */
export interface WorkerStatus {
  readonly generation: number;
  /** Exchanges that live. */
  readonly inFlight: number;
  /** Generations that still have exchanges, the current one included. */
  readonly generations: number;
  readonly collections: Collections;
  /** Of every plugin that has, or had, guests on it. */
  readonly plugins: readonly PluginSum[];
}

/** Before the first heartbeat. */
export const NO_STATUS: WorkerStatus = {
  generation: 0,
  inFlight: 0,
  generations: 0,
  collections: { growth: 0, idle: 0 },
  plugins: [],
};

export function addCollections(one: Collections, other: Collections): Collections {
  return { growth: one.growth + other.growth, idle: one.idle + other.idle };
}

type SentMetric = readonly [PluginMetric["name"], PluginMetric["type"], string, number];

/**
 * As text, because a structured clone of thousands of metrics costs the worker four times as much.
 */
export function encodeStatus(status: WorkerStatus): string {
  const plugins = status.plugins.map((sum) => ({
    name: sum.name,
    breaker: sum.breaker,
    breakerOpened: sum.breakerOpened,
    failures: sum.failures,
    recycled: sum.recycled,
    sandboxes: sum.sandboxes,
    running: sum.running,
    metricsLeftOut: sum.metricsLeftOut,
    metrics: sum.metrics.map(({ name, type, value, count }): SentMetric => [
      name,
      type,
      String(value),
      count,
    ]),
  }));
  return JSON.stringify({ ...status, plugins });
}

export function decodeStatus(text: string): WorkerStatus {
  const sent = JSON.parse(text) as Omit<WorkerStatus, "plugins"> & {
    plugins: readonly (Omit<PluginSum, "metrics"> & { metrics: readonly SentMetric[] })[];
  };
  const plugins = sent.plugins.map((plugin) => ({
    ...plugin,
    metrics: plugin.metrics.map(([name, type, value, count]): PluginMetric => ({
      name,
      type,
      value: BigInt(value),
      count,
    })),
  }));
  return { ...sent, plugins };
}
