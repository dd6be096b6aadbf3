/**
 * Plugins whose guests misbehave, on real instances. Under `bun test` no watch runs, so the time is
 * kept by fuel; test/hostile does the same against the executable, where a thread keeps it.
 */
import { describe, expect, test } from "bun:test";
import { deadlines } from "../../base/deadlines.ts";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { HttpFilter, Plugin } from "../../filter/filter.ts";
import { startFilter } from "../../filter/testing.ts";
import { startPlugin } from "./plugin.ts";
import type { GuestLimits, GuestSettings } from "../guest/settings.ts";
import { FakeFilterHost, FakePluginHost, load, PRELUDE, TEST_SETTINGS } from "./testing.ts";

/** Pauses when it has seen a request before. */
const REMEMBERING = `${PRELUDE}
  (func (export "proxy_on_request_headers") (param i32 i32) (param $end i32) (result i32)
    (if (i32.eqz (local.get $end)) (then unreachable))
    (i32.load (i32.const 1024))
    (i32.store (i32.const 1024) (i32.const 1)))`;

const LOOPING = `${PRELUDE}
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (loop $again (br $again)) unreachable)`;

describe("instances: shared", () => {
  test("keeps what a guest remembers from one exchange to the next", () => {
    const { plugin } = start(REMEMBERING);
    expect(seen(plugin)).toEqual(["continue", "pause", "pause"]);
  });

  test("is put back to its configuration by a failure, with its other exchanges failed", () => {
    const { plugin } = start(REMEMBERING);
    seen(plugin);
    const host = new FakeFilterHost();
    const bystander = startFilter(plugin, host);
    expect(attempt(() => startFilter(plugin, new FakeFilterHost()).onRequestHeaders(false))).toBe(
      "FILTER_FAILED",
    );
    expect(host.failures).toHaveLength(1);
    expect(seen(plugin)).toEqual(["continue", "pause", "pause"]);
    // Its context is unknown to the guest's new life.
    expect(attempt(() => bystander.onRequestHeaders(true))).toBe("FILTER_FAILED");
    bystander.onEnd();
  });

  test("gets its ticks back after a failure, without any exchange", async () => {
    const { host, plugin } = start(`
      (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      ${PRELUDE} (global $ticks (mut i32) (i32.const 0))
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (i32.eqz (call $tick (i32.const 10))))
      (func (export "proxy_on_tick") (param i32)
        (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0)))
        (if (global.get $ticks) (then unreachable))
        (global.set $ticks (i32.const 1)))`);
    const failures = (): number => host.logged.filter((line) => line.includes("failed")).length;
    for (let n = 0; n < 200 && failures() < 3; n++) await Bun.sleep(10);
    plugin.close();
    expect(failures()).toBeGreaterThanOrEqual(3);
    // Every second tick traps: the count is put back each time.
    expect(host.logged.filter((line) => line === "info: ").length).toBe(failures() * 2);
  });

  test("is replaced when it has grown, and serves what it has to the end", () => {
    const { host, plugin } = start(
      `${PRELUDE}
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (memory.grow (i32.const 3)))`,
      { limits: { recyclePages: 4 } },
    );
    const old = startFilter(plugin, new FakeFilterHost());
    expect(old.onRequestHeaders(true)).toBe("pause"); // The memory had 1 page, which is not 0.
    const second = startFilter(plugin, new FakeFilterHost());
    expect(second.onRequestHeaders(true)).toBe("pause");
    const next = startFilter(plugin, new FakeFilterHost());
    expect(plugin.status?.recycled).toBe(1);
    expect(host.logged).toEqual([expect.stringContaining("grown to 7 pages of 64 KiB, above")]);
    old.onRequestHeaders(true);
    old.onEnd();
    second.onEnd();
    next.onEnd();
    plugin.close();
  });

  test("is not replaced while it is no larger than it came out of its start", () => {
    const { host, plugin } = start(
      `${PRELUDE}
      (func (export "proxy_on_configure") (param i32 i32) (result i32) (memory.grow (i32.const 3)))
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (memory.grow (i32.const 1)))`,
      { limits: { recyclePages: 2 } },
    );
    startFilter(plugin, new FakeFilterHost()).onEnd();
    const filter = startFilter(plugin, new FakeFilterHost());
    expect(plugin.status?.recycled).toBe(0);
    filter.onRequestHeaders(true);
    filter.onEnd();
    startFilter(plugin, new FakeFilterHost()).onEnd();
    expect(plugin.status?.recycled).toBe(1);
    expect(host.logged).toEqual([expect.stringContaining("above limits.recycle or its start (4)")]);
    plugin.close();
  });

  test("grows to its limit and no further", () => {
    const { plugin } = start(
      `${PRELUDE}
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i32.ne (memory.size) (i32.const 16)))`,
      { limits: { memoryPages: 16, recyclePages: 16 } },
    );
    expect(startFilter(plugin, new FakeFilterHost()).onRequestHeaders(true)).toBe("continue");
  });
});

