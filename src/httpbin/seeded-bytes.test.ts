import { describe, expect, test } from "bun:test";
import { SeededBytes } from "./seeded-bytes.ts";

describe("SeededBytes.window()", () => {
  test("makes every window of a stream equal to the same part of the whole", () => {
    const whole = new SeededBytes(7).window(0, 64);
    for (let start = 0; start < 20; start++) {
      for (let length = 0; length < 20; length++) {
        const window = new SeededBytes(7).window(start, length);
        expect(window).toEqual(whole.slice(start, start + length));
      }
    }
  });

  test("goes on past 4 GiB without repeating the start", () => {
    const bytes = new SeededBytes(7);
    expect(bytes.window(2 ** 32 + 4096, 64)).not.toEqual(bytes.window(4096, 64));
  });

  test("differs from seed to seed", () => {
    expect(new SeededBytes(1).window(0, 64)).not.toEqual(new SeededBytes(2).window(0, 64));
  });

  test("uses every byte value about equally often", () => {
    const counts = new Uint32Array(256);
    for (const byte of new SeededBytes(3).window(0, 256 * 1000)) counts[byte]!++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });
});
