import { describe, expect, test } from "bun:test";
import { LineRate } from "./line-rate.ts";

describe("LineRate", () => {
  test("admits so many lines in each second and counts the others", () => {
    const rate = new LineRate(2);
    expect([0, 1, 2, 999].map((ms) => rate.admit(ms))).toEqual([true, true, false, false]);
    expect(rate.takeDropped()).toBe(2);
    expect(rate.takeDropped()).toBe(0);
    expect(rate.admit(1000)).toBe(true);
  });
});