describe("instances: per_request", () => {
  const settings = { instances: "per_request" } as const;

  test("begins every exchange in a clean guest", () => {
    const { plugin } = start(REMEMBERING, settings);
    expect(seen(plugin)).toEqual(["continue", "continue", "continue"]);
  });

  test("begins in a clean one after a failure, too, and fails nobody else", () => {
    const { plugin } = start(REMEMBERING, settings);
    const host = new FakeFilterHost();
    const bystander = startFilter(plugin, host);
    expect(bystander.onRequestHeaders(true)).toBe("continue");
    expect(attempt(() => startFilter(plugin, new FakeFilterHost()).onRequestHeaders(false))).toBe(
      "FILTER_FAILED",
    );
    expect(host.failures).toEqual([]);
    expect(bystander.onRequestHeaders(true)).toBe("pause"); // It has kept its own state.
    bystander.onEnd();
    expect(seen(plugin)).toEqual(["continue", "continue", "continue"]);
    expect(plugin.status?.sandboxes).toEqual({ busy: 0, idle: 2, waiting: 0 });
  });

  test("hides memory that an exchange has added", () => {
    const { plugin } = start(
      `${PRELUDE}
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (memory.grow (i32.const 4)))
        (i32.load (i32.const 300000))
        (i32.store (i32.const 300000) (i32.const 7))
        (i32.or (i32.ne (memory.size) (i32.const 5))))`,
      settings,
    );
    expect(seen(plugin)).toEqual(["continue", "continue", "continue"]);
  });

  test("makes an exchange wait for its turn, then refuses", async () => {
    const { plugin } = start(REMEMBERING, { ...settings, pool: { ...ONE, queue: 1 } });
    const first = startFilter(plugin, new FakeFilterHost());
    const second = plugin.createFilter(new FakeFilterHost());
    expect(second).toBeInstanceOf(Promise);
    expect(attempt(() => plugin.createFilter(new FakeFilterHost()))).toBe("FILTER_OVERLOADED");
    first.onEnd();
    expect((await second).onRequestHeaders(true)).toBe("continue");
  });

  test("starts a guest for each exchange when it cannot be put back", () => {
    const { host, plugin } = start(
      `(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      ${REMEMBERING} (table $t 1 funcref)
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (table.set $t (i32.const 0) (ref.null func))
        (i32.eqz (call $log (i32.const 2) (i32.const 0) (i32.const 0))))`,
      settings,
    );
    expect(host.logged).toContain(
      "warn: cannot be put back to its start (it changes its tables or drops segments): " +
        "it is started anew each time",
    );
    const before = host.logged.length;
    expect(seen(plugin)).toEqual(["continue", "continue", "continue"]);
    // One of the first was warm already.
    expect(host.logged.length).toBe(before + 2);
  });

  test("gives up a guest that changes a table while it serves", () => {
    const { plugin } = start(
      `${PRELUDE} (table $t 1 funcref) (elem declare func $mark) (func $mark)
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (i32.eqz (ref.is_null (table.get $t (i32.const 0))))
        (table.set $t (i32.const 0) (ref.func $mark)))`,
      settings,
    );
    expect(seen(plugin)).toEqual(["continue", "continue", "continue"]);
    expect(plugin.status?.sandboxes?.idle).toBe(0);
  });

  test("delivers ticks to one long-lived guest, and none to the others", async () => {
    const { host, plugin } = start(
      `(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      ${PRELUDE}
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (i32.eqz (call $tick (i32.const 20))))
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (call $tick (i32.const 10)))
      (func (export "proxy_on_tick") (param i32)
        (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0))))`,
      { ...settings, pool: { ...ONE, size: 50, warm: 50 } },
    );
    const filters = Array.from({ length: 40 }, () => startFilter(plugin, new FakeFilterHost()));
    for (const filter of filters) expect(filter.onRequestHeaders(true)).toBe("continue");
    const ticks = (): number => host.logged.filter((line) => line === "info: ").length;
    while (ticks() === 0) await Bun.sleep(5);
    await Bun.sleep(100); // Forty guests that tick every 10 ms would have made 400 by then.
    expect(ticks()).toBeLessThan(12);
    plugin.close();
  });

  test("has the seed drawn in every copy before its exchange", () => {
    const { plugin } = start(
      `(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      ${PRELUDE}
      (func $seed (export "draw") (drop (call $random (i32.const 2048) (i32.const 8))))
      (func (export "_initialize") (call $seed))
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (i32.load (i32.const 2048)) (i32.ne (i32.load (i32.const 4000))))
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (i32.store (i32.const 4000) (i32.load (i32.const 2048))) (i32.const 1))`,
      { ...settings, seed: "draw" },
    );
    expect(seen(plugin)).toEqual(["pause", "pause", "pause"]);
  });

  test.each([
    ["its context", '(func (export "proxy_on_context_create") (param i32 i32)'],
    ["its seed", '(func (export "draw") (local i32 i32) (local.set 1 (i32.const 1))'],
  ])("has a guest back that fails already at %s", (_, opening) => {
    const { plugin } = start(
      `${PRELUDE} ${opening} (if (local.get 1) (then unreachable)))
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))`,
      { ...settings, pool: ONE, seed: opening.includes("draw") ? "draw" : undefined },
    );
    for (let n = 0; n < 3; n++) {
      const begin = (): HttpFilter => startFilter(plugin, new FakeFilterHost());
      expect(attempt(begin)).toBe("FILTER_FAILED");
      expect(plugin.status?.sandboxes?.busy).toBe(0);
    }
  });
});

