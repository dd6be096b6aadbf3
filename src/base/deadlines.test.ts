import { describe, expect, test } from "bun:test";
import { Deadlines } from "./deadlines.ts";

/** A wheel on a clock that the test moves. */
function wheelAt(startMs: number): { wheel: Deadlines; goTo: (ms: number) => void } {
  let nowMs = startMs;
  const wheel = new Deadlines(() => nowMs);
  return {
    wheel,
    goTo(ms) {
      nowMs = ms;
      wheel.advance();
    },
  };
}

describe("Deadlines.arm()", () => {
  test("fires once, not early and at most a tick late", () => {
    const { wheel, goTo } = wheelAt(1003);
    let fired = 0;
    wheel.arm(50, () => fired++);
    goTo(1052);
    expect(fired).toBe(0);
    goTo(1063);
    expect(fired).toBe(1);
    goTo(9000);
    expect(fired).toBe(1);
    expect(wheel.armed).toBe(0);
  });

  test("waits more than one turn of the wheel", () => {
    const { wheel, goTo } = wheelAt(0);
    let fired = 0;
    wheel.arm(12_000, () => fired++);
    for (let ms = 10; ms < 12_000; ms += 10) goTo(ms);
    expect(fired).toBe(0);
    goTo(12_010);
    expect(fired).toBe(1);
  });

  test("fires what is due after a long stall, in one pass", () => {
    const { wheel, goTo } = wheelAt(0);
    const fired: number[] = [];
    for (const ms of [10, 400, 3000, 60_000, 90_000]) wheel.arm(ms, () => fired.push(ms));
    goTo(70_000);
    expect(fired.toSorted((a, b) => a - b)).toEqual([10, 400, 3000, 60_000]);
    expect(wheel.armed).toBe(1);
  });

  test("lets a callback arm the next deadline", () => {
    const { wheel, goTo } = wheelAt(0);
    const fired: string[] = [];
    wheel.arm(10, () => {
      fired.push("first");
      wheel.arm(0, () => fired.push("second"));
    });
    goTo(20);
    goTo(40);
    expect(fired).toEqual(["first", "second"]);
  });

  test("fires on the process's clock", async () => {
    const wheel = new Deadlines();
    const keepAlive = setInterval(() => {}, 1000);
    await new Promise<void>((resolve) => wheel.arm(15, resolve));
    clearInterval(keepAlive);
    expect(wheel.armed).toBe(0);
  });
});

describe("Deadline.cancel()", () => {
  test("takes it off, and is idempotent", () => {
    const { wheel, goTo } = wheelAt(0);
    let fired = 0;
    const deadline = wheel.arm(10, () => fired++);
    deadline.cancel();
    deadline.cancel();
    expect(wheel.armed).toBe(0);
    goTo(100);
    expect(fired).toBe(0);
  });
});

describe("Deadlines.hold()", () => {
  test("fires nothing by itself until it is released", async () => {
    const wheel = new Deadlines();
    const fired: string[] = [];
    let nowMs = performance.now();
    const release = wheel.hold(() => nowMs);
    wheel.arm(60_000, () => fired.push("far"));
    const dueMs = wheel.nextDueMs ?? 0;
    expect(dueMs).toBe(nowMs + 60_000);
    nowMs = dueMs + 10;
    wheel.advance();
    expect(fired).toEqual(["far"]);
    expect(wheel.nextDueMs).toBeUndefined();
    release();
    const keepAlive = setInterval(() => {}, 1000);
    await new Promise<void>((resolve) => wheel.arm(15, resolve));
    clearInterval(keepAlive);
    expect(wheel.armed).toBe(0);
  });

  test("goes on with what was armed before it", async () => {
    const wheel = new Deadlines();
    const keepAlive = setInterval(() => {}, 1000);
    const near = new Promise<void>((resolve) => wheel.arm(15, resolve));
    wheel.hold(() => performance.now())();
    await near;
    clearInterval(keepAlive);
    expect(wheel.armed).toBe(0);
  });
});

describe("Deadlines.hold() errors", () => {
  test("refuses a second holder", () => {
    const wheel = new Deadlines(() => 0);
    wheel.hold(() => 0);
    expect(() => wheel.hold(() => 0)).toThrow("Cannot hold a wheel that is held");
  });
});
