import type { Compared, Result, Round } from "./compare.ts";
import { roundByRound, type Spread, spreadOf } from "./spread.ts";

export const SLUICE = "sluice";

/** µs of processor time per request. */
export function cpu({ user, system }: Round): number {
  return user + system;
}

/** GB for each second of processor time. */
export function gigabytes(round: Round): number {
  return round.bytes / 1000 / (cpu(round) * round.requests);
}

export function resultOf(
  compared: Compared,
  contestant: string,
  of: Result["of"] = "case",
): Result | undefined {
  return compared.results.find((each) => each.contestant === contestant && each.of === of);
}

/** Sluice's figure divided by that of the peer, of the same round. */
export function ratio(
  compared: Compared,
  peer: string,
  figure: (round: Round) => number = cpu,
): Spread | undefined {
  const one = resultOf(compared, SLUICE);
  const other = resultOf(compared, peer);
  if (one === undefined || other === undefined) return undefined;
  return roundByRound(one.rounds, other.rounds, (a, b) => figure(a) / figure(b));
}

/** µs that a contestant's case costs more than its base, round by round. */
export function added(compared: Compared, contestant: string): Spread | undefined {
  const values = addedRounds(compared, contestant);
  return values && spreadOf(values);
}

/** A contestant's case divided by its base. */
export function overBase(compared: Compared, contestant: string): Spread | undefined {
  const one = resultOf(compared, contestant);
  const base = resultOf(compared, contestant, "base");
  if (one === undefined || base === undefined) return undefined;
  return roundByRound(one.rounds, base.rounds, (a, b) => cpu(a) / cpu(b));
}

/**
 * What Sluice's case adds divided by what the peer's adds, in the median of each: both are small
 * differences of large figures, and in a single round mostly noise. Least and most are what it
 * would be without any one of the rounds.
 */
export function addedRatio(compared: Compared, peer: string): Spread | undefined {
  const one = addedRounds(compared, SLUICE);
  const other = addedRounds(compared, peer);
  if (one === undefined || other === undefined) return undefined;
  const median = ratioOfMedians(one, other);
  if (one.length < 2) return { median, min: median, max: median };
  const { min, max } = spreadOf(
    one.map((_, n) => ratioOfMedians(without(one, n), without(other, n))),
  );
  return { median, min, max };
}

/** What adds nothing that could be seen counts as 0: noise may not turn a bar's sign round. */
function ratioOfMedians(one: readonly number[], other: readonly number[]): number {
  const { median } = spreadOf(one);
  return median <= 0 ? 0 : median / Math.max(spreadOf(other).median, 0);
}

function without(values: readonly number[], left: number): number[] {
  return values.filter((_, n) => n !== left);
}

function addedRounds(compared: Compared, contestant: string): number[] | undefined {
  const one = resultOf(compared, contestant);
  const base = resultOf(compared, contestant, "base");
  if (one === undefined || base === undefined) return undefined;
  return one.rounds.flatMap((round, n) => {
    const plain = base.rounds[n];
    return plain === undefined ? [] : [cpu(round) - cpu(plain)];
  });
}
