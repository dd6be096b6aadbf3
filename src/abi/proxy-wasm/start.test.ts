import { describe, expect, test } from "bun:test";
import { deadlines } from "../../base/deadlines.ts";
import { startPlugin } from "./plugin.ts";
import { PluginRefused } from "../guest/guest-kind.ts";
import { FakeFilterHost, FakePluginHost, load, PRELUDE, TEST_SETTINGS } from "./testing.ts";
import { startFilter } from "../../filter/testing.ts";

const LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';

describe("startPlugin() starts a guest", () => {
  test("in the order that SDKs rely on, with context 1 and the lengths of configurations", () => {
    const { host } = start(`${CALLS}
      (func $start (call $called (i32.const 100))) (start $start)
      ${callback("_initialize", 0, 200)}
      ${callback("main", 2, 300)}
      ${callback("__main_void", 0, 350)}
      ${callback("_start", 0, 380)}
      ${callback("proxy_on_context_create", 2, 400)}
      ${callback("proxy_on_vm_start", 2, 500, 1)}
      ${callback("proxy_on_configure", 2, 600, 1)}`);
    expect(host.logged).toEqual(
      [
        "start section",
        "_initialize",
        "main 0 0",
        "context_create 1 0",
        "vm_start 1 2",
        "configure 1 6",
      ].map((line) => `info: ${line}`),
    );
  });

  test("by __main_void where there is no main", () => {
    const { host } = start(
      `${CALLS} ${callback("_initialize", 0, 200)} ${callback("__main_void", 0, 350)}`,
    );
    expect(host.logged).toEqual(["info: _initialize", "info: __main_void"]);
  });

  test("by _start where it is a command, and keeps the instance", () => {
    const { host, plugin } = start(
      `${CALLS} ${callback("_start", 0, 380)} ${callback("proxy_on_log", 1, 700)}`,
    );
    startFilter(plugin, new FakeFilterHost()).onEnd();
    expect(host.logged).toEqual(["info: _start", "info: log 2"]);
  });

  test("whose _start ends by proc_exit(0)", () => {
    const { plugin } = start(`
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) ${PRELUDE}
      (func (export "_start") (call $exit (i32.const 0)) unreachable)`);
    expect(() => startFilter(plugin, new FakeFilterHost())).not.toThrow();
  });

  test("whose start section calls host functions with addresses", () => {
    const { host } = start(`${LOG} ${PRELUDE} (data (i32.const 16) "from the start section")
      (func $start (drop (call $log (i32.const 2) (i32.const 16) (i32.const 22)))) (start $start)`);
    expect(host.logged).toEqual(["info: from the start section"]);
  });

  test("whose start section can do nothing but log", () => {
    const { host } = start(`${LOG}
      (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
      ${PRELUDE} (data (i32.const 16) "refused")
      (func $start (if (i32.eq (call $tick (i32.const 1)) (i32.const 10))
        (then (drop (call $log (i32.const 2) (i32.const 16) (i32.const 7)))))) (start $start)`);
    expect(host.logged).toEqual(["info: refused"]);
  });

  test("that exports no callback at all", () => {
    const { plugin } = start(PRELUDE);
    expect(plugin.callbacks).toBe(0);
  });

  test("of ABI 0.1.0, with two-argument callbacks, its own functions and wasi_unstable", () => {
    const { host, plugin } = start(`
      (import "env" "proxy_get_configuration" (func $config (param i32 i32) (result i32)))
      (import "env" "proxy_continue_request" (func $continue (result i32)))
      (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      ${LOG}
      (memory (export "memory") 1)
      (func (export "malloc") (param i32) (result i32) (i32.const 4096))
      (func (export "proxy_abi_version_0_1_0"))
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (drop (call $config (i32.const 16) (i32.const 20)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
        (i32.const 1))
      (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
        (drop (call $continue))
        (local.get 1))`);
    expect(host.logged).toEqual(["info: plugin"]); // fd_write printed what it was handed.
    const filterHost = new FakeFilterHost();
    expect(startFilter(plugin, filterHost).onRequestHeaders(true)).toBe("continue");
    expect(filterHost.resumed).toEqual(["request"]);
  });
});

