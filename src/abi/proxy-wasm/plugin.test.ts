import { describe, expect, test } from "bun:test";
import { deadlines } from "../../base/deadlines.ts";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { startPlugin } from "./plugin.ts";
import { FakeFilterHost, FakePluginHost, load, PRELUDE, TEST_SETTINGS } from "./testing.ts";
import { startFilter } from "../../filter/testing.ts";

/** Traps when a request has a body to come; pauses every request but its first. */
const TRAPPING = `
  (global $requests (mut i32) (i32.const 0))
  (func (export "proxy_on_request_headers")
    (param i32 i32) (param $end i32) (result i32)
    (if (i32.eqz (local.get $end)) (then unreachable))
    (global.set $requests (i32.add (global.get $requests) (i32.const 1)))
    (i32.gt_u (global.get $requests) (i32.const 1)))`;

describe("Plugin.createFilter()", () => {
  test("runs all exchanges on one guest", () => {
    const { plugin } = start(`${PRELUDE} ${TRAPPING}`);
    expect(startFilter(plugin, new FakeFilterHost()).onRequestHeaders(true)).toBe("continue");
    expect(startFilter(plugin, new FakeFilterHost()).onRequestHeaders(true)).toBe("pause");
  });

  test("puts the guest back after a trap to how it was configured", () => {
    const { host, plugin } = start(`
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      ${PRELUDE} ${TRAPPING} (data (i32.const 16) "configured")
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (i32.eqz (call $log (i32.const 2) (i32.const 16) (i32.const 10))))`);
    const good = new FakeFilterHost();
    const bystander = startFilter(plugin, good);
    expect(bystander.onRequestHeaders(true)).toBe("continue");
    const filter = startFilter(plugin, new FakeFilterHost());
    expect(() => filter.onRequestHeaders(false)).toThrow("trap: Unreachable");
    expect(good.failures).toHaveLength(1);
    expect(() => bystander.onResponseHeaders(true)).toThrow(GatewayError);

    const fresh = startFilter(plugin, new FakeFilterHost());
    expect(fresh.onRequestHeaders(true)).toBe("continue"); // Its counter starts again.
    expect(host.logged).toEqual([
      "info: configured",
      expect.stringMatching(/^critical: proxy_on_request_headers failed: trap: Unreachable/),
    ]);
  });

  test("tells the chain which callbacks it wants", () => {
    const { plugin } = start(`${PRELUDE}
      (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) i32.const 0)
      (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) i32.const 0)`);
    expect(plugin.callbacks).toBe(2 | 32);
    expect(plugin).toMatchObject({ name: "test", failOpen: false });
  });
});

describe("Plugin.createFilter() errors", () => {
  test("starts again three times in a row, then once in a second", () => {
    const clock = { ms: 0 };
    const { host, plugin } = start(STARTS_ONCE, clock);
    const attempt = (): string => failure(() => startFilter(plugin, new FakeFilterHost()));
    trap(plugin);
    const starts = (): number => host.logged.filter((line) => line.includes("again")).length;
    for (let n = 1; n <= LIMITS.guestStartFailuresMax; n++) {
      expect(attempt()).toContain("proxy_on_configure answered false");
      expect(starts()).toBe(n);
    }
    expect(attempt()).toContain("3 starts in a row have failed, the next is in 1000 ms");
    clock.ms = 999;
    expect(attempt()).toContain("the next is in 1 ms");
    expect(starts()).toBe(3);
    clock.ms = 1000;
    expect(attempt()).toContain("answered false");
    expect(attempt()).toContain("the next is in 1000 ms");
    expect(starts()).toBe(4);
  });

  test("fails an exchange whose context cannot be created, and no other", () => {
    const { plugin } = start(`${PRELUDE}
      (func (export "proxy_on_context_create") (param $id i32) (param i32)
        (if (i32.eq (local.get $id) (i32.const 3)) (then unreachable)))`);
    startFilter(plugin, new FakeFilterHost());
    expect(() => startFilter(plugin, new FakeFilterHost())).toThrow("proxy_on_context_create");
    expect(() => startFilter(plugin, new FakeFilterHost())).not.toThrow();
  });

  test("works on after a failed start when the next one succeeds", () => {
    const { host, plugin } = start(STARTS_ONCE);
    trap(plugin);
    expect(failure(() => startFilter(plugin, new FakeFilterHost()))).toContain("answered false");
    host.configuration = new Uint8Array(1); // What the guest looks at.
    expect(() => startFilter(plugin, new FakeFilterHost())).not.toThrow();
  });
});

