import { describe, expect, test } from "bun:test";
import { roundByRound, spreadOf } from "./spread.ts";

describe("spreadOf()", () => {
  test.each([
    { name: "one value", values: [7], spread: { median: 7, min: 7, max: 7 } },
    { name: "an odd count", values: [3, 10, 1], spread: { median: 3, min: 1, max: 10 } },
    { name: "an even count", values: [10, 9, 1, 2], spread: { median: 5.5, min: 1, max: 10 } },
  ])("handles $name", ({ values, spread }) => {
    expect(spreadOf(values)).toEqual(spread);
  });
});

describe("roundByRound()", () => {
  test("pairs the same rounds, whatever the machine did in between", () => {
    // Everything took ten times as long in the second round.
    const ratios = roundByRound([20, 200, 24], [10, 100, 10], (a, b) => a / b);
    expect(ratios).toEqual({ median: 2, min: 2, max: 2.4 });
  });

  test("leaves out a round that has no partner", () => {
    expect(roundByRound([1, 2], [1], (a, b) => a - b)).toEqual({ median: 0, min: 0, max: 0 });
  });
});
