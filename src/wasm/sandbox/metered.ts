import type { PollPage, Watch } from "../watch/watch.ts";

/** How a guest's call went in time. */
export interface Spent {
  /** Real time; where there is a watch, in steps of about one. */
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
  /** It has returned, or was stopped. */
  leave(): Spent;
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

  leave(): Spent {
    const shut = this.#watch.leave();
    const ms = this.#watch.ticks - this.#enteredAt;
    if (shut) return { ms, over: "deadline" };
    if (this.#setFuel !== undefined && this.#setFuel(FUEL_MAX) < 0) return { ms, over: "fuel" };
    return ms === 0 ? IN_TIME : { ms, over: undefined };
  }

  expired(): boolean {
    return this.#watch.expired;
  }
}

/** Host calls between two looks at the clock: one look costs as much as a cheap host call. */
const CLOCK_EVERY = 16;

/**
 * Fuel keeps the time. Host functions take time without taking fuel, so they look at the clock, and
 * take all of it when the deadline has passed: the guest traps at its next check.
 */
export class FuelMetered implements Metered {
  readonly #setFuel: SetFuel;
  readonly #unitsPerMs: number;
  #enteredMs = 0;
  #deadlineMs = 0;
  #counted = false;
  #late = false;
  #hostCalls = 0;

  constructor(setFuel: SetFuel, unitsPerMs: number) {
    this.#setFuel = setFuel;
    this.#unitsPerMs = unitsPerMs;
  }

  enter(deadlineMs: number, fuel: number): void {
    const forDeadline = deadlineMs * this.#unitsPerMs;
    this.#counted = fuel > 0 && fuel < forDeadline;
    this.#setFuel(Math.min(this.#counted ? fuel : forDeadline, FUEL_MAX));
    this.#deadlineMs = deadlineMs;
    this.#late = false;
    this.#hostCalls = 0;
    this.#enteredMs = performance.now();
  }

  leave(): Spent {
    const ms = performance.now() - this.#enteredMs;
    if (this.#setFuel(FUEL_MAX) >= 0) return { ms, over: undefined };
    return { ms, over: this.#counted && !this.#late ? "fuel" : "deadline" };
  }

  expired(): boolean {
    if (this.#late) return true;
    if (++this.#hostCalls % CLOCK_EVERY !== 0) return false;
    if (performance.now() - this.#enteredMs <= this.#deadlineMs) return false;
    this.#late = true;
    this.#setFuel(-1);
    return true;
  }
}
