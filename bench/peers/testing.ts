import type { Compared, Result, Round } from "./compare.ts";

/** For tests: rounds that cost so many µs per request, half of them the kernel's. */
export function rounds(...costs: number[]): Round[] {
  return costs.map((cost) => ({
    requests: 1000,
    micros: 1_000_000,
    bytes: 250_000,
    p50: 800,
    p99: 2500,
    p999: 12_000,
    user: cost / 2,
    system: cost / 2,
  }));
}

export function result(contestant: string, of: Result["of"], ...costs: number[]): Result {
  return { contestant, of, version: "1.2.3", rounds: rounds(...costs), pssBytes: 1_048_576 };
}

export function compared(name: string, ...results: Result[]): Compared {
  return { name, results, missing: [], conditions: "1 core" };
}
