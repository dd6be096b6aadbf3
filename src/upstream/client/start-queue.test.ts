import { describe, expect, test } from "bun:test";
import type { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { type Startable, StartQueue } from "./start-queue.ts";

/** Notes what it is told. */
class Noting implements Startable {
  readonly startedMs: number;
  readonly name: string;
  readonly told: string[];
  onRun: () => void = () => {};

  constructor(name: string, told: string[], startedMs = 0) {
    this.name = name;
    this.told = told;
    this.startedMs = startedMs;
  }

  run(nowMs: number): void {
    expect(performance.now() - nowMs).toBeLessThan(10_000);
    this.told.push(this.name);
    this.onRun();
  }

  abort(error: GatewayError): void {
    this.told.push(`${this.name}: ${error.message}`);
  }
}

const turnEnd = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("StartQueue add()", () => {
  test("begins all of a turn at its end, in order", async () => {
    const queue = new StartQueue();
    const told: string[] = [];
    for (const name of ["a", "b", "c"]) queue.add(new Noting(name, told));
    await Promise.resolve();
    expect(told).toEqual([]);
    await turnEnd();
    expect(told).toEqual(["a", "b", "c"]);
    queue.add(new Noting("d", told));
    await turnEnd();
    expect(told).toEqual(["a", "b", "c", "d"]);
  });

  test("begins nothing within the call, however many wait", async () => {
    const queue = new StartQueue();
    const told: string[] = [];
    for (let n = 0; n < 2 * LIMITS.startsPerBatchMax; n++) {
      queue.add(new Noting("one of many", told, 100 * n));
    }
    expect(told).toEqual([]);
    await turnEnd();
    expect(told.length).toBe(2 * LIMITS.startsPerBatchMax);
  });
});

describe("StartQueue flushIfDue()", () => {
  test("begins a full batch, and the rest at the turn's end", async () => {
    const queue = new StartQueue();
    const told: string[] = [];
    const add = (name: string): void => {
      queue.add(new Noting(name, told));
      queue.flushIfDue();
    };
    queue.flushIfDue(); // Nothing waits.
    for (let n = 0; n < LIMITS.startsPerBatchMax; n++) {
      expect(told).toEqual([]);
      add("full");
    }
    expect(told.length).toBe(LIMITS.startsPerBatchMax);
    add("rest");
    expect(told.length).toBe(LIMITS.startsPerBatchMax);
    await turnEnd();
    expect(told.at(-1)).toBe("rest");
  });

  test("lets the first one wait no longer for others than it may", () => {
    const queue = new StartQueue();
    const told: string[] = [];
    queue.add(new Noting("first", told, 100));
    queue.add(new Noting("in time", told, 100 + LIMITS.startWaitMsMax));
    queue.flushIfDue();
    expect(told).toEqual([]);
    queue.add(new Noting("late", told, 100.1 + LIMITS.startWaitMsMax));
    queue.flushIfDue();
    expect(told).toEqual(["first", "in time", "late"]);
  });
});

describe("StartQueue flush()", () => {
  test("leaves what is added by a beginning one for the next time", async () => {
    const queue = new StartQueue();
    const told: string[] = [];
    const first = new Noting("first", told);
    first.onRun = () => queue.add(new Noting("again", told));
    queue.add(first);
    queue.add(new Noting("second", told));
    queue.flush();
    expect(told).toEqual(["first", "second"]);
    await turnEnd();
    expect(told).toEqual(["first", "second", "again"]);
  });

  test("aborts one that throws, and begins the others", () => {
    const queue = new StartQueue();
    const told: string[] = [];
    const broken = new Noting("broken", told);
    broken.onRun = () => {
      throw new Error("a fault of ours");
    };
    queue.add(broken);
    queue.add(new Noting("other", told));
    queue.flush();
    expect(told).toEqual(["broken", "broken: a fault of ours", "other"]);
  });
});