describe("limits", () => {
  test.each(["shared", "per_request"] as const)("stop an endless loop, %s", (instances) => {
    const { host, plugin } = start(LOOPING, { instances, limits: { deadlineMs: 1 } });
    for (let n = 0; n < 5; n++) {
      const filter = startFilter(plugin, new FakeFilterHost());
      expect(attempt(() => filter.onRequestHeaders(true))).toBe("FILTER_DEADLINE");
    }
    expect(host.logged.at(-1)).toContain("it has used up its time: 1 ms (limits.deadline)");
    expect(plugin.status?.failures).toEqual({ deadline: 5 });
  });

  test("stop a loop that catches everything, and one that only calls the host", () => {
    for (const body of [
      "(loop $l (try (do (drop (call $n (i32.const 0) (i32.const -1)))) (catch_all)) (br $l))",
      "(loop $l (drop (call $n (i32.const 0) (i32.const -1))) (br $l))",
    ]) {
      const { plugin } = start(
        `(import "wasi_snapshot_preview1" "random_get" (func $n (param i32 i32) (result i32)))
        ${PRELUDE}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          ${body} unreachable)`,
        { limits: { deadlineMs: 1 } },
      );
      const filter = startFilter(plugin, new FakeFilterHost());
      expect(attempt(() => filter.onRequestHeaders(true))).toBe("FILTER_DEADLINE");
    }
  });

  test("stop a guest that has used up its instructions", () => {
    const { plugin } = start(LOOPING, { limits: { fuel: 1000 } });
    const filter = startFilter(plugin, new FakeFilterHost());
    expect(attempt(() => filter.onRequestHeaders(true))).toBe("FILTER_FUEL");
  });

  test("stop more host calls than one callback may make", () => {
    const { plugin } = start(
      `(import "env" "proxy_get_log_level" (func $level (param i32) (result i32)))
      ${PRELUDE}
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (local $n i32)
        (loop $l (drop (call $level (i32.const 0)))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $l (i32.le_u (local.get $n) (i32.const ${LIMITS.guestHostCallsMax}))))
        (i32.const 0))`,
      { limits: { deadlineMs: 20_000 } },
    );
    const filter = startFilter(plugin, new FakeFilterHost());
    expect(attempt(() => filter.onRequestHeaders(true))).toBe("FILTER_HOST_CALLS");
  });

  test("end an exchange that has used up its time, not its guest", () => {
    const { plugin } = start(
      `(import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
      ${PRELUDE}
      (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (local $until i64)
        (drop (call $now (i32.const 64)))
        (local.set $until (i64.add (i64.load (i32.const 64)) (i64.const 4000000)))
        (loop $l (drop (call $now (i32.const 64)))
          (br_if $l (i64.lt_u (i64.load (i32.const 64)) (local.get $until))))
        (i32.const 0))`,
      { limits: { totalMs: 10 } },
    );
    const filter = startFilter(plugin, new FakeFilterHost());
    const outcomes = [1, 2, 3, 4].map(() => attempt(() => filter.onRequestHeaders(true)));
    expect(outcomes).toContain("FILTER_DEADLINE");
    expect(outcomes[0]).toBe("continue");
    expect(plugin.status?.failures).toEqual({ deadline: 1 });
    expect(startFilter(plugin, new FakeFilterHost()).onRequestHeaders(true)).toBe("continue");
  });

  test("bound a start: a guest that loops in it is refused, with the step's name", () => {
    for (const [name, text] of [
      ["proxy_on_configure", `(func (export "proxy_on_configure") (param i32 i32) (result i32)`],
      ["proxy_on_vm_start", `(func (export "proxy_on_vm_start") (param i32 i32) (result i32)`],
      ["_initialize", `(func (export "_initialize") (result i32)`],
    ]) {
      const looping = `${PRELUDE} ${text} (loop $l (br $l)) unreachable)`;
      expect(() => start(looping, { limits: { startMs: 1 } })).toThrow(
        `${name} of plugin "test" failed: it has used up its time`,
      );
    }
  });
});

