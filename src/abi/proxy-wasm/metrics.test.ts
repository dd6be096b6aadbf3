import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { BAD, OUT, ScriptedGuest } from "./testing.ts";
import { MetricType, Status } from "./types.ts";

const { Counter, Gauge, Histogram } = MetricType;

describe("proxy_define_metric()", () => {
  test("gives the same name and type the same id, and tells the type in it", () => {
    const { define } = open();
    const id = define(Counter, "hits");
    expect(define(Counter, "hits")).toBe(id);
    const gauge = define(Gauge, "hits");
    expect(gauge).not.toBe(id);
    expect([id & 3, gauge & 3, define(Histogram, "hits") & 3]).toEqual([0, 1, 2]);
  });

  test("keeps metrics apart from the guest, for whoever shows them", () => {
    const { kit, define, env } = open();
    const id = define(Counter, "hits");
    env((e) => e.proxy_increment_metric(id, 3n));
    const [metric] = kit.guest.resources.metrics.values();
    expect(metric).toEqual({ name: "hits", type: Counter, value: 3n, count: 0 });
  });
});

describe("Metrics.snapshot()", () => {
  test("tells names, types and values, a gauge below zero as such", () => {
    const { kit, define, env } = open();
    const counter = define(Counter, "c");
    const gauge = define(Gauge, "g");
    const histogram = define(Histogram, "h");
    env((e) => {
      e.proxy_record_metric(counter, 4n);
      e.proxy_increment_metric(gauge, -2n);
      for (const value of [2n, 3n]) e.proxy_record_metric(histogram, value);
    });
    expect(kit.guest.resources.metrics.snapshot()).toEqual([
      { name: "c", type: "counter", value: 4n, count: 0 },
      { name: "g", type: "gauge", value: -2n, count: 0 },
      { name: "h", type: "histogram", value: 5n, count: 2 },
    ]);
  });
});

describe("proxy_define_metric() errors", () => {
  test("refuses unknown types, empty and long names, and bad addresses", () => {
    const { kit, env } = open();
    env((e) => {
      const name = kit.put("n");
      expect(e.proxy_define_metric(3, ...name, OUT)).toBe(Status.BadArgument);
      expect(e.proxy_define_metric(-1, ...name, OUT)).toBe(Status.BadArgument);
      expect(e.proxy_define_metric(0, name[0], 0, OUT)).toBe(Status.BadArgument);
      const long = kit.put("n".repeat(LIMITS.guestNameBytesMax + 1));
      expect(e.proxy_define_metric(0, ...long, OUT)).toBe(Status.BadArgument);
      expect(e.proxy_define_metric(0, BAD, 1, OUT)).toBe(Status.InvalidMemoryAccess);
      expect(e.proxy_define_metric(0, ...name, BAD)).toBe(Status.InvalidMemoryAccess);
    });
    expect([...kit.guest.resources.metrics.values()]).toEqual([]);
  });

  test("defines no more than the limit", () => {
    const { kit, env, define } = open();
    for (let n = 0; n < LIMITS.guestMetricsMax; n++) define(Counter, `m${n}`);
    const status = env((e) => e.proxy_define_metric(Counter, ...kit.put("more"), OUT));
    expect(status).toBe(Status.InternalFailure);
    expect(define(Counter, "m0")).toBeGreaterThan(0); // Known ones stay reachable.
  });
});

describe("proxy_increment_metric()", () => {
  test("lets a counter grow and a gauge go both ways", () => {
    const { define, env, read } = open();
    const counter = define(Counter, "c");
    const gauge = define(Gauge, "g");
    env((e) => {
      expect(e.proxy_increment_metric(counter, 2n)).toBe(Status.Ok);
      expect(e.proxy_increment_metric(counter, 3n)).toBe(Status.Ok);
      expect(e.proxy_increment_metric(gauge, 5n)).toBe(Status.Ok);
      expect(e.proxy_increment_metric(gauge, -2n)).toBe(Status.Ok);
    });
    expect([read(counter), read(gauge)]).toEqual([5n, 3n]);
  });

  test("refuses what a type cannot do, and unknown ids", () => {
    const { define, env } = open();
    const counter = define(Counter, "c");
    const histogram = define(Histogram, "h");
    env((e) => {
      expect(e.proxy_increment_metric(counter, 0n)).toBe(Status.BadArgument);
      expect(e.proxy_increment_metric(counter, -1n)).toBe(Status.BadArgument);
      expect(e.proxy_increment_metric(histogram, 1n)).toBe(Status.BadArgument);
      expect(e.proxy_increment_metric(999, 1n)).toBe(Status.NotFound);
    });
  });
});

describe("proxy_record_metric()", () => {
  test("adds to a counter, sets a gauge, records into a histogram", () => {
    const { kit, define, env, read } = open();
    const counter = define(Counter, "c");
    const gauge = define(Gauge, "g");
    const histogram = define(Histogram, "h");
    env((e) => {
      for (const value of [4n, 6n]) {
        for (const id of [counter, gauge, histogram]) e.proxy_record_metric(id, value);
      }
      expect(e.proxy_record_metric(999, 1n)).toBe(Status.NotFound);
    });
    expect([read(counter), read(gauge)]).toEqual([10n, 6n]);
    expect(kit.guest.resources.metrics.get(histogram)).toMatchObject({ value: 10n, count: 2 });
  });

  test("takes values as unsigned and stays within 64 bits", () => {
    const { define, env, read } = open();
    const gauge = define(Gauge, "g");
    env((e) => e.proxy_record_metric(gauge, -1n));
    expect(read(gauge)).toBe(0xffff_ffff_ffff_ffffn);
    env((e) => e.proxy_increment_metric(gauge, 2n));
    expect(read(gauge)).toBe(1n);
  });
});

describe("proxy_get_metric() errors", () => {
  test("refuses histograms, unknown ids and bad addresses", () => {
    const { define, env } = open();
    const histogram = define(Histogram, "h");
    const counter = define(Counter, "c");
    env((e) => {
      expect(e.proxy_get_metric(histogram, OUT)).toBe(Status.BadArgument);
      expect(e.proxy_get_metric(999, OUT)).toBe(Status.NotFound);
      expect(e.proxy_get_metric(counter, BAD)).toBe(Status.InvalidMemoryAccess);
    });
  });
});

function open() {
  const kit = new ScriptedGuest();
  const env = <T>(body: (env: ScriptedGuest["env"]) => T): T => kit.within(undefined, body);
  return {
    kit,
    env,
    define: (type: number, name: string): number => {
      const status = env((e) => e.proxy_define_metric(type, ...kit.put(name), OUT));
      expect(status).toBe(Status.Ok);
      return kit.u32(OUT);
    },
    read: (id: number): bigint => {
      expect(env((e) => e.proxy_get_metric(id, OUT))).toBe(Status.Ok);
      return kit.u64(OUT);
    },
  };
}
