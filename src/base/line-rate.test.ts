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

  test("admits so many bytes in each second, and one line however long", () => {
    const rate = new LineRate(100, 10);
    expect([6, 4, 1, 0].map((bytes) => rate.admit(0, bytes))).toEqual([true, true, false, true]);
    expect(rate.takeDropped()).toBe(1);
    expect([99, 1].map((bytes) => rate.admit(1000, bytes))).toEqual([true, false]);
  });
});
