import { LIMITS } from "../../base/limits.ts";
import type { PluginMetric, PluginMetricType } from "../../filter/filter.ts";
import type { Guest } from "./guest.ts";
import { MetricType, Status } from "./types.ts";

/** A metric of a plugin; values are u64. */
export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  /** Counter: total. Gauge: current. Histogram: sum of what was recorded. */
  value: bigint;
  /** Histogram: how many values were recorded. */
  count: number;
}

const TYPE_NAMES: Readonly<Record<MetricType, PluginMetricType>> = {
  [MetricType.Counter]: "counter",
  [MetricType.Gauge]: "gauge",
  [MetricType.Histogram]: "histogram",
};

/** Low bits of an id tell the type, as Envoy has it. */
const TYPE_BITS = 2;

/** The metrics of one plugin on this worker; they outlive its guests. */
export class Metrics {
  readonly #byId = new Map<number, Metric>();
  readonly #ids = new Map<string, number>();

  /** @returns the id, the same for the same name and type; undefined when there are too many */
  define(type: MetricType, name: string): number | undefined {
    const key = `${type} ${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#byId.size >= LIMITS.guestMetricsMax) return undefined;
    const id = ((this.#byId.size + 1) << TYPE_BITS) | type;
    this.#ids.set(key, id);
    this.#byId.set(id, { name, type, value: 0n, count: 0 });
    return id;
  }

  get(id: number): Metric | undefined {
    return this.#byId.get(id);
  }

  /** In order of their definition. */
  values(): IterableIterator<Metric> {
    return this.#byId.values();
  }

  /** For whoever shows them. A gauge that was taken below zero is negative, not close to 2^64. */
  snapshot(): PluginMetric[] {
    return Array.from(this.values(), ({ name, type, value, count }) => ({
      name,
      type: TYPE_NAMES[type],
      value: type === MetricType.Gauge ? BigInt.asIntN(64, value) : value,
      count: type === MetricType.Histogram ? count : 0,
    }));
  }
}

export function metricFunctions(guest: Guest) {
  const { metrics, log } = guest.resources;
  return {
    /** @returns BadArgument for a bad type or an empty or long name; InternalFailure when full */
    proxy_define_metric(
      type: number,
      namePtr: number,
      nameLength: number,
      resultPtr: number,
    ): Status {
      if (!isMetricType(type)) return Status.BadArgument;
      const { memory } = guest;
      if (!memory.contains(namePtr, nameLength) || !memory.contains(resultPtr, 4)) {
        return Status.InvalidMemoryAccess;
      }
      // Three bytes make at least one char, so what is cut here is too long.
      const taken = Math.min(nameLength >>> 0, 3 * LIMITS.guestNameBytesMax + 1);
      const name = memory.utf8(namePtr, taken) ?? "";
      if (name === "" || name.length > LIMITS.guestNameBytesMax) return Status.BadArgument;
      const id = metrics.define(type, name);
      if (id === undefined) {
        log.warnOnce("metrics", `Cannot define more than ${LIMITS.guestMetricsMax} metrics`);
        return Status.InternalFailure;
      }
      guest.memory.writeU32(resultPtr, id);
      return Status.Ok;
    },

    /** A counter only grows; a gauge goes both ways; a histogram cannot be incremented. */
    proxy_increment_metric(id: number, delta: bigint): Status {
      const metric = metrics.get(id);
      if (metric === undefined) return Status.NotFound;
      if (metric.type === MetricType.Histogram) return Status.BadArgument;
      if (metric.type === MetricType.Counter && delta <= 0n) return Status.BadArgument;
      metric.value = BigInt.asUintN(64, metric.value + delta);
      return Status.Ok;
    },

    /** Adds to a counter, sets a gauge, records into a histogram. */
    proxy_record_metric(id: number, value: bigint): Status {
      const metric = metrics.get(id);
      if (metric === undefined) return Status.NotFound;
      const base = metric.type === MetricType.Gauge ? 0n : metric.value;
      metric.value = BigInt.asUintN(64, base + BigInt.asUintN(64, value));
      metric.count++;
      return Status.Ok;
    },

    proxy_get_metric(id: number, resultPtr: number): Status {
      const metric = metrics.get(id);
      if (metric === undefined) return Status.NotFound;
      if (metric.type === MetricType.Histogram) return Status.BadArgument;
      const written = guest.memory.writeU64(resultPtr, metric.value);
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },
  };
}

function isMetricType(type: number): type is MetricType {
  return type === MetricType.Counter || type === MetricType.Gauge || type === MetricType.Histogram;
}
