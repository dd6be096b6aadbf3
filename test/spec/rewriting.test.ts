import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { FAST_MEMORIES } from "../support/poll-page.ts";
import type { Comparison } from "./compare.ts";

const comparison = await compareCorpus();

describe("instrument()", () => {
  test("changes the outcome of no assertion", () => {
    expect(comparison.differences).toEqual([]);
  });

  test("refuses what it refuses by name, and nothing else", () => {
    const imports = "Cannot run this module: it imports the";
    const why = "only functions, tags and constants can be imported";
    expect(comparison.refused).toEqual({
      [`UNSUPPORTED ${imports} memory "spectest.memory"; ${why}`]: 2,
      [`UNSUPPORTED ${imports} table "spectest.table"; ${why}`]: 2,
      [`UNSUPPORTED ${imports} mutable global "global.g"; ${why}`]: 2,
      "UNSUPPORTED Cannot run this module: shared and 64-bit memories and tables cannot be used": 2,
      "UNSUPPORTED Cannot run a module with several memories": 2,
    });
  });
});

describe("the scripts", () => {
  test("hold before anything is rewritten", () => {
    expect(comparison.failures).toEqual([]);
  });

  test("are as many as were written", () => {
    expect(comparison.commands).toEqual({
      "atomics.wast": 18,
      "calls.wast": 34,
      "control.wast": 61,
      "exceptions.wast": 32,
      "gc.wast": 32,
      "invalid.wast": 58,
      "memory.wast": 124,
      "modules.wast": 48,
      "refused.wast": 12,
      "simd.wast": 60,
      "state.wast": 36,
      "tables.wast": 67,
      numeric: 37_185,
      vectors: 7486,
    });
  });
});

async function compareCorpus(): Promise<Comparison> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "compare-corpus.ts")], {
    env: { ...Bun.env, ...FAST_MEMORIES },
    stdout: "pipe",
    stderr: "inherit",
  });
  const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
  if (code !== 0) throw new Error(`Cannot compare the scripts: the program ended with ${code}`);
  return JSON.parse(text) as Comparison;
}
