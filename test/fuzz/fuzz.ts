/**
 * Looks for a module that behaves otherwise once it is rewritten; prints a FuzzReport as JSON.
 * A program, because poll checks need a Bun that was started with fast memories, and because a
 * module may bring the engine down.
 *
 *   BUN_JSC_maxNumWasmFastMemories=10000 bun test/fuzz/fuzz.ts SEED MODULES MUTANTS SECONDS FILE...
 *
 * FILEs are modules that are compared as they are, and damaged like the random ones.
 */
import { type Checked, checkModule } from "./check-module.ts";
import { checkMutant, compareModule } from "./check-mutant.ts";
import { generateModule } from "./module-generator.ts";

export interface FuzzReport {
  readonly seed: number;
  readonly modules: number;
  /** Random modules that the engine does not take. */
  readonly invalid: number;
  readonly calls: number;
  readonly restored: number;
  /** How many mutants met which fate. */
  readonly mutants: Readonly<Record<"refused" | "accepted" | "compared", number>>;
  /** What is wrong; each begins with the seed that shows it again. */
  readonly findings: readonly string[];
}

/** More would say the same. */
const FINDINGS_MAX = 20;
/** Random modules among those that are damaged. */
const BASES = 30;

const [seed = 1, modules = 100, mutants = 1000, seconds = 60] = process.argv
  .slice(2, 6)
  .map(Number);
const files = await Promise.all(process.argv.slice(6).map((path) => Bun.file(path).bytes()));
process.stdout.write(`${JSON.stringify(fuzz(), null, 2)}\n`);

function fuzz(): FuzzReport {
  const until = performance.now() + seconds * 1000;
  const going = (): boolean => performance.now() < until && findings.length < FINDINGS_MAX;
  const findings: string[] = [];
  const sums = { modules: 0, invalid: 0, calls: 0, restored: 0 };
  for (; sums.modules < modules && going(); sums.modules++) {
    const checked: Checked = checkModule(seed + sums.modules);
    if (checked.invalid) sums.invalid++;
    sums.calls += checked.calls;
    sums.restored += checked.restored;
    findings.push(...checked.findings);
  }
  const fates = { refused: 0, accepted: 0, compared: 0 };
  for (const [n, file] of files.entries()) findings.push(...compareModule(file, seed + n).findings);
  const bases = [
    ...files,
    ...Array.from({ length: BASES }, (_, n) => generateModule(seed + n).bytes),
  ];
  for (let n = 0; n < mutants && going(); n++) {
    const checked = checkMutant(seed + n, bases);
    fates[checked.fate]++;
    findings.push(...checked.findings);
  }
  return { seed, ...sums, mutants: fates, findings: findings.slice(0, FINDINGS_MAX) };
}
