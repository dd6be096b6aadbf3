/**
 * Every metric of the gateway: name, type, labels, one line, and what else an operator has to know.
 * docs/METRICS.md is generated from this table. Units are part of the names.
 */
export interface CatalogEntry {
  readonly type: "counter" | "gauge";
  readonly labels: readonly string[];
  /** What it counts, as `# HELP` says it. */
  readonly help: string;
  /** What to make of it. */
  readonly note: string;
}

export const CATALOG = {
  sluice_build_info: {
    type: "gauge",
    labels: ["version"],
    help: "Always 1; the version of the executable is its label",
    note: "For joining the version to other metrics.",
  },
  sluice_start_time_seconds: {
    type: "gauge",
    labels: [],
    help: "When the master started, in seconds since 1970",
    note: "`time() - sluice_start_time_seconds` is the uptime.",
  },
  sluice_generation: {
    type: "gauge",
    labels: [],
    help: "Number of the generation that serves; 0 before the first",
    note: "Goes up by one with every reload that is taken over.",
  },
  sluice_reloads_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Reloads, by outcome: taken_over or refused",
    note:
      "Refused: the last valid configuration goes on serving, and the log says why. " +
      "The start is not counted.",
  },
  sluice_workers_configured: {
    type: "gauge",
    labels: [],
    help: "Workers that the configuration asks for",
    note: "`workers`, with `auto` resolved.",
  },
  sluice_workers_alive: {
    type: "gauge",
    labels: [],
    help: "Workers that run, those that finish their last exchanges not counted",
    note: "Below `sluice_workers_configured` for more than a moment: workers keep ending.",
  },
  sluice_worker_restarts_total: {
    type: "counter",
    labels: [],
    help: "Workers that were started in place of one that had ended or was killed",
    note: "Anything but 0 is worth a look into the log.",
  },
  sluice_worker_collections_total: {
    type: "counter",
    labels: ["reason"],
    help: "How often workers have collected all their garbage at once, by reason: growth or idle",
    note:
      "Growth: a worker had grown by half, and by 128 MiB at least; idle: it had nothing to do. " +
      "A worker does nothing else meanwhile: 10 ms, or 90 with a thousand sandboxes.",
  },
  sluice_exchanges_in_flight: {
    type: "gauge",
    labels: [],
    help: "Exchanges that live, over all workers",
    note: "`limits.exchanges_in_flight` bounds them for each worker.",
  },
  sluice_plugin_failures_total: {
    type: "counter",
    labels: ["plugin", "kind"],
    help: "Failures of a plugin's guests, by kind",
    note:
      "Kinds: `trap`, `stack`, `exit`, `exception`, `deadline`, `fuel`, `host calls`, `host`, " +
      "`start`. A kind shows when it has happened.",
  },
  sluice_plugin_breaker_state: {
    type: "gauge",
    labels: ["plugin"],
    help: "Breaker of a plugin: 0 closed, 1 half-open, 2 open; the worst of all workers",
    note: "`/status` tells it for each worker. None for a plugin that does not run any more.",
  },
  sluice_plugin_breaker_openings_total: {
    type: "counter",
    labels: ["plugin"],
    help: "How often a plugin's breakers have opened, over all workers",
    note: "While it is open the plugin is not run, and its `fail` applies.",
  },
  sluice_plugin_guests_recycled_total: {
    type: "counter",
    labels: ["plugin"],
    help: "Guests of a plugin that were replaced because their memory had grown",
    note: "Beyond `limits.recycle`. Going up steadily: the plugin leaks memory.",
  },
  sluice_plugin_sandboxes: {
    type: "gauge",
    labels: ["plugin", "state"],
    help: "Sandboxes of a plugin's pools, by state: busy or idle",
    note: "Only with `instances: per_request`, as the next one.",
  },
  sluice_plugin_exchanges_waiting: {
    type: "gauge",
    labels: ["plugin"],
    help: "Exchanges that wait for one of a plugin's sandboxes",
    note: "More than 0 for long: `pool.size` is too small, or the plugin too slow.",
  },
  sluice_plugin_metrics_left_out: {
    type: "gauge",
    labels: ["plugin"],
    help: "Metrics that a plugin has defined and that are not shown",
    note: "The bounds, and which names get in each other's way, are told below.",
  },
} as const satisfies Record<string, CatalogEntry>;

export type CatalogName = keyof typeof CATALOG;

/** Names of the plugins' own metrics begin so, and none of the gateway's does. */
export const PLUGIN_METRIC_PREFIX = "sluice_wasm_";
