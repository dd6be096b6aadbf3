import { deadlines } from "./deadlines.ts";
import { LIMITS } from "./limits.ts";

/** Something with events of which somebody is to be told. */
export interface Telling {
  /** Tells of one event. @returns true when there are more */
  tell(): boolean;
}

/** Where a Telling that does not wait already gets its turns. */
export interface TurnTaking {
  add(telling: Telling): void;
}

/**
 * Tells guests of what has come for them: from the event loop, one event of one source after the
 * other, and not for long at a time.
 *
 *   a: 4 events ─┐
 *   b: 1 event  ─┴─▶ turn: a b a │ others, for as long as that took │ turn: a a
 *
 * A guest may put two items into a queue for each that it takes out, or make a call in each answer,
 * and work on each up to its deadline: a turn that only ended with the last event would never end,
 * and the worker would be killed for it.
 */
export class Turns implements TurnTaking {
  /** Each of them once. */
  readonly #waiting: Telling[] = [];
  readonly #nowMs: () => number;
  #isScheduled = false;

  /** @param nowMs monotonic clock; where it stands still, a turn ends with the last event */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  add(telling: Telling): void {
    this.#waiting.push(telling);
    if (!this.#isScheduled) setImmediate(() => this.#turn());
    this.#isScheduled = true;
  }

  #turn(): void {
    const startedMs = this.#nowMs();
    let spentMs = 0;
    while (this.#waiting.length > 0 && spentMs < LIMITS.turnMsMax) {
      const next = this.#waiting.shift();
      if (next?.tell()) this.#waiting.push(next);
      spentMs = this.#nowMs() - startedMs;
    }
    this.#isScheduled = this.#waiting.length > 0;
    if (this.#isScheduled) deadlines.arm(spentMs, () => this.#turn());
  }
}

/** For the answers that all guests of the process get: what one takes, the others wait for. */
export const turns = new Turns();

/** The turns of one owner, who gets one after the other, however many it has a use for. */
export class OwnTurns implements TurnTaking, Telling {
  readonly #shared: TurnTaking;
  readonly #waiting: Telling[] = [];
  #isWaiting = false;

  constructor(shared: TurnTaking = turns) {
    this.#shared = shared;
  }

  add(telling: Telling): void {
    this.#waiting.push(telling);
    if (!this.#isWaiting) this.#shared.add(this);
    this.#isWaiting = true;
  }

  /** @internal Telling */
  tell(): boolean {
    const next = this.#waiting.shift();
    if (next?.tell()) this.#waiting.push(next);
    this.#isWaiting = this.#waiting.length > 0;
    return this.#isWaiting;
  }
}
