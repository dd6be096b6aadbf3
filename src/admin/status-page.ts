import { VERSION } from "../base/version.ts";
import type { GatewayStatus, WorkerView } from "../gateway/gateway-status.ts";
import type { PluginSum } from "../gateway/plugin-sums.ts";
import { jsonPage, type Page } from "./page.ts";

/** Everything but the plugins' own metrics, for people and scripts. Words as in the YAML. */
export function statusPage(status: GatewayStatus): Page {
  const breakers = breakersByName(status.workers);
  return jsonPage(200, {
    version: VERSION,
    state: status.state,
    uptime_seconds: status.uptimeMs / 1000,
    generation: status.generation,
    reloads: { taken_over: status.reloads.takenOver, refused: status.reloads.refused },
    workers_configured: status.workersConfigured,
    worker_restarts: status.workerRestarts,
    workers: status.workers.map(describeWorker),
    plugins: status.plugins.map((plugin) => ({
      ...describePlugin(plugin),
      breakers: breakers.get(plugin.name) ?? {},
      metrics_left_out: plugin.metricsLeftOut,
    })),
  });
}

function describeWorker({ pid, isLeaving, status }: WorkerView) {
  const serving = status.generation === 0 ? "starting" : "serving";
  return {
    pid,
    state: isLeaving ? "leaving" : serving,
    generation: status.generation,
    in_flight: status.inFlight,
    generations: status.generations,
    plugins: status.plugins.map(describePlugin),
  };
}

function describePlugin(plugin: PluginSum) {
  return {
    name: plugin.name,
    running: plugin.running,
    breaker: plugin.breaker,
    breaker_openings: plugin.breakerOpened,
    failures: plugin.failures,
    recycled: plugin.recycled,
    sandboxes: plugin.sandboxes,
  };
}

/** By plugin: the state on each worker, by its process id, where the plugin runs. */
function breakersByName(workers: readonly WorkerView[]): Map<string, Record<number, string>> {
  const byName = new Map<string, Record<number, string>>();
  for (const { pid, status } of workers) {
    for (const { name, running, breaker } of status.plugins) {
      if (running === 0) continue;
      const states = byName.get(name) ?? {};
      states[pid] = breaker;
      byName.set(name, states);
    }
  }
  return byName;
}
