import type { PluginMetric } from "../filter/filter.ts";
import type { PluginSum } from "../gateway/plugin-sums.ts";
import { PLUGIN_METRIC_PREFIX } from "../metrics/catalog.ts";
import type { Family, Sample } from "../metrics/exposition.ts";

export interface PluginMetrics {
  readonly families: readonly Family[];
  /** By plugin: metrics that cannot be shown beside the others. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/**
 * The metrics that plugins have defined, under names that Prometheus takes (docs/METRICS.md says
 * which). Who comes first has the name: plugins in their order, metrics in that of definition.
 * @param plugins their metrics are bounded already
 */
export function pluginMetrics(plugins: readonly PluginSum[]): PluginMetrics {
  const shown = new ShownFamilies();
  const leftOut = new Map<string, number>();
  for (const { name, metrics } of plugins) {
    const refused = metrics.filter((metric) => !shown.add(name, metric));
    if (refused.length > 0) leftOut.set(name, refused.length);
  }
  return { families: shown.families, leftOut };
}

interface OpenFamily extends Family {
  readonly samples: Sample[];
  /** Who has a sample in it. */
  readonly plugins: Set<string>;
}

const TYPES = { counter: "counter", gauge: "gauge", histogram: "summary" } as const;

class ShownFamilies {
  /** Each name that occurs on the page, of families and of samples, with the family it is of. */
  readonly #taken = new Map<string, OpenFamily>();
  readonly #families: OpenFamily[] = [];

  get families(): readonly Family[] {
    return this.#families;
  }

  /** @returns false when its name is taken */
  add(plugin: string, metric: PluginMetric): boolean {
    const name = shownName(metric);
    const family = this.#taken.get(name) ?? this.#begin(name, metric);
    if (family?.name !== name || family.type !== TYPES[metric.type]) return false;
    if (family.plugins.has(plugin)) return false;
    family.plugins.add(plugin);
    family.samples.push(...samplesOf(plugin, metric));
    return true;
  }

  #begin(name: string, { type, name: written }: PluginMetric): OpenFamily | undefined {
    const names = type === "histogram" ? [name, `${name}_sum`, `${name}_count`] : [name];
    if (names.some((each) => this.#taken.has(each))) return undefined;
    const help = `The ${type} ${written} of a plugin`;
    const family = { name, type: TYPES[type], help, samples: [], plugins: new Set<string>() };
    for (const each of names) this.#taken.set(each, family);
    this.#families.push(family);
    return family;
  }
}

/** A colon is for the names of recording rules. */
function shownName({ name, type }: PluginMetric): string {
  const mapped = PLUGIN_METRIC_PREFIX + name.replaceAll(/[^a-zA-Z0-9_]/gu, "_");
  return type === "counter" && !mapped.endsWith("_total") ? `${mapped}_total` : mapped;
}

function samplesOf(plugin: string, { type, value, count }: PluginMetric): Sample[] {
  const labels = { plugin };
  if (type !== "histogram") return [{ labels, value }];
  return [
    { suffix: "_sum", labels, value },
    { suffix: "_count", labels, value: count },
  ];
}
