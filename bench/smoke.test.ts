import { describe, expect, test } from "bun:test";
import { benchFiles, table } from "./run.ts";

const files = await benchFiles();

describe("every benchmark", () => {
  test("is found", () => {
    expect(files.map(({ name }) => name)).toContain("router");
  });

  test.each(files)("$name measures what it says", async ({ check }) => {
    await check();
  });
});

describe("table()", () => {
  test("compares each case with the first of the same benchmark", () => {
    const row = { name: "a", avgNs: 12.34, p50Ns: 10, p99Ns: 1500 };
    const rows = [
      { ...row, case: "1" },
      { ...row, case: "2", p50Ns: 25, p99Ns: 2_500_000 },
    ];
    expect(table(rows).split("\n").slice(2)).toEqual([
      "| a | 1 | 12.3 ns | 10.0 ns | 1.5 µs | 1.00 |",
      "| a | 2 | 12.3 ns | 25.0 ns | 2.5 ms | 2.50 |",
    ]);
  });
});
