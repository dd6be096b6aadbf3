/**
 * Reads what h2load says at its end, and the log of its requests: its summary has no percentiles.
 * @param log a line for each request: µs since the epoch, status, µs that it took
 * @returns times in µs
 */
export function readH2load(output: string, log: string): Record<Figure, number> {
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`Cannot read what h2load says:\n${output}`);
    return Number(found);
  };
  const requests = number(/^requests: .* (\d+) done/m);
  const took = log
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split("\t")[2]))
    .toSorted((a, b) => a - b);
  const percentile = (share: number): number => took[Math.ceil(took.length * share) - 1] ?? 0;
  return {
    requests,
    micros: Math.round((requests * 1e6) / number(/^finished in .*, ([\d.]+) req\/s/m)),
    bytes: number(/^traffic: \S+ \((\d+)\) total/m),
    p50: percentile(0.5),
    p99: percentile(0.99),
    p999: percentile(0.999),
    errors: requests - number(/^status codes: (\d+) 2xx/m),
  };
}

type Figure = "requests" | "micros" | "bytes" | "p50" | "p99" | "p999" | "errors";
