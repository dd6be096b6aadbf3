/** What several rounds have shown. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (n: number): number => sorted[n] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/**
 * Combines round n of one with round n of the other: those two ran close together, and what else
 * the machine did then has met both.
 */
export function roundByRound<T>(
  one: readonly T[],
  other: readonly T[],
  combine: (one: T, other: T) => number,
): Spread {
  const paired = Math.min(one.length, other.length);
  return spreadOf(
    one.slice(0, paired).map((each, n) => {
      const partner = other[n];
      return partner === undefined ? Number.NaN : combine(each, partner);
    }),
  );
}