describe("breaker", () => {
  test("opens after so many failures, lets one exchange try, and closes", () => {
    const clock = { ms: 0 };
    const { host, plugin } = start(
      REMEMBERING,
      { instances: "per_request", breaker: { failures: 3, windowMs: 1000, openMs: 500 } },
      clock,
    );
    const fail = (): string =>
      attempt(() => startFilter(plugin, new FakeFilterHost()).onRequestHeaders(false));
    const succeed = (): string =>
      attempt(() => {
        const filter = startFilter(plugin, new FakeFilterHost());
        const action = filter.onRequestHeaders(true);
        filter.onEnd();
        return action;
      });
    expect([fail(), fail(), fail()]).toEqual(Array(3).fill("FILTER_FAILED"));
    expect(succeed()).toBe("FILTER_UNAVAILABLE");
    expect(plugin.status).toMatchObject({ breaker: "open", breakerOpened: 1 });
    clock.ms = 500;
    expect(fail()).toBe("FILTER_FAILED");
    expect(succeed()).toBe("FILTER_UNAVAILABLE");
    clock.ms = 1000;
    expect([succeed(), succeed()]).toEqual(["continue", "continue"]);
    expect(plugin.status).toMatchObject({ breaker: "closed", failures: { trap: 4 } });
    expect(host.logged.filter((line) => line.includes("breaker is")).length).toBe(5);
  });
});

describe("Plugin.close()", () => {
  test("leaves no deadline behind, whatever its guests have been through", () => {
    const armed = deadlines.armed;
    const { plugin } = start(REMEMBERING, { instances: "per_request" });
    attempt(() => startFilter(plugin, new FakeFilterHost()).onRequestHeaders(false));
    const filters = [1, 2, 3].map(() => startFilter(plugin, new FakeFilterHost()));
    plugin.close();
    for (const filter of filters) filter.onEnd();
    expect(deadlines.armed).toBe(armed);
    expect(plugin.status?.sandboxes).toEqual({ busy: 0, idle: 0, waiting: 0 });
  });
});

const ONE = { size: 1, warm: 1, queue: 0, waitMs: 1000 };

function start(
  text: string,
  settings: Partial<Omit<GuestSettings, "limits">> & { limits?: Partial<GuestLimits> } = {},
  clock = { ms: 0 },
) {
  const host = new FakePluginHost();
  const limits = { ...TEST_SETTINGS.limits, ...settings.limits };
  const plugin = startPlugin(
    load(`(module ${text})`, limits),
    host,
    { ...TEST_SETTINGS, ...settings, limits },
    () => clock.ms,
  );
  return { host, plugin };
}

/** What three exchanges in a row answer to their request's headers. */
function seen(plugin: Plugin): string[] {
  return [1, 2, 3].map(() => {
    const filter: HttpFilter = startFilter(plugin, new FakeFilterHost());
    const action = filter.onRequestHeaders(true);
    filter.onEnd();
    return action;
  });
}

function attempt(body: () => unknown): string {
  try {
    return String(body());
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return (error as GatewayError).code;
  }
}
