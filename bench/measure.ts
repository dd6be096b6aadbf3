import { run } from "mitata";

/** One benchmark of one process; times are per call. */
export interface Measured {
  readonly name: string;
  readonly avgNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/**
 * Runs what bench() has declared: shown for people or, after `--json`, as a line for bench/run.ts.
 * Under 1 ns nothing was measured: the engine has hoisted the call out of the loop.
 */
export async function measure(): Promise<void> {
  const asJson = Bun.argv.includes("--json");
  const { benchmarks } = await run({ format: asJson ? "quiet" : "mitata", throw: true });
  if (!asJson) return;
  const rows = benchmarks.flatMap(({ runs }) =>
    runs.flatMap(({ name, stats }): Measured[] =>
      stats === undefined ? [] : [{ name, avgNs: stats.avg, p50Ns: stats.p50, p99Ns: stats.p99 }],
    ),
  );
  process.stdout.write(`${JSON.stringify(rows)}\n`);
}
