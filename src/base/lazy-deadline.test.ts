import { describe, expect, test } from "bun:test";
import { deadlines } from "./deadlines.ts";
import { LazyDeadline } from "./lazy-deadline.ts";

/** Resolves with the ms from now until the deadline is missed. */
function missed(set: (deadline: LazyDeadline) => void): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const deadline = new LazyDeadline(() => resolve(performance.now() - startMs));
    set(deadline);
  });
}

describe("set()", () => {
  test("is missed after its time", async () => {
    expect(await missed((deadline) => deadline.set(20))).toBeGreaterThanOrEqual(20);
  });

  test("can be moved back while it is armed for an earlier time", async () => {
    const afterMs = await missed((deadline) => {
      deadline.set(10);
      deadline.set(60);
    });
    expect(afterMs).toBeGreaterThanOrEqual(60);
  });

  test("can be moved forward", async () => {
    const armed = deadlines.armed;
    const afterMs = await missed((deadline) => {
      deadline.set(60_000);
      deadline.set(10);
      expect(deadlines.armed).toBe(armed + 1);
    });
    expect(afterMs).toBeLessThan(5000);
  });

  test("can be set again after clear()", async () => {
    const afterMs = await missed((deadline) => {
      deadline.set(10);
      deadline.clear();
      deadline.set(30);
    });
    expect(afterMs).toBeGreaterThanOrEqual(30);
  });
});

describe("clear() and close()", () => {
  test("keep it from being missed; close() leaves nothing armed", async () => {
    const armed = deadlines.armed;
    let count = 0;
    const cleared = new LazyDeadline(() => count++);
    const closed = new LazyDeadline(() => count++);
    cleared.set(10);
    closed.set(10);
    cleared.clear();
    closed.close();
    expect(deadlines.armed).toBe(armed + 1);
    await missed((deadline) => deadline.set(40));
    expect(count).toBe(0);
    expect(deadlines.armed).toBeLessThanOrEqual(armed); // Those of other tests may have passed.
  });
});

describe("setAbout()", () => {
  test("is missed after its time, whether something was armed before or not", async () => {
    expect(await missed((deadline) => deadline.setAbout(20))).toBeGreaterThanOrEqual(20);
    const afterMs = await missed((deadline) => {
      deadline.set(60_000);
      deadline.clear();
      deadline.setAbout(20);
    });
    expect(afterMs).toBeGreaterThanOrEqual(20);
    expect(afterMs).toBeLessThan(5000);
  });
});
