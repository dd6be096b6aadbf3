import type { PollPage, Watch } from "../watch/watch.ts";

/** How a guest's call went in time. */
export interface Spent {
  /**
   * What it has used: of real time where there is a watch, in coarse steps that add up to the truth
   * over many calls; else of metered time, and of real time when it has called the host often.
   */
  readonly ms: number;
  /** Why it was stopped; undefined when it was not, or not by its meter. */
  readonly over: "deadline" | "fuel" | undefined;
}

/** What bounds the calls of one guest. Calls are never nested. */
export interface Metered {
  /**
   * The guest is about to run.
   * @param fuel units; 0: as many as it likes
   */
  enter(deadlineMs: number, fuel: number): void;
  /** @param trapped it did not return: it may have been stopped */
  leave(trapped: boolean): Spent;
  /** Its time is over: host functions then refuse to work, so that it comes to its end. */
  expired(): boolean;
}

/** Sets what is left, in units, and returns what was left; below 0: it ran out. */
export type SetFuel = (units: number) => number;

const FUEL_MAX = 0x7fff_ffff;
const IN_TIME: Spent = { ms: 0, over: undefined };

/** The watch keeps the time; fuel is counted only when there is a bound for it. */
export class WatchMetered implements Metered {
  readonly #watch: Watch;
  readonly #page: PollPage;
  readonly #setFuel: SetFuel | undefined;
  #enteredAt = 0;

  constructor(watch: Watch, page: PollPage, setFuel: SetFuel | undefined) {
    this.#watch = watch;
    this.#page = page;
    this.#setFuel = setFuel;
  }

  enter(deadlineMs: number, fuel: number): void {
    this.#setFuel?.(fuel || FUEL_MAX);
    this.#enteredAt = this.#watch.ticks;
    this.#watch.enter(this.#page, deadlineMs);
  }

  leave(trapped: boolean): Spent {
    const shut = this.#watch.leave();
    const ms = this.#watch.ticks - this.#enteredAt;
    // A guest that returns while it is being stopped has been in time.
    if (!trapped) return ms === 0 ? IN_TIME : { ms, over: undefined };
    if (shut) return { ms, over: "deadline" };
    const isEmpty = this.#setFuel !== undefined && this.#setFuel(FUEL_MAX) < 0;
    return { ms, over: isEmpty ? "fuel" : undefined };
  }

  expired(): boolean {
    return this.#watch.expired;
  }
}

/** Host calls between two looks at the clock: one look costs as much as a cheap host call. */
const CLOCK_EVERY = 16;

/**
 * Fuel keeps the time. Host functions take time without taking fuel, so a guest that calls them
 * often has them look at the clock, and is left without fuel when its deadline has passed: it traps
 * at its next check. A guest that hardly calls the host costs no look at all.
 */
export class FuelMetered implements Metered {
  readonly #setFuel: SetFuel;
  readonly #unitsPerMs: number;
  #deadlineMs = 0;
  #given = 0;
  #counted = false;
  #late = false;
  #hostCalls = 0;
  /** When the clock was looked at first; 0: not yet. */
  #sinceMs = 0;

  constructor(setFuel: SetFuel, unitsPerMs: number) {
    this.#setFuel = setFuel;
    this.#unitsPerMs = unitsPerMs;
  }

  enter(deadlineMs: number, fuel: number): void {
    const forDeadline = Math.min(deadlineMs * this.#unitsPerMs, FUEL_MAX);
    this.#counted = fuel > 0 && fuel < forDeadline;
    this.#given = this.#counted ? fuel : forDeadline;
    this.#setFuel(this.#given);
    this.#deadlineMs = deadlineMs;
    this.#late = false;
    this.#hostCalls = 0;
    this.#sinceMs = 0;
  }

  leave(trapped: boolean): Spent {
    const left = this.#setFuel(FUEL_MAX);
    const realMs = this.#sinceMs === 0 ? 0 : performance.now() - this.#sinceMs;
    const ms = Math.max(realMs, (this.#given - Math.max(left, 0)) / this.#unitsPerMs);
    if (!trapped || left >= 0) return { ms, over: undefined };
    return { ms, over: this.#counted && !this.#late ? "fuel" : "deadline" };
  }

  expired(): boolean {
    if (this.#late) return true;
    if (++this.#hostCalls % CLOCK_EVERY !== 0) return false;
    const now = performance.now();
    if (this.#sinceMs === 0) this.#sinceMs = now;
    if (now - this.#sinceMs <= this.#deadlineMs) return false;
    this.#late = true;
    this.#setFuel(-1);
    return true;
  }
}
