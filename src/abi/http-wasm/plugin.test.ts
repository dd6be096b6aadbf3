/** Whole guests, on real instances: what scripted ones cannot show. */
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { CALLBACK, type Plugin } from "../../filter/filter.ts";
import { startFilter } from "../../filter/testing.ts";
import { HeaderList } from "../../http/headers.ts";
import { PluginRefused } from "../guest/guest-kind.ts";
import type { GuestLimits, GuestSettings } from "../guest/settings.ts";
import { FakeFilterHost, FakePluginHost, load, TEST_SETTINGS } from "../proxy-wasm/testing.ts";
import { startHttpWasmPlugin } from "./plugin.ts";

const MEMORY = '(memory (export "memory") 1)';
const NO_RESPONSE = '(func (export "handle_response") (param i32 i32))';

/** Counts its calls in memory, and answers the count as the exchange's number. */
const COUNTING = `${MEMORY}
  (func (export "handle_request") (result i64)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i64.or (i64.const 1) (i64.shl (i64.extend_i32_u (i32.load (i32.const 0))) (i64.const 32))))
  (func (export "handle_response") (param $ctx i32) (param $error i32)
    (if (i32.ne (local.get $ctx) (i32.load (i32.const 0))) (then unreachable)))`;

const IMPORTS = {
  enable: '(import "http_handler" "enable_features" (func $enable (param i32) (result i32)))',
  config: '(import "http_handler" "get_config" (func $config (param i32 i32) (result i32)))',
  log: '(import "http_handler" "log" (func $log (param i32 i32 i32)))',
  uri: '(import "http_handler" "set_uri" (func $uri (param i32 i32)))',
  read: '(import "http_handler" "read_body" (func $read (param i32 i32 i32) (result i64)))',
};

describe("startHttpWasmPlugin()", () => {
  test("runs the start section with its memory at hand: config and features", () => {
    const { host, plugin } = start(
      `${IMPORTS.enable} ${IMPORTS.config} ${IMPORTS.log} ${IMPORTS.read} ${MEMORY}
      (func $start
        (drop (call $enable (i32.const 3)))
        (call $log (i32.const 0) (i32.const 64) (call $config (i32.const 64) (i32.const 1024))))
      (start $start)
      (func (export "handle_request") (result i64)
        (i64.extend_i32_u (i32.eq (call $enable (i32.const 0)) (i32.const 3))))
      ${NO_RESPONSE}`,
      { configuration: Buffer.from('{"a":1}') },
    );
    expect(host.logged).toEqual(['info: {"a":1}']);
    expect(request(plugin).action).toBe("continue");
  });

  test("calls _start, which may end by proc_exit(0), and keeps the instance", () => {
    const { host, plugin } = start(
      `(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) ${IMPORTS.log}
      ${COUNTING} (data (i32.const 64) "started")
      (func (export "_start")
        (call $log (i32.const 1) (i32.const 64) (i32.const 7))
        (call $exit (i32.const 0)))`,
    );
    expect(host.logged).toEqual(["warn: started"]);
    expect(request(plugin).action).toBe("continue");
  });

  test.each(["wasi_snapshot_preview1", "wasi_unstable"])("prints to the log by %s", (wasi) => {
    const { host, plugin } = start(
      `(import "${wasi}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32))) ${MEMORY}
      (data (i32.const 64) "\\48\\00\\00\\00\\03\\00\\00\\00hey")
      (func (export "handle_request") (result i64)
        (drop (call $w (i32.const 2) (i32.const 64) (i32.const 1) (i32.const 128))) (i64.const 1))
      ${NO_RESPONSE}`,
    );
    request(plugin);
    expect(host.logged).toEqual(["error: hey"]);
  });

  test("costs bodies nothing when the module reads none", () => {
    const { plugin } = start(COUNTING);
    expect(plugin.callbacks).toBe(CALLBACK.requestHeaders | CALLBACK.responseHeaders);
    const reading = start(`${IMPORTS.read} ${COUNTING}`).plugin;
    expect(reading.callbacks & CALLBACK.responseBody).toBe(0);
    expect(reading.callbacks & CALLBACK.requestBody).toBe(CALLBACK.requestBody);
    const both = start(`${IMPORTS.read} ${IMPORTS.enable} ${COUNTING}`).plugin;
    expect(both.callbacks & CALLBACK.responseBody).toBe(CALLBACK.responseBody);
  });
});

