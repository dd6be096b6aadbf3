import { LIMITS } from "../base/limits.ts";
import type { PluginMetric, PluginStatus } from "../filter/filter.ts";

/**
 * The plugins of one name, added up: over the configurations that run on a worker, then over
 * workers. The worst breaker stands for all.
 */
export interface PluginSum extends PluginStatus {
  /** How many run: one for each configuration and worker; 0: only their counts are left. */
  readonly running: number;
  /** Metrics that are not told, of the plugin where most are: too many, or their names too long. */
  readonly metricsLeftOut: number;
}

/** One that runs. */
export function runningPlugin(status: PluginStatus): PluginSum {
  return { ...status, running: 1, metricsLeftOut: 0 };
}

/** What is left of plugins whose guests have ended: what only ever grows. */
export function endedPlugin(sum: PluginStatus): PluginSum {
  return {
    ...sum,
    breaker: "closed",
    sandboxes: undefined,
    metrics: sum.metrics.filter(({ type }) => type !== "gauge"),
    running: 0,
    metricsLeftOut: 0,
  };
}

/**
 * Adds up by name. Of LIMITS.statusPluginsMax names, one more takes the place of the first; metrics
 * are bounded in number (of one name and of all) and in the length of their names.
 */
export class PluginSums {
  readonly #byName = new Map<string, Sum>();
  #metrics = 0;

  add(sum: PluginSum): void {
    const known = this.#byName.get(sum.name) ?? this.#begin(sum.name);
    this.#metrics += known.add(sum, LIMITS.statusMetricsMax - this.#metrics);
  }

  /** By name. */
  get all(): readonly PluginSum[] {
    return [...this.#byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #begin(name: string): Sum {
    const [first] = this.#byName.values();
    if (first !== undefined && this.#byName.size >= LIMITS.statusPluginsMax) {
      this.#byName.delete(first.name);
      this.#metrics -= first.metrics.length;
    }
    const sum = new Sum(name);
    this.#byName.set(name, sum);
    return sum;
  }
}

const WORSE = ["closed", "half-open", "open"] as const;

class Sum implements PluginSum {
  readonly name: string;
  breaker: PluginSum["breaker"] = "closed";
  breakerOpened = 0;
  readonly failures: Record<string, number> = {};
  recycled = 0;
  sandboxes: PluginSum["sandboxes"];
  running = 0;
  metricsLeftOut = 0;
  readonly #metrics = new Map<string, { -readonly [K in keyof PluginMetric]: PluginMetric[K] }>();

  constructor(name: string) {
    this.name = name;
  }

  get metrics(): readonly PluginMetric[] {
    return [...this.#metrics.values()];
  }

  /** @returns how many metrics it has more, at most `room` */
  add(sum: PluginSum, room: number): number {
    if (WORSE.indexOf(sum.breaker) > WORSE.indexOf(this.breaker)) this.breaker = sum.breaker;
    this.breakerOpened += sum.breakerOpened;
    for (const [kind, count] of Object.entries(sum.failures)) {
      this.failures[kind] = (this.failures[kind] ?? 0) + count;
    }
    this.recycled += sum.recycled;
    this.running += sum.running;
    if (sum.sandboxes !== undefined) {
      const { busy, idle, waiting } = this.sandboxes ?? { busy: 0, idle: 0, waiting: 0 };
      this.sandboxes = {
        busy: busy + sum.sandboxes.busy,
        idle: idle + sum.sandboxes.idle,
        waiting: waiting + sum.sandboxes.waiting,
      };
    }
    return this.#addMetrics(sum, room);
  }

  #addMetrics({ metrics, metricsLeftOut }: PluginSum, room: number): number {
    let added = 0;
    let leftOut = metricsLeftOut;
    for (const metric of metrics) {
      const key = `${metric.type} ${metric.name}`;
      const known = this.#metrics.get(key);
      if (known !== undefined) {
        known.value += metric.value;
        known.count += metric.count;
      } else if (
        added < room &&
        this.#metrics.size < LIMITS.guestMetricsMax &&
        metric.name.length <= LIMITS.statusMetricNameMax
      ) {
        this.#metrics.set(key, { ...metric });
        added++;
      } else {
        leftOut++;
      }
    }
    this.metricsLeftOut = Math.max(this.metricsLeftOut, leftOut);
    return added;
  }
}
