import { describe, expect, test } from "bun:test";
import { SeededRandom } from "./random.testing.ts";

describe("SeededRandom", () => {
  test("repeats a run with the same seed, and only with it", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test("draws from every seed, zero included, every number below the end and no other", () => {
    for (const seed of [0, 1, 2 ** 32, -1]) {
      expect(new Set(draw(seed))).toEqual(new Set([0, 1, 2, 3, 4]));
    }
  });

  test("chance() comes true about as often as it says", () => {
    const random = new SeededRandom(5);
    const hits = Array.from({ length: 10_000 }, () => random.chance(30)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(2_700);
    expect(hits).toBeLessThan(3_300);
  });

  test("several() draws none up to the most", () => {
    const random = new SeededRandom(6);
    const lengths = Array.from({ length: 200 }, () => random.several(["a", "b"], 3).length);
    expect(new Set(lengths)).toEqual(new Set([0, 1, 2, 3]));
  });
});

function draw(seed: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: 200 }, () => random.below(5));
}
