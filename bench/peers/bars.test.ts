import { describe, expect, test } from "bun:test";
import { BARS, holds } from "./bars.ts";
import { CASES } from "./cases.ts";

describe("BARS", () => {
  test("ask for cases that exist", () => {
    const names = CASES.map(({ name }) => name);
    expect(BARS.flatMap(({ cases }) => cases).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe("holds()", () => {
  test.each([
    { bound: { atMost: 1.3 }, median: 1.3, verdict: true },
    { bound: { atMost: 1.3 }, median: 1.31, verdict: false },
    { bound: { atLeast: 1 }, median: 1, verdict: true },
    { bound: { atLeast: 1 }, median: 0.99, verdict: false },
  ])("says $verdict of $median for $bound", ({ bound, median, verdict }) => {
    expect(holds({ bound }, { median, min: 0, max: 99 })).toBe(verdict);
  });
});
