import { do_not_optimize } from "mitata";
import { phaseNs } from "./phase.ts";

/** Processor time of one call, all threads of the process together, of the cheapest round. */
export interface Least {
  readonly ns: number;
  /** What the machine was like before and after that round: see phaseNs(). */
  readonly phaseNs: number;
}

/** How long work is looked at; ms of its processor time. */
export interface Effort {
  readonly warmUpMs: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** Rounds that are long enough to hold collections of what they leave behind. */
export const EFFORT: Effort = { warmUpMs: 400, rounds: 6, roundMs: 50 };

/** What is prepared may take so many times as long as what is measured, then the round ends. */
const PREPARING_MAX = 3;

/** Something whose cost is asked for. Each piece of work needs a process of its own. */
export interface Work {
  /** @throws Error when a call has another outcome than expected */
  verify(): void;
  measure(effort: Effort): Least;
}

export interface WorkOf<T, R> {
  /** What one call needs; made in lots, outside of the time that is taken. */
  readonly prepare: () => T;
  readonly run: (input: T) => R;
  /** run() leaves what it is given as it was: one lot serves all the time. */
  readonly reuses?: boolean;
  /** Of things that one call does so often; else 1. */
  readonly times?: number;
  readonly shown: (result: R, input: T) => string | number;
  readonly expected: string | number;
}

/** Few enough that what was prepared is in the core's cache, as it is in an exchange. */
const LOT = 256;
const REUSED_LOT = 1024;

export function work<T, R>(of: WorkOf<T, R>): Work {
  const { reuses = false, times = 1 } = of;
  const length = Math.ceil((reuses ? REUSED_LOT : LOT) / times);
  const newLot = (): T[] => Array.from({ length }, () => of.prepare());
  const reused = reuses ? newLot() : undefined;
  const round = (ms: number, clockNs: number): number => {
    let micros = 0;
    let lots = 0;
    let calls = 0;
    const before = process.cpuUsage();
    const mayGoOn = (): boolean => {
      const { user, system } = process.cpuUsage(before);
      return user + system < ms * 1000 * (1 + PREPARING_MAX);
    };
    do {
      const lot = reused ?? newLot();
      micros += runLot(lot, of.run);
      lots++;
      calls += lot.length;
    } while (micros < ms * 1000 && mayGoOn());
    return Math.max(0, micros * 1000 - lots * clockNs) / calls / times;
  };
  return {
    verify: () => verify(of),
    measure({ warmUpMs, rounds, roundMs }) {
      round(warmUpMs, 0);
      const clockNs = readingNs();
      let least: Least = { ns: Infinity, phaseNs: 0 };
      let phase = phaseNs();
      for (let n = 0; n < rounds; n++) {
        const before = phase;
        const ns = round(roundMs, clockNs);
        phase = phaseNs();
        if (ns < least.ns) least = { ns, phaseNs: (before + phase) / 2 };
      }
      return least;
    },
  };
}

/** Twice: the second call meets what the first has left. */
function verify<T, R>({ prepare, run, shown, expected }: WorkOf<T, R>): void {
  for (let n = 0; n < 2; n++) {
    const input = prepare();
    const seen = shown(run(input), input);
    if (seen === expected) continue;
    const both = `${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`;
    throw new Error(`Cannot trust this benchmark: ${both}`);
  }
}

/** @returns µs of processor time */
function runLot<T>(lot: readonly T[], run: (input: T) => unknown): number {
  const before = process.cpuUsage();
  for (let at = 0; at < lot.length; at++) do_not_optimize(run(lot[at] as T));
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** ns of processor time that reading the clock takes. */
function readingNs(): number {
  const readings = 20_000;
  const before = process.cpuUsage();
  for (let n = 0; n < readings; n++) do_not_optimize(process.cpuUsage());
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / readings;
}

/** The cheaper one. */
export function cheaper(one: Least | undefined, other: Least): Least {
  return one !== undefined && one.ns <= other.ns ? one : other;
}