describe("startHttpWasmPlugin() errors", () => {
  test.each([
    { name: "a missing export", text: `${MEMORY} ${NO_RESPONSE}`, says: '"handle_request"' },
    {
      name: "a start that traps",
      text: `${COUNTING} (func $s unreachable) (start $s)`,
      says: "the start section",
    },
    {
      name: "a request's function in the start",
      text: `${IMPORTS.uri} ${COUNTING}
        (func (export "_start") (call $uri (i32.const 0) (i32.const 0)))`,
      says: "Cannot call set_uri outside of a request",
    },
    {
      name: "a start that does not end",
      text: `${COUNTING} (func (export "_initialize") (loop $l (br $l)))`,
      says: "limits.start",
      limits: { startMs: 1 },
    },
  ])("refuses $name", ({ text, says, limits }) => {
    expect(() => start(text, { limits })).toThrow(PluginRefused);
    expect(() => start(text, { limits })).toThrow(says);
  });
});

describe("instances", () => {
  test("shared remembers, and several exchanges live at once in it", () => {
    const { plugin } = start(COUNTING);
    const first = request(plugin);
    const second = request(plugin);
    expect(respond(second)).toBe("continue");
    // The guest compares with the last count: the first exchange still has its own number.
    expect(() => respond(first)).toThrow(GatewayError);
  });

  test("per_request begins every exchange in a clean sandbox, and serves it to its end", () => {
    const { plugin } = start(COUNTING, { instances: "per_request" });
    for (let n = 0; n < 3; n++) {
      const exchange = request(plugin);
      expect(plugin.status?.sandboxes?.busy).toBe(1);
      expect(respond(exchange)).toBe("continue");
      // The client may take hours for the body: nobody needs the guest for that.
      expect(plugin.status?.sandboxes?.busy).toBe(0);
      exchange.filter.onEnd();
      expect(plugin.status?.sandboxes?.busy).toBe(0);
    }
    const both = [request(plugin), request(plugin)];
    expect(both.map(respond)).toEqual(["continue", "continue"]);
    for (const { filter } of both) filter.onEnd();
    expect(plugin.status?.failures).toEqual({});
    plugin.close();
  });

  test("shared fails no exchange that it has nothing to do with any more", () => {
    const { plugin } = start(COUNTING);
    const [gone, first, last] = [request(plugin), request(plugin), request(plugin)];
    gone.filter.onEnd();
    expect(respond(last)).toBe("continue");
    expect(() => respond(first)).toThrow(GatewayError);
    expect(last.host.failures).toEqual([]);
    last.filter.onEnd();
  });

  test("is put back to its start, features included, when it has failed", () => {
    const { host, plugin } = start(
      `${IMPORTS.enable} ${MEMORY}
      (func $start (drop (call $enable (i32.const 1)))) (start $start)
      (func (export "handle_request") (result i64)
        (if (i32.ne (call $enable (i32.const 0)) (i32.const 1)) (then unreachable))
        (if (i32.load (i32.const 0)) (then unreachable))
        (i32.store (i32.const 0) (i32.const 1))
        (i64.const 1))
      ${NO_RESPONSE}`,
    );
    const first = request(plugin);
    expect(() => request(plugin)).toThrow("Unreachable code");
    expect(first.host.failures).toHaveLength(1);
    expect(request(plugin).action).toBe("continue");
    // The exchange of the earlier life is not known any more.
    expect(() => respond(first)).toThrow("put back to its start");
    expect(host.logged).toEqual([expect.stringContaining("handle_request failed: trap")]);
  });

  test("closed answers no more exchanges", () => {
    const { plugin } = start(COUNTING);
    plugin.close();
    plugin.close();
    expect(() => request(plugin)).toThrow("it is closed");
  });
});

