import { describe, expect, test } from "bun:test";
import { benchFiles, table } from "./run.ts";

const files = await benchFiles();

describe("every benchmark", () => {
  test("is found", () => {
    expect(files.map(({ name }) => name)).toContain("router");
  });

  test.each(files)("$name measures what it says", async ({ name }) => {
    // In a process of its own, with the engine's options that workers have.
    const child = Bun.spawn([process.execPath, "bench/run.ts", "--check", name], {
      env: { ...process.env, BUN_JSC_maxNumWasmFastMemories: "10000" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(await child.exited, `${output}${errors}`).toBe(0);
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
