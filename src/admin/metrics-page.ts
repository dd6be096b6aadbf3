import { VERSION } from "../base/version.ts";
import type { GatewayStatus } from "../gateway/gateway-status.ts";
import type { PluginSum } from "../gateway/plugin-sums.ts";
import { CATALOG, type CatalogName } from "../metrics/catalog.ts";
import { exposition, EXPOSITION_TYPE, type Family, type Sample } from "../metrics/exposition.ts";
import type { Page } from "./page.ts";
import { pluginMetrics } from "./plugin-metrics.ts";

/** For Prometheus: the catalog's metrics, then the plugins' own. */
export function metricsPage(status: GatewayStatus): Page {
  const own = pluginMetrics(status.plugins);
  const samples: Readonly<Record<CatalogName, readonly Sample[]>> = {
    ...gatewaySamples(status),
    ...pluginSamples(status.plugins, own.leftOut),
  };
  const families = Object.entries(CATALOG).map(([name, { type, help }]): Family => {
    return { name, type, help, samples: samples[name as CatalogName] };
  });
  const text = exposition([...families, ...own.families]);
  return { status: 200, contentType: EXPOSITION_TYPE, text };
}

function gatewaySamples(status: GatewayStatus) {
  const { collections, reloads, workers } = status;
  const inFlight = workers.reduce((total, worker) => total + worker.status.inFlight, 0);
  return {
    sluice_build_info: [{ labels: { version: VERSION }, value: 1 }],
    sluice_start_time_seconds: [one(status.startedAtMs / 1000)],
    sluice_generation: [one(status.generation)],
    sluice_reloads_total: [
      { labels: { outcome: "taken_over" }, value: reloads.takenOver },
      { labels: { outcome: "refused" }, value: reloads.refused },
    ],
    sluice_workers_configured: [one(status.workersConfigured)],
    sluice_workers_alive: [one(workers.filter(({ isLeaving }) => !isLeaving).length)],
    sluice_worker_restarts_total: [one(status.workerRestarts)],
    sluice_worker_collections_total: [
      { labels: { reason: "growth" }, value: collections.growth },
      { labels: { reason: "idle" }, value: collections.idle },
    ],
    sluice_exchanges_in_flight: [one(inFlight)],
  };
}

const BREAKER = { closed: 0, "half-open": 1, open: 2 } as const;

function pluginSamples(plugins: readonly PluginSum[], leftOut: ReadonlyMap<string, number>) {
  const pooled = plugins.flatMap(({ name, sandboxes }) =>
    sandboxes === undefined ? [] : [{ name, sandboxes }],
  );
  return {
    sluice_plugin_failures_total: plugins.flatMap(({ name, failures }) =>
      Object.entries(failures).map(([kind, value]) => ({ labels: { plugin: name, kind }, value })),
    ),
    sluice_plugin_breaker_state: plugins
      .filter(({ running }) => running > 0)
      .map(({ name, breaker }) => of(name, BREAKER[breaker])),
    sluice_plugin_breaker_openings_total: plugins.map((each) => of(each.name, each.breakerOpened)),
    sluice_plugin_guests_recycled_total: plugins.map((each) => of(each.name, each.recycled)),
    sluice_plugin_sandboxes: pooled.flatMap(({ name, sandboxes: { busy, idle } }) => [
      { labels: { plugin: name, state: "busy" }, value: busy },
      { labels: { plugin: name, state: "idle" }, value: idle },
    ]),
    sluice_plugin_exchanges_waiting: pooled.map((each) => of(each.name, each.sandboxes.waiting)),
    sluice_plugin_metrics_left_out: plugins.map(({ name, metricsLeftOut }) =>
      of(name, metricsLeftOut + (leftOut.get(name) ?? 0)),
    ),
  };
}

function one(value: number): Sample {
  return { labels: {}, value };
}

function of(plugin: string, value: number): Sample {
  return { labels: { plugin }, value };
}