describe("a guest that fails", () => {
  const MISUSING = `${IMPORTS.uri} ${MEMORY}
    (func (export "handle_request") (result i64)
      (call $uri (i32.const -1) (i32.const -1)) (i64.const 1))
    ${NO_RESPONSE}`;

  test("by misuse of a host function traps, with the reason in the log", () => {
    const { host, plugin } = start(MISUSING);
    expect(() => request(plugin)).toThrow(GatewayError);
    expect(host.logged).toEqual([
      "critical: handle_request failed: Cannot use 4294967295 bytes at 4294967295: " +
        "they lie outside of the memory",
    ]);
    expect(plugin.status?.failures).toEqual({ trap: 1 });
  });

  test("cannot go on by catching what a host function throws", () => {
    const { plugin } = start(
      `${IMPORTS.uri} ${MEMORY}
      (func (export "handle_request") (result i64)
        (try (do (call $uri (i32.const -1) (i32.const -1))) (catch_all))
        (try (do (call $uri (i32.const 0) (i32.const 0))) (catch_all)) (i64.const 1))
      ${NO_RESPONSE}`,
    );
    const host = new FakeFilterHost();
    expect(() => startFilter(plugin, host).onRequestHeaders(true)).toThrow("outside of the memory");
    expect(host.request.target).toBe("/a?b=c");
  });

  test("opens the breaker", () => {
    const breaker = { failures: 2, windowMs: 1000, openMs: 1000 };
    const { plugin } = start(MISUSING, { breaker });
    for (let n = 0; n < 2; n++) expect(() => request(plugin)).toThrow("outside");
    expect(() => request(plugin)).toThrow("breaker is open");
  });

  test.each(["shared", "per_request"] as const)(
    "%s: has the breaker close again when it works again",
    (instances) => {
      const clock = { nowMs: 0 };
      const breaker = { failures: 1, windowMs: 1000, openMs: 1000 };
      const { plugin } = start(TRAPPING_ONCE_TOLD, { instances, breaker, clock });
      expect(() => request(plugin, "POST")).toThrow("Unreachable");
      expect(() => request(plugin)).toThrow("breaker is open");
      clock.nowMs = 1001;
      respond(request(plugin));
      expect(plugin.status?.breaker).toBe("closed");
    },
  );

  test.each(["shared", "per_request"] as const)(
    "%s: by its total, and counts that",
    (instances) => {
      const spending = `${MEMORY} (func (export "handle_request") (result i64) (i64.const 1))
      ${NO_RESPONSE}`;
      const { plugin } = start(spending, { instances, limits: { totalMs: 5 } });
      const exchange = request(plugin);
      (exchange.filter as unknown as { spentMs: number }).spentMs = 5;
      expect(() => respond(exchange)).toThrow("limits.total");
      expect(plugin.status?.failures).toEqual({ deadline: 1 });
    },
  );

  test("by its deadline, its fuel and its total", () => {
    const looping = `${MEMORY}
      (func (export "handle_request") (result i64) (loop $l (br $l)) (i64.const 1)) ${NO_RESPONSE}`;
    const limited = (limits: Partial<GuestLimits>): string => {
      try {
        request(start(looping, { limits }).plugin);
        return "nothing";
      } catch (error) {
        return error instanceof GatewayError ? error.code : String(error);
      }
    };
    expect(limited({ deadlineMs: 1 })).toBe("FILTER_DEADLINE");
    expect(limited({ fuel: 10_000 })).toBe("FILTER_FUEL");
    expect(limited({ totalMs: 1 })).toBe("FILTER_DEADLINE");
  });

  test("grows to its limit and no further", () => {
    const { plugin } = start(
      `${MEMORY} (func (export "handle_request") (result i64)
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (i64.extend_i32_u (i32.eq (memory.size) (i32.const 16))))
      ${NO_RESPONSE}`,
      { limits: { memoryPages: 16, recyclePages: 16 } },
    );
    expect(request(plugin).action).toBe("continue");
  });
});

/** Traps on POST. */
const TRAPPING_ONCE_TOLD = `
  (import "http_handler" "get_method" (func $method (param i32 i32) (result i32))) ${MEMORY}
  (func (export "handle_request") (result i64)
    (if (i32.eq (call $method (i32.const 0) (i32.const 64)) (i32.const 4)) (then unreachable))
    (i64.const 1))
  ${NO_RESPONSE}`;

interface Options {
  readonly clock?: { nowMs: number };
  readonly configuration?: Uint8Array;
  readonly limits?: Partial<GuestLimits> | undefined;
  readonly instances?: GuestSettings["instances"];
  readonly breaker?: GuestSettings["breaker"];
}

function start(text: string, { configuration, limits, clock, ...rest }: Options = {}) {
  const host = new FakePluginHost();
  if (configuration !== undefined) host.configuration = configuration;
  const settings = { ...TEST_SETTINGS, ...rest, limits: { ...TEST_SETTINGS.limits, ...limits } };
  const module = load(`(module ${text})`, settings.limits);
  const nowMs = clock && (() => clock.nowMs);
  return { host, plugin: startHttpWasmPlugin(module, host, settings, nowMs) };
}

function request(plugin: Plugin, method = "GET") {
  const host = new FakeFilterHost();
  host.request.method = method;
  const filter = startFilter(plugin, host);
  return { host, filter, action: filter.onRequestHeaders(true) };
}

function respond({ host, filter }: ReturnType<typeof request>) {
  host.response = { status: 200, headers: new HeaderList() };
  return filter.onResponseHeaders(true);
}
