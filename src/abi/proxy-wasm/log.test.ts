import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { LOG_LEVELS } from "../../filter/filter.ts";
import { GuestLog } from "../guest/guest-log.ts";
import { BAD, FakePluginHost, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_log()", () => {
  test.each([...LOG_LEVELS.entries()])("writes level %i as %s", (number, level) => {
    const kit = new ScriptedGuest();
    expect(kit.env.proxy_log(number, ...kit.put("hé"))).toBe(Status.Ok);
    expect(kit.host.logged).toEqual([`${level}: h\ufffd`]); // Latin-1 bytes are no UTF-8.
  });

  test("reads UTF-8", () => {
    const kit = new ScriptedGuest();
    kit.env.proxy_log(2, ...kit.put(new TextEncoder().encode("é€😀")));
    expect(kit.host.logged).toEqual(["info: é€😀"]);
  });

  test("does not look at the memory below the plugin's level", () => {
    const kit = new ScriptedGuest();
    kit.host.logLevel = "warn";
    expect(kit.env.proxy_log(2, BAD, 100)).toBe(Status.Ok);
    expect(kit.env.proxy_log(3, ...kit.put("x"))).toBe(Status.Ok);
    expect(kit.host.logged).toEqual(["warn: x"]);
  });

  test("cuts long lines", () => {
    const kit = new ScriptedGuest();
    kit.env.proxy_log(2, ...kit.put("x".repeat(LIMITS.guestLogBytesMax + 1)));
    expect(kit.host.logged[0]).toBe(`info: ${"x".repeat(LIMITS.guestLogBytesMax)}…`);
  });

  test("refuses unknown levels and bad addresses", () => {
    const kit = new ScriptedGuest();
    expect(kit.env.proxy_log(6, 0, 1)).toBe(Status.BadArgument);
    expect(kit.env.proxy_log(-1, 0, 1)).toBe(Status.BadArgument);
    expect(kit.env.proxy_log(2, BAD, 100)).toBe(Status.InvalidMemoryAccess);
    expect(kit.env.proxy_log(2, 0, -1)).toBe(Status.InvalidMemoryAccess);
    expect(kit.host.logged).toEqual([]);
  });
});

describe("proxy_get_log_level()", () => {
  test("writes the plugin's level", () => {
    const kit = new ScriptedGuest();
    kit.host.logLevel = "error";
    expect(kit.env.proxy_get_log_level(OUT)).toBe(Status.Ok);
    expect(kit.u32(OUT)).toBe(4);
    expect(kit.env.proxy_get_log_level(BAD)).toBe(Status.InvalidMemoryAccess);
  });
});

describe("GuestLog", () => {
  test("drops what is above the rate, and says how much when the second is over", () => {
    const { host, log, clock } = open();
    for (let n = 0; n < LIMITS.guestLogLinesPerSecond + 5; n++) log.write("info", `${n}`);
    expect(host.logged).toHaveLength(LIMITS.guestLogLinesPerSecond);
    clock.ms = 1000;
    log.write("info", "next");
    expect(host.logged.slice(-2)).toEqual([
      expect.stringMatching(/^warn: 5 log lines dropped: more than \d+ lines or \d+ bytes/),
      "info: next",
    ]);
  });

  test("says at the end what was dropped, once", () => {
    const { host, log } = open();
    for (let n = 0; n < LIMITS.guestLogLinesPerSecond + 1; n++) log.write("info", `${n}`);
    log.flush();
    log.flush();
    expect(host.logged.filter((line) => line.includes("dropped"))).toHaveLength(1);
  });

  test("warns once about each topic", () => {
    const { host, log } = open();
    log.warnOnce("a", "first");
    log.warnOnce("a", "second");
    log.warnOnce("b", "third");
    expect(host.logged).toEqual(["warn: first", "warn: third"]);
  });

  test("warns of each denied use once, whatever a guest calls it, and of so many at most", () => {
    const { host, log } = open();
    for (let n = 0; n < 2; n++) log.warnDenied("queues", "a");
    log.warnDenied("http_call", "a");
    expect(host.logged).toEqual(['warn: denied queues "a"', 'warn: denied http_call "a"']);
    for (let n = 0; n < 10_000; n++) log.warnDenied("properties", `${n}`);
    expect(host.logged).toHaveLength(LIMITS.deniedUsesLoggedMax);
  });

  test("remembers the guest's last problem, also when it is not written", () => {
    const { host, log } = open();
    host.logLevel = "critical";
    log.write("error", "because");
    log.write("info", "irrelevant");
    log.tell("error", "ours");
    expect(log.lastProblem).toBe("because");
    log.forgetProblem();
    expect(log.lastProblem).toBeUndefined();
    expect(host.logged).toEqual([]);
  });
});

function open() {
  const host = new FakePluginHost();
  const clock = { ms: 0 };
  return { host, clock, log: new GuestLog(host, () => clock.ms) };
}
