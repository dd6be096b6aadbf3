import { describe, expect, test } from "bun:test";
import { added, addedRatio, gigabytes, overBase, ratio } from "./figures.ts";
import { compared, result, rounds } from "./testing.ts";

const filtered = compared(
  "filter",
  result("sluice", "base", 20, 200),
  result("sluice", "case", 24, 203),
  result("Envoy", "base", 50, 60),
  result("Envoy", "case", 60, 70),
);

describe("ratio()", () => {
  test("divides the cases, not the bases", () => {
    expect(ratio(filtered, "Envoy")).toEqual({ median: 1.65, min: 0.4, max: 2.9 });
  });

  test("is unknown for who did not run", () => {
    expect(ratio(filtered, "nginx")).toBeUndefined();
  });
});

describe("added()", () => {
  test("takes the base of the same round off", () => {
    expect(added(filtered, "sluice")).toEqual({ median: 3.5, min: 3, max: 4 });
  });

  test("is unknown where there is no base", () => {
    expect(added(compared("x", result("sluice", "case", 1)), "sluice")).toBeUndefined();
  });
});

describe("addedRatio()", () => {
  test("divides what both add in the median, and does so without any one round", () => {
    expect(addedRatio(filtered, "Envoy")).toEqual({ median: 0.35, min: 0.3, max: 0.4 });
  });

  test("does not let a single round of noise decide", () => {
    const noisy = compared(
      "filter",
      result("sluice", "base", 20, 20, 20, 20, 20),
      result("sluice", "case", 22, 24, 23, 19, 60),
      result("Envoy", "base", 50, 50, 50, 50, 50),
      result("Envoy", "case", 60, 44, 58, 60, 62),
    );
    expect(addedRatio(noisy, "Envoy")).toEqual({ median: 0.3, min: 0.25, max: 3.5 / 9 });
  });
});

describe("addedRatio() of noise", () => {
  test.each([
    { name: "a peer that seems to get cheaper", sluice: 22, envoy: 49, ratio: Infinity },
    { name: "a peer to which nothing is added", sluice: 22, envoy: 50, ratio: Infinity },
    { name: "sluice, which seems to get cheaper", sluice: 19, envoy: 49, ratio: 0 },
  ])("does not take $name for a negative cost", ({ sluice, envoy, ratio: expected }) => {
    const noisy = compared(
      "filter",
      result("sluice", "base", 20),
      result("sluice", "case", sluice),
      result("Envoy", "base", 50),
      result("Envoy", "case", envoy),
    );
    expect(addedRatio(noisy, "Envoy")?.median).toBe(expected);
  });
});

describe("overBase()", () => {
  test("divides case by base", () => {
    expect(overBase(filtered, "Envoy")).toEqual({
      median: (1.2 + 7 / 6) / 2,
      min: 7 / 6,
      max: 1.2,
    });
  });
});

describe("gigabytes()", () => {
  test("divides all bytes by the gateway's processor time", () => {
    const [round] = rounds(1);
    // 250 kB in 1,000 requests of 1 µs: 250 kB in a millisecond.
    expect(round && gigabytes(round)).toBe(0.25);
  });
});