describe("startPlugin() errors", () => {
  test.each([
    {
      name: "a module that is no plugin",
      text: `(memory (export "memory") 1)`,
      says: /no ABI marker.*; the module exports no allocator/,
    },
    {
      name: "an unknown import, by its name",
      text: `(import "env" "proxy_redis_call" (func)) ${PRELUDE}`,
      says: /"env.proxy_redis_call", which does not exist here/,
    },
    {
      name: "data outside of the memory",
      text: `${PRELUDE} (data (i32.const 65536) "x")`,
      says: /writing the data segments .*Out of bounds/,
    },
    {
      name: "a start section that traps",
      text: `${PRELUDE} (func $start unreachable) (start $start)`,
      says: /the start section of plugin "test" failed: trap/,
    },
    {
      name: "an _initialize that exits",
      text: `(import "wasi_unstable" "proc_exit" (func $exit (param i32))) ${PRELUDE}
        (func (export "_initialize") (call $exit (i32.const 3)))`,
      says: /_initialize of plugin "test" failed: the guest exited with code 3/,
    },
    {
      name: "a vm_start that answers false",
      text: `${PRELUDE}
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 0)`,
      says: /proxy_on_vm_start answered false/,
    },
    {
      name: "a configure that answers false, with what it logged",
      text: `${LOG} ${PRELUDE} (data (i32.const 16) "no key")
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $log (i32.const 4) (i32.const 16) (i32.const 6)))`,
      says: /proxy_on_configure answered false; it logged: no key/,
    },
    {
      name: "a configure that traps, with what it logged",
      text: `${LOG} ${PRELUDE} (data (i32.const 16) "panicked")
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $log (i32.const 5) (i32.const 16) (i32.const 8))) unreachable)`,
      says: /proxy_on_configure of plugin "test" failed: trap: .*; it logged: panicked/,
    },
    {
      name: "endless recursion",
      text: `${PRELUDE} (func $f (export "_initialize") (call $f) (drop (i32.const 1)))`,
      says: /stack overflow/,
    },
  ])("refuses $name", ({ text, says }) => {
    expect(() => start(text)).toThrow(PluginRefused);
    expect(() => start(text)).toThrow(says);
  });

  test("leaves nothing behind of a plugin that is refused", () => {
    const host = new FakePluginHost();
    const text = `
      (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
      (import "env" "proxy_register_shared_queue" (func $queue (param i32 i32 i32) (result i32)))
      ${PRELUDE}
      (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (drop (call $tick (i32.const 10)))
        (drop (call $queue (i32.const 0) (i32.const 4) (i32.const 16)))
        (i32.const 0))
      (func (export "proxy_on_tick") (param i32) unreachable)`;
    const armed = deadlines.armed;
    expect(() => startPlugin(load(`(module ${text})`), host, TEST_SETTINGS)).toThrow(
      "answered false",
    );
    expect(deadlines.armed).toBe(armed);
  });
});

/** Texts for callbacks to log, by their address. */
const TEXTS: Readonly<Record<number, string>> = {
  100: "start section",
  200: "_initialize",
  300: "main",
  350: "__main_void",
  380: "_start",
  400: "context_create",
  500: "vm_start",
  600: "configure",
  700: "log",
};

/** A function $called(text) that logs the NUL-terminated text. */
const CALLS = `${LOG} ${PRELUDE}
  ${Object.entries(TEXTS)
    .map(([at, text]) => `(data (i32.const ${at}) "${text}")`)
    .join("\n")}
  (func $called (param $at i32)
    (local $end i32)
    (local.set $end (local.get $at))
    (block $done (loop $next
      (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
      (local.set $end (i32.add (local.get $end) (i32.const 1)))
      (br $next)))
    (drop (call $log (i32.const 2) (local.get $at)
      (i32.sub (local.get $end) (local.get $at)))))`;

/** An export that writes its arguments behind its text as digits, and logs it. */
function callback(name: string, params: number, at: number, answer?: number): string {
  const end = at + (TEXTS[at] ?? "").length;
  const digits = Array.from({ length: params }, (_, index) => {
    const to = end + 2 * index;
    return `(i32.store8 (i32.const ${to}) (i32.const 32))
      (i32.store8 (i32.const ${to + 1}) (i32.add (i32.const 48) (local.get ${index})))`;
  });
  const result = answer === undefined ? "" : `(i32.const ${answer})`;
  return `(func (export "${name}") (param ${"i32 ".repeat(params)})
    ${answer === undefined ? "" : "(result i32)"}
    ${digits.join("\n")}
    (call $called (i32.const ${at})) ${result})`;
}

function start(text: string) {
  const host = new FakePluginHost();
  host.configuration = new TextEncoder().encode("plugin");
  host.vmConfiguration = new TextEncoder().encode("vm");
  return { host, plugin: startPlugin(load(`(module ${text})`), host, TEST_SETTINGS) };
}
