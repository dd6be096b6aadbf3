import type { PluginMetric } from "../filter/filter.ts";
import type { GatewayStatus, WorkerView } from "../gateway/gateway-status.ts";
import { type PluginSum, runningPlugin } from "../gateway/plugin-sums.ts";
import { NO_STATUS } from "../gateway/worker-status.ts";

/** Snapshots for tests. */

export function pluginSum(name: string, changes: Partial<PluginSum> = {}): PluginSum {
  const idle = { breaker: "closed", breakerOpened: 0, failures: {}, recycled: 0 } as const;
  const status = { name, ...idle, sandboxes: undefined, metrics: [] };
  return { ...runningPlugin(status), ...changes };
}

export function metric(
  type: PluginMetric["type"],
  name: string,
  value = 1n,
  count = 0,
): PluginMetric {
  return { name, type, value, count };
}

export function workerView(pid: number, generation: number, plugins: PluginSum[] = []): WorkerView {
  const status = { ...NO_STATUS, generation, inFlight: pid, generations: 1, plugins };
  return { pid, isLeaving: false, status };
}

export function gatewayStatus(changes: Partial<GatewayStatus> = {}): GatewayStatus {
  return {
    state: "serving",
    startedAtMs: 1_700_000_000_500,
    uptimeMs: 1500,
    generation: 2,
    reloads: { takenOver: 1, refused: 3 },
    workersConfigured: 2,
    workerRestarts: 4,
    workers: [workerView(10, 2), workerView(11, 2)],
    collections: { growth: 6, idle: 7 },
    plugins: [],
    ...changes,
  };
}
