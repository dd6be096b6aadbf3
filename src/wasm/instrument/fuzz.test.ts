import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { FuzzReport } from "../../../test/fuzz/fuzz.ts";
import { FAST_MEMORIES } from "../../../test/support/poll-page.ts";

/**
 * Random modules, and damaged ones. FUZZ_SECONDS=600 looks for that long, beginning at a seed that
 * nobody had before (or at FUZZ_SEED); without it, the same few hundred modules every time.
 */
const SECONDS = Number(Bun.env["FUZZ_SECONDS"] ?? 0);
const SEED = Number(Bun.env["FUZZ_SEED"] ?? (SECONDS > 0 ? Date.now() % 1_000_000_000 : 1));
const COUNTS = SECONDS > 0 ? { modules: 1e9, mutants: 1e9 } : { modules: 300, mutants: 4000 };
/** Half of it for either kind. */
const PART_SECONDS = SECONDS > 0 ? SECONDS / 2 : 60;

const ROOT = join(import.meta.dir, "../../..");

describe("instrument()", () => {
  test(
    `changes nothing that a module does, and puts all of it back (seed ${SEED})`,
    async () => {
      const report = await fuzz(COUNTS.modules, 0);
      expect(report.findings).toEqual([]);
      expect(report.modules).toBeGreaterThan(100);
      expect(report.invalid).toBeLessThan(report.modules * 0.05);
      expect(report.restored).toBeGreaterThan(report.modules);
      expect(report.calls).toBeGreaterThan(report.modules * 5);
    },
    (PART_SECONDS + 60) * 1000,
  );

  test(
    `takes a damaged module as it is, or refuses it (seed ${SEED})`,
    async () => {
      const { findings, mutants } = await fuzz(0, COUNTS.mutants);
      expect(findings).toEqual([]);
      expect(mutants.refused).toBeGreaterThan(mutants.compared);
      expect(mutants.compared).toBeGreaterThan(100);
    },
    (PART_SECONDS + 60) * 1000,
  );
});

async function fuzz(modules: number, mutants: number): Promise<FuzzReport> {
  const program = join(ROOT, "test/fuzz/fuzz.ts");
  const plugin = join(ROOT, "plugins/add-header.wasm");
  const numbers = [SEED, modules, mutants, PART_SECONDS].map(String);
  const child = Bun.spawn([process.execPath, program, ...numbers, plugin], {
    env: { ...Bun.env, ...FAST_MEMORIES },
    stdout: "pipe",
    stderr: "inherit",
    timeout: (PART_SECONDS + 50) * 1000,
  });
  const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
  if (code !== 0) throw new Error(`Cannot fuzz with seed ${SEED}: the program ended with ${code}`);
  return JSON.parse(text) as FuzzReport;
}
