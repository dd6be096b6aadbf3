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
 * What Sluice's case adds divided by what the peer's adds. What adds nothing that could be seen
 * counts as 0: a negative cost is noise, and may not turn a bar's sign round.
 */
export function addedRatio(compared: Compared, peer: string): Spread | undefined {
  const one = addedRounds(compared, SLUICE);
  const other = addedRounds(compared, peer);
  if (one === undefined || other === undefined) return undefined;
  return roundByRound(one, other, (a, b) => (a <= 0 ? 0 : a / Math.max(b, 0)));
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
