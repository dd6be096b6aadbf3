import { describe, expect, test } from "bun:test";
import { deadlines } from "../../base/deadlines.ts";
import { BAD, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_set_tick_period_milliseconds()", () => {
  test("lets the root context tick until it is told to stop", async () => {
    const ticks: number[] = [];
    const done = Promise.withResolvers<void>();
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_configure: () => kit.env.proxy_set_tick_period_milliseconds(1),
      proxy_on_tick: (root = 0) => {
        ticks.push(root);
        if (ticks.length < 3) return;
        kit.env.proxy_set_tick_period_milliseconds(0);
        done.resolve();
      },
    });
    const armed = deadlines.armed;
    kit.guest.call("proxy_on_configure", undefined, 1);
    expect(deadlines.armed).toBe(armed + 1);
    await done.promise;
    expect(ticks).toEqual([1, 1, 1]); // The root context's id.
    expect(deadlines.armed).toBeLessThanOrEqual(armed); // Those of other tests may have passed.
  });

  test("has one timer: another period takes the place of the last", () => {
    const kit = new ScriptedGuest();
    const armed = deadlines.armed;
    kit.within(undefined, (env) => {
      expect(env.proxy_set_tick_period_milliseconds(1000)).toBe(Status.Ok);
      expect(env.proxy_set_tick_period_milliseconds(0xffff_ffff)).toBe(Status.Ok);
    });
    expect(deadlines.armed).toBe(armed + 1);
    kit.guest.rootEvents.stop();
    expect(deadlines.armed).toBe(armed);
  });

  test("delays the next tick by as long as the last one took", async () => {
    const WORK_MS = 30;
    const done = Promise.withResolvers<void>();
    const began: number[] = [];
    const ended: number[] = [];
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_configure: () => kit.env.proxy_set_tick_period_milliseconds(10),
      proxy_on_tick: () => {
        began.push(performance.now());
        Bun.sleepSync(WORK_MS); // The work is that it takes so long.
        ended.push(performance.now());
        if (ended.length < 3) return;
        kit.env.proxy_set_tick_period_milliseconds(0);
        done.resolve();
      },
    });
    kit.guest.call("proxy_on_configure", undefined, 1);
    await done.promise;
    for (const at of [1, 2]) {
      expect((began[at] ?? 0) - (ended[at - 1] ?? 0)).toBeGreaterThanOrEqual(WORK_MS - 1);
    }
  });

  test("does not fire while another worker is the one that ticks", async () => {
    let ticks = 0;
    const fired = Promise.withResolvers<void>();
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_tick: () => {
        ticks++;
        fired.resolve();
      },
    });
    kit.host.mayTick = false;
    kit.guest.rootEvents.setTick(10);
    await new Promise<void>((resolve) => void deadlines.arm(60, resolve)); // Six ticks.
    expect(ticks).toBe(0);
    kit.host.mayTick = true;
    await fired.promise;
    kit.guest.rootEvents.stop();
  });

  test("stops when the guest has failed", async () => {
    const done = Promise.withResolvers<void>();
    let ticks = 0;
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_configure: () => kit.env.proxy_set_tick_period_milliseconds(1),
      proxy_on_tick: () => {
        ticks++;
        done.resolve();
        throw new WebAssembly.RuntimeError("on purpose");
      },
    });
    const armed = deadlines.armed;
    kit.guest.call("proxy_on_configure", undefined, 1);
    await done.promise;
    expect(deadlines.armed).toBeLessThanOrEqual(armed); // Those of other tests may have passed.
    expect(ticks).toBe(1);
    expect(kit.host.logged).toEqual(["critical: proxy_on_tick failed: trap: on purpose"]);
  });
});

describe("proxy_get_current_time_nanoseconds()", () => {
  test("writes the time of day, at any address", () => {
    const kit = new ScriptedGuest();
    expect(kit.env.proxy_get_current_time_nanoseconds(OUT + 1)).toBe(Status.Ok);
    const ms = Number(kit.u64(OUT + 1) / 1_000_000n);
    expect(Math.abs(ms - Date.now())).toBeLessThan(5000);
    expect(kit.env.proxy_get_current_time_nanoseconds(BAD)).toBe(Status.InvalidMemoryAccess);
  });
});
