import { filledArray } from "./filled-array.ts";
import { assert } from "./assert.ts";

/**
 * Deadlines on one coarse timer wheel: arming and cancelling cost a few list operations, not a
 * runtime timer each.
 *
 *   slot    0      1      2            tick →          511
 *           ├─ a   ├─    ├─ c ─ d      every 10 ms      ├─ b (rounds: 3 more turns)
 *
 * A deadline fires up to one tick late, never early. The ticker runs only while something is armed.
 */
export interface Deadline {
  /** Idempotent; after it `fire` is not called. */
  cancel(): void;
}

/** ms between two ticks. */
export const TICK_MS = 10;
/** Power of two; 512 slots of 10 ms are a turn of 5 s, about what most deadlines need. */
const SLOTS = 512;

/** A link of its slot's ring. */
class Armed implements Deadline {
  /** ms on the wheel's clock. */
  readonly dueMs: number;
  readonly fire: () => void;
  readonly wheel: Deadlines | undefined;
  /** Itself when it waits no longer. */
  next: Armed = this;
  previous: Armed = this;

  constructor(wheel: Deadlines | undefined, dueMs: number, fire: () => void) {
    this.wheel = wheel;
    this.dueMs = dueMs;
    this.fire = fire;
  }

  get waits(): boolean {
    return this.next !== this;
  }

  cancel(): void {
    this.wheel?.drop(this);
  }

  insertBefore(other: Armed): void {
    this.next = other;
    this.previous = other.previous;
    other.previous.next = this;
    other.previous = this;
  }

  remove(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }
}

export class Deadlines {
  /**
   * The head of each ring, which is no deadline itself; made when its slot is first used, because
   * all at once they can be seen in how long a start takes.
   */
  readonly #slots = filledArray<Armed | undefined>(SLOTS, undefined);
  #armed = 0;
  #ticker: Timer | undefined;
  /** Ticks that have been worked off, counted from the clock's zero. */
  #done = 0;
  #tickedMs = 0;
  readonly #realMs: () => number;
  #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#realMs = nowMs;
    this.#nowMs = nowMs;
  }

  /** ms on the wheel's clock: performance.now(), unless somebody holds it. */
  get nowMs(): number {
    return this.#nowMs();
  }

  /**
   * The same as of the last tick: a reading of the clock saved where some ms do not count. Kept up
   * only while a deadline waits; far back when something has held up the event loop.
   */
  get tickedMs(): number {
    return this.#tickedMs;
  }

  /** Number of deadlines that wait. */
  get armed(): number {
    return this.#armed;
  }

  /**
   * Calls `fire` once, `afterMs` or up to one tick later, unless cancelled.
   * @param afterMs 0 or more
   */
  arm(afterMs: number, fire: () => void): Deadline {
    if (this.#armed === 0) this.#start();
    const dueMs = this.#nowMs() + afterMs;
    const tick = Math.max(Math.ceil(dueMs / TICK_MS), this.#done + 1);
    const armed = new Armed(this, dueMs, fire);
    armed.insertBefore(
      (this.#slots[tick & (SLOTS - 1)] ??= new Armed(undefined, Infinity, nobody)),
    );
    this.#armed++;
    return armed;
  }

  /** @internal for Armed.cancel() */
  drop(armed: Armed): void {
    if (!armed.waits) return;
    armed.remove();
    this.#armed--;
    if (this.#armed === 0) this.#stop();
  }

  /** Fires what is due; called by the ticker, and by tests with a clock of their own. */
  advance(): void {
    const now = this.#nowMs();
    this.#tickedMs = now;
    const current = Math.floor(now / TICK_MS);
    // After a long stall every slot is visited once, not once per missed turn.
    const first = Math.max(this.#done + 1, current - SLOTS + 1);
    this.#done = Math.max(this.#done, current);
    for (let tick = first; tick <= current; tick++) {
      // What one of them arms or cancels may be its neighbour.
      for (const armed of this.#due(tick & (SLOTS - 1), now)) {
        if (!armed.waits) continue;
        this.drop(armed);
        armed.fire();
      }
    }
  }

  /** Those of later turns of the wheel stay. */
  #due(slot: number, now: number): Armed[] {
    const due: Armed[] = [];
    const head = this.#slots[slot];
    if (head === undefined) return due;
    for (let at = head.next; at !== head; at = at.next) if (at.dueMs <= now) due.push(at);
    return due;
  }

  /** When the next one is due, in ms on the wheel's clock; undefined: nothing waits. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const slot of this.#slots) {
      if (slot === undefined) continue;
      for (let at = slot.next; at !== slot; at = at.next)
        next = Math.min(next ?? at.dueMs, at.dueMs);
    }
    return next;
  }

  /**
   * Takes the wheel off its clock: only who holds it turns it, by advance(). One holder at a time.
   * @param nowMs its clock, never before that of the wheel
   * @returns puts it on its own clock again; what waits by then is due where it was
   */
  hold(nowMs: () => number): () => void {
    assert(this.#nowMs === this.#realMs, "Cannot hold a wheel that is held");
    this.#nowMs = nowMs;
    this.#stop();
    return () => {
      this.#nowMs = this.#realMs;
      this.#done = Math.floor(this.#nowMs() / TICK_MS);
      if (this.#armed > 0) this.#start();
    };
  }

  #start(): void {
    this.#tickedMs = this.#nowMs();
    this.#done = Math.floor(this.#tickedMs / TICK_MS);
    if (this.#nowMs !== this.#realMs) return;
    this.#ticker = setInterval(() => this.advance(), TICK_MS);
    // Waiting requests keep the process alive by their sockets; the ticker alone must not.
    this.#ticker.unref();
  }

  #stop(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }
}

function nobody(): void {}

/** The process's wheel. */
export const deadlines = new Deadlines();
