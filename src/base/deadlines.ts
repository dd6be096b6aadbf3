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

const TICK_MS = 10;
/** Power of two; 512 slots of 10 ms are a turn of 5 s, about what most deadlines need. */
const SLOTS = 512;

class Armed implements Deadline {
  /** ms on the wheel's clock. */
  readonly dueMs: number;
  readonly slot: Set<Armed>;
  readonly fire: () => void;
  readonly wheel: Deadlines;

  constructor(wheel: Deadlines, slot: Set<Armed>, dueMs: number, fire: () => void) {
    this.wheel = wheel;
    this.slot = slot;
    this.dueMs = dueMs;
    this.fire = fire;
  }

  cancel(): void {
    this.wheel.drop(this);
  }
}

export class Deadlines {
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Armed>());
  #armed = 0;
  #ticker: Timer | undefined;
  /** Ticks that have been worked off, counted from the clock's zero. */
  #done = 0;
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
    const slot = this.#slots[tick & (SLOTS - 1)] as Set<Armed>;
    const armed = new Armed(this, slot, dueMs, fire);
    slot.add(armed);
    this.#armed++;
    return armed;
  }

  /** @internal for Armed.cancel() */
  drop(armed: Armed): void {
    if (!armed.slot.delete(armed)) return;
    this.#armed--;
    if (this.#armed === 0) this.#stop();
  }

  /** Fires what is due; called by the ticker, and by tests with a clock of their own. */
  advance(): void {
    const now = this.#nowMs();
    const current = Math.floor(now / TICK_MS);
    // After a long stall every slot is visited once, not once per missed turn.
    const first = Math.max(this.#done + 1, current - SLOTS + 1);
    this.#done = Math.max(this.#done, current);
    for (let tick = first; tick <= current; tick++) {
      for (const armed of this.#slots[tick & (SLOTS - 1)] as Set<Armed>) {
        if (armed.dueMs > now) continue; // A later turn of the wheel.
        this.drop(armed);
        armed.fire();
      }
    }
  }

  /** When the next one is due, in ms on the wheel's clock; undefined: nothing waits. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const slot of this.#slots) {
      for (const { dueMs } of slot) if (next === undefined || dueMs < next) next = dueMs;
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
    this.#done = Math.floor(this.#nowMs() / TICK_MS);
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

/** The process's wheel. */
export const deadlines = new Deadlines();
