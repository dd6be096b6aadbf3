import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { BAD, BUF, HUGE, ScriptedHttpGuest } from "./testing.ts";

describe("log()", () => {
  test.each([
    { level: -1, name: "debug" },
    { level: 0, name: "info" },
    { level: 1, name: "warn" },
    { level: 2, name: "error" },
  ])("writes level $level as $name", ({ level, name }) => {
    const scripted = new ScriptedHttpGuest();
    scripted.http.log(level, ...scripted.put("hello"));
    expect(scripted.host.logged).toEqual([`${name}: hello`]);
  });

  test.each([3, 4, -2, 0x7fff_ffff])("writes nothing at level %d", (level) => {
    const scripted = new ScriptedHttpGuest();
    scripted.http.log(level, ...scripted.put("hello"));
    expect(scripted.host.logged).toEqual([]);
  });

  test("reads no memory for what is not written", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.host.logLevel = "error";
    scripted.http.log(0, BAD, HUGE);
    expect(scripted.host.logged).toEqual([]);
  });

  test("cuts a long line", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.http.log(0, ...scripted.put("x".repeat(LIMITS.guestLogBytesMax + 1)));
    expect(scripted.host.logged).toEqual([`info: ${"x".repeat(LIMITS.guestLogBytesMax)}…`]);
  });

  test.each([
    { ptr: BAD, byteLength: 64 },
    { ptr: 0, byteLength: HUGE },
    { ptr: BAD, byteLength: HUGE },
  ])("leaves out $byteLength bytes at $ptr and does not trap", ({ ptr, byteLength }) => {
    const { http, host } = new ScriptedHttpGuest();
    http.log(0, ptr, byteLength);
    http.log(0, ptr, byteLength);
    expect(host.logged).toEqual([expect.stringContaining("outside of the memory")]);
  });
});

describe("log_enabled()", () => {
  test("follows the plugin's level", () => {
    const { http, host } = new ScriptedHttpGuest();
    host.logLevel = "warn";
    const enabled = [-1, 0, 1, 2, 3, 7, -2].map((level) => http.log_enabled(level));
    expect(enabled).toEqual([0, 0, 1, 1, 0, 0, 0]);
  });
});

describe("get_config()", () => {
  test("hands over the configuration, also while the guest is being started", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.host.configuration = Buffer.from('{"a":1}');
    expect(scripted.text(scripted.http.get_config(BUF, 1024))).toBe('{"a":1}');
  });

  test("writes nothing when it is longer than the limit, and tells the length", () => {
    const scripted = new ScriptedHttpGuest();
    scripted.blank();
    scripted.host.configuration = Buffer.from("abc");
    expect(scripted.http.get_config(BUF, 2)).toBe(3);
    expect(scripted.http.get_config(BAD, 0)).toBe(3);
    expect(scripted.text(3)).toBe("???");
    expect(scripted.http.get_config(BUF, 3)).toBe(3);
    expect(scripted.text(4)).toBe("abc?");
  });

  test("is nothing when there is none", () => {
    const { http } = new ScriptedHttpGuest();
    expect(http.get_config(BAD, HUGE)).toBe(0);
  });

  test("traps when it fits and the buffer lies outside of the memory", () => {
    const { http, host } = new ScriptedHttpGuest();
    host.configuration = Buffer.from("abc");
    expect(() => http.get_config(BAD, HUGE)).toThrow("outside of the memory");
  });
});