describe("Plugin.close()", () => {
  test("ends the root context: done, delete, and nothing after it", () => {
    const { host, plugin } = start(`${LOGGING}
      (func (export "proxy_on_done") (param i32) (result i32)
        (call $say (i32.const 68)) (i32.const 1))
      (func (export "proxy_on_delete") (param i32) (call $say (i32.const 88)))`);
    plugin.close();
    plugin.close();
    expect(host.logged).toEqual(["info: D", "info: X"]);
    expect(failure(() => startFilter(plugin, new FakeFilterHost()))).toContain("it is closed");
  });

  test("stops ticks and cancels call-outs", () => {
    const armed = deadlines.armed;
    const { host, plugin } = start(`${CALLING} ${PRELUDE} ${CALL_AND_TICK}`);
    expect(host.calls).toHaveLength(1);
    expect(deadlines.armed).toBe(armed + 1);
    plugin.close();
    expect(host.cancelled).toBe(1);
    expect(deadlines.armed).toBe(armed);
  });

  test("waits for proxy_done when the guest is not done, with its call-outs alive", () => {
    const armed = deadlines.armed;
    const { host, plugin } = start(`${CALLING}
      (import "env" "proxy_done" (func $done (result i32)))
      ${LOGGING} ${CALL_AND_TICK}
      (func (export "proxy_on_done") (param i32) (result i32) (i32.const 0))
      (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
        (call $say (i32.add (i32.const 48) (call $done)))
        (call $say (i32.add (i32.const 48) (call $done))))
      (func (export "proxy_on_delete") (param i32) (call $say (i32.const 88)))`);
    expect(host.logged.splice(0)).toEqual([expect.stringContaining("it is started anew")]);
    plugin.close();
    expect(host.logged).toEqual([]);
    expect(host.cancelled).toBe(0);
    const headers = new HeaderList();
    host.calls[0]?.done({ status: 200, headers, body: new Uint8Array(), trailers: undefined });
    // Ok the first time, NotFound the second; deleted when the callback had returned.
    expect(host.logged).toEqual(["info: 0", "info: 1", "info: X"]);
    expect(deadlines.armed).toBe(armed);
  });

  test("lets a guest that traps while it is closed go", () => {
    const { host, plugin } = start(`${PRELUDE}
      (func (export "proxy_on_done") (param i32) (result i32) unreachable)
      (func (export "proxy_on_delete") (param i32) unreachable)`);
    plugin.close();
    expect(host.logged).toEqual([expect.stringContaining("proxy_on_done failed")]);
  });
});

const LOGGING = `
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  ${PRELUDE}
  (func $say (param $letter i32)
    (i32.store8 (i32.const 8) (local.get $letter))
    (drop (call $log (i32.const 2) (i32.const 8) (i32.const 1))))`;

const CALLING = `
  (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
  (import "env" "proxy_http_call"
    (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))`;

/** :method GET, :path /, :authority a */
const HEAD =
  "03000000 07000000 03000000 05000000 01000000 0a000000 01000000" +
  "3a6d6574686f6400 47455400 3a7061746800 2f00 3a617574686f7269747900 6100";

const CALL_AND_TICK = `
  (data (i32.const 1024) "${HEAD.replaceAll(" ", "").replaceAll(/../g, "\\$&")}")
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $tick (i32.const 60000)))
    (i32.eqz (call $call (i32.const 1048) (i32.const 1)
      (i32.const 1024) (i32.const ${HEAD.replaceAll(" ", "").length / 2})
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))))`;

/**
 * Configures by a configuration of one byte only; traps on every request's headers. It has no image
 * because it changes a table.
 */
const STARTS_ONCE = `${PRELUDE} (table $t 1 funcref)
  (func (export "proxy_on_configure") (param i32) (param $length i32) (result i32)
    (table.set $t (i32.const 0) (ref.null func))
    (local.get $length))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) unreachable)`;

function start(text: string, clock = { ms: 0 }) {
  const host = new FakePluginHost();
  host.configuration = new Uint8Array(1);
  const plugin = startPlugin(load(`(module ${text})`), host, TEST_SETTINGS, () => clock.ms);
  host.configuration = new Uint8Array(0);
  return { host, plugin };
}

function trap(plugin: ReturnType<typeof startPlugin>): void {
  const filter = startFilter(plugin, new FakeFilterHost());
  expect(() => filter.onRequestHeaders(true)).toThrow("trap");
}

function failure(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe("FILTER_UNAVAILABLE");
    return (error as GatewayError).message;
  }
  throw new Error("nothing was thrown");
}
