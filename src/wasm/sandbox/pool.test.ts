import { describe, expect, test } from "bun:test";
import { SandboxPool, type PoolSettings } from "./pool.ts";

const SETTINGS = { size: 3, warm: 1, queue: 2, waitMs: 30 };

describe("SandboxPool", () => {
  test("makes the warm ones at once, and others when they are needed", () => {
    const { pool, made } = make();
    expect(made).toEqual([1]);
    expect([pool.acquire(), pool.acquire(), pool.acquire()]).toEqual([1, 2, 3]);
    expect({ busy: pool.busy, idle: pool.idle }).toEqual({ busy: 3, idle: 0 });
  });

  test("puts one back before anybody gets it again", () => {
    const { pool, log } = make();
    pool.release(pool.acquire() as number);
    expect(log).toEqual(["reset 1"]);
    expect(pool.acquire()).toBe(1);
  });

  test("hands one to who waits longest, when it is put back", async () => {
    const { pool, log } = make();
    for (let n = 0; n < 3; n++) void pool.acquire();
    const first = pool.acquire();
    const second = pool.acquire();
    expect(pool.waiting).toBe(2);
    pool.release(2);
    expect(log).toEqual(["reset 2"]);
    expect(await first).toBe(2);
    pool.release(1);
    expect(await second).toBe(1);
    expect({ busy: pool.busy, idle: pool.idle }).toEqual({ busy: 3, idle: 0 });
  });

  test("drops what cannot be put back, and makes a new one for who waits", async () => {
    const { pool, log, made } = make();
    for (let n = 0; n < 3; n++) void pool.acquire();
    const waiting = pool.acquire();
    pool.release(13);
    expect(log).toEqual(["reset 13", "drop 13"]);
    expect(await waiting).toBe(4);
    pool.release(26);
    expect({ busy: pool.busy, idle: pool.idle, made: made.length }).toEqual({
      busy: 2,
      idle: 0,
      made: 4,
    });
    expect(pool.acquire()).toBe(5);
  });

  test("drops the idle ones when it is closed, and the others when they come back", () => {
    const { pool, log } = make();
    const busy = pool.acquire() as number;
    pool.release(pool.acquire() as number);
    pool.close();
    expect(log).toEqual(["reset 2", "drop 2"]);
    pool.release(busy);
    expect(log).toEqual(["reset 2", "drop 2", "drop 1"]);
  });
});

describe("SandboxPool errors", () => {
  test("refuses when all are busy and the line is full", () => {
    const { pool } = make();
    for (let n = 0; n < 5; n++) void silenced(pool.acquire());
    expect(() => pool.acquire()).toThrow("all 3 sandboxes are busy and 2 exchanges wait already");
  });

  test("refuses who has waited too long, and nobody else", async () => {
    const { pool } = make();
    for (let n = 0; n < 3; n++) void pool.acquire();
    const late = pool.acquire() as Promise<number>;
    expect(late).rejects.toThrow("all 3 sandboxes have been busy for 30 ms");
    await late.catch(() => {});
    expect(pool.waiting).toBe(0);
    const next = pool.acquire();
    pool.release(3);
    expect(await next).toBe(3);
  });

  test("tells who waits that it is closed", async () => {
    const { pool } = make();
    for (let n = 0; n < 3; n++) void pool.acquire();
    const waiting = pool.acquire() as Promise<number>;
    pool.close();
    expect(waiting).rejects.toThrow("it is closed");
    await waiting.catch(() => {});
  });

  test("passes on that none can be made, and counts none", async () => {
    const { pool, fail } = make();
    for (let n = 0; n < 3; n++) void pool.acquire();
    const waiting = pool.acquire() as Promise<number>;
    fail.now = true;
    pool.release(13);
    expect(waiting).rejects.toThrow("no memory");
    await waiting.catch(() => {});
    expect(() => pool.acquire()).toThrow("no memory");
    expect(pool.busy).toBe(2);
  });

  test("refuses all who wait when none can be made and nobody has one to hand over", async () => {
    const { pool, fail } = make({ ...SETTINGS, size: 1 });
    void pool.acquire();
    const waiting = [pool.acquire(), pool.acquire()] as Promise<number>[];
    fail.now = true;
    pool.release(13);
    for (const each of waiting) expect(each).rejects.toThrow("no memory");
    await Promise.allSettled(waiting);
    expect(pool.waiting).toBe(0);
  });

  test("drops the warm ones when one of them cannot be made", () => {
    const log: string[] = [];
    let count = 0;
    const start = () =>
      new SandboxPool(
        { ...SETTINGS, warm: 2 },
        {
          make: () => {
            if (++count === 2) throw new Error("no memory");
            return count;
          },
          reset: () => true,
          drop: (item) => void log.push(`drop ${item}`),
          overloaded: (why) => new Error(why),
        },
      );
    expect(start).toThrow("no memory");
    expect(log).toEqual(["drop 1"]);
  });
});

/** Numbers as sandboxes; those that 13 divides cannot be put back. */
function make(settings: PoolSettings = SETTINGS) {
  const made: number[] = [];
  const log: string[] = [];
  const fail = { now: false };
  const pool = new SandboxPool<number>(settings, {
    make() {
      if (fail.now) throw new Error("no memory");
      made.push(made.length + 1);
      return made.length;
    },
    reset(item) {
      log.push(`reset ${item}`);
      return item % 13 !== 0;
    },
    drop: (item) => void log.push(`drop ${item}`),
    overloaded: (why) => new Error(why),
  });
  return { pool, made, log, fail };
}

function silenced(item: number | Promise<number>): unknown {
  return item instanceof Promise ? item.catch(() => {}) : item;
}
