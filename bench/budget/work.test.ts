import { describe, expect, test } from "bun:test";
import { work, type WorkOf } from "./work.ts";

/** Warm enough for spin() to be compiled. */
const EFFORT = { warmUpMs: 50, rounds: 2, roundMs: 2 };

function spin(turns: number): number {
  let sum = 0;
  for (let at = 0; at < turns; at++) sum = Math.imul(sum ^ at, 0x0100_0193);
  return sum;
}

function slowly200(): number {
  return spin(20_000) === 0 ? 1 : 200;
}

const spinning = (turns: number, change: Partial<WorkOf<number, number>> = {}) =>
  work({
    prepare: () => turns,
    run: spin,
    reuses: true,
    shown: (sum) => sum,
    expected: spin(turns),
    ...change,
  });

describe("work()", () => {
  test("tells that ten times the work costs more, and how often a call does it", () => {
    const one = spinning(200).measure(EFFORT).ns;
    expect(one).toBeGreaterThan(0);
    expect(spinning(2000).measure(EFFORT).ns).toBeGreaterThan(3 * one);
    expect(spinning(2000, { times: 100 }).measure(EFFORT).ns).toBeLessThan(one);
  });

  test("does not count what is prepared", () => {
    const { ns } = spinning(200, { prepare: slowly200, reuses: false }).measure(EFFORT);
    expect(ns).toBeLessThan(spinning(20_000).measure(EFFORT).ns / 5);
  });

  test("tells the phase of the machine", () => {
    expect(spinning(200).measure(EFFORT).phaseNs).toBeGreaterThan(100);
  });
});

describe("work() errors", () => {
  test("names an outcome that is not the expected one", () => {
    expect(() => spinning(1, { shown: () => "b", expected: "a" }).verify()).toThrow('"b", not "a"');
  });
});
