/**
 * Runs benchmarks and prints their tables.
 *
 *   npm run bench              every bench/*.bench.ts
 *   npm run bench -- router    those whose name contains "router"
 *   bun bench/run.ts --check router    only its check()
 *
 * Each case of each file runs in a process of its own: within one process the engine has optimised
 * for whatever ran first, and the first case looks up to forty times faster than the others.
 *
 * A bench file says first which question it answers. It exports `check()`, which throws when what
 * would be measured is wrong (bench/smoke.test.ts calls it), and, when there are several, `cases`:
 * what `bun bench/x.bench.ts CASE` can be run with. Results of measure() become a table, anything
 * else is shown as it is.
 */
import { basename, join } from "node:path";
import { Glob } from "bun";
import type { Measured } from "./measure.ts";

export interface BenchFile {
  readonly path: string;
  readonly name: string;
  readonly cases: readonly string[];
  readonly check: () => void | Promise<void>;
}

/** Every bench file, by name. @throws Error for one without check() */
export async function benchFiles(): Promise<BenchFile[]> {
  const names = [...new Glob("*.bench.ts").scanSync(import.meta.dir)].toSorted();
  return Promise.all(names.map((name) => readBench(join(import.meta.dir, name))));
}

async function readBench(path: string): Promise<BenchFile> {
  const { cases = [""], check } = (await import(path)) as Partial<BenchFile>;
  if (check === undefined) throw new Error(`Cannot trust ${path}: it exports no check()`);
  return { path, name: basename(path, ".bench.ts"), cases, check };
}

interface Row extends Measured {
  readonly case: string;
}

/** Tables and other output of all cases. */
async function runFile(file: BenchFile): Promise<string> {
  const rows: Row[] = [];
  const others: string[] = [];
  for (const one of file.cases) {
    const args = one === "" ? [] : [one];
    const child = Bun.spawn([process.execPath, file.path, ...args, "--json"], {
      stderr: "inherit",
    });
    const output = (await child.stdout.text()).trim();
    if ((await child.exited) !== 0) {
      throw new Error(`Cannot measure ${file.name} ${one}: exit code ${child.exitCode}`);
    }
    const measured = readMeasured(output);
    if (measured === undefined) others.push(output);
    else rows.push(...measured.map((row) => ({ ...row, case: one })));
  }
  return [...others, ...(rows.length > 0 ? [table(rows)] : [])].join("\n\n");
}

function readMeasured(output: string): Measured[] | undefined {
  return output.startsWith("[{") ? (JSON.parse(output) as Measured[]) : undefined;
}

/** Markdown; `×` compares with the first case of the same benchmark. */
export function table(rows: readonly Row[]): string {
  const lines = [
    ["benchmark", "case", "avg", "p50", "p99", "×"],
    ["---", "---", "---:", "---:", "---:", "---:"],
  ];
  const first = new Map<string, number>();
  for (const row of rows) {
    const base = first.get(row.name) ?? row.p50Ns;
    first.set(row.name, base);
    const times = [row.avgNs, row.p50Ns, row.p99Ns].map(duration);
    lines.push([row.name, row.case, ...times, (row.p50Ns / base).toFixed(2)]);
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function duration(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(1)} ns`;
  return ns < 1_000_000 ? `${(ns / 1000).toFixed(1)} µs` : `${(ns / 1_000_000).toFixed(1)} ms`;
}

async function checkOne(name: string): Promise<void> {
  const file = (await benchFiles()).find((each) => each.name === name);
  if (file === undefined) throw new Error(`Cannot find bench/${name}.bench.ts`);
  await file.check();
  process.exit(0);
}

if (import.meta.main) {
  if (Bun.argv[2] === "--check") await checkOne(Bun.argv[3] ?? "");
  const wanted = Bun.argv[2] ?? "";
  for (const file of await benchFiles()) {
    if (!file.name.includes(wanted)) continue;
    process.stdout.write(`\n## ${file.name}\n\n${await runFile(file)}\n`);
  }
}
