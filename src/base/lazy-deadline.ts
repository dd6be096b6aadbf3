import { deadlines, TICK_MS } from "./deadlines.ts";
import type { Deadline } from "./deadlines.ts";

/**
 * A deadline that is moved with every request and seldom met. Moving it only notes a time: what has
 * been armed stays armed, and when it fires too early it arms itself again for the rest.
 */
export class LazyDeadline {
  readonly #onMissed: () => void;
  readonly #fire = (): void => this.#check();
  /** ms of performance.now(); Infinity: not set. */
  #dueMs = Infinity;
  #armed: Deadline | undefined;
  #armedForMs = 0;

  constructor(onMissed: () => void) {
    this.#onMissed = onMissed;
  }

  /**
   * Replaces what was set before.
   * @param nowMs of performance.now(), for who has it at hand
   */
  set(afterMs: number, nowMs: number = performance.now()): void {
    this.#dueMs = nowMs + afterMs;
    if (this.#armed !== undefined && this.#armedForMs <= this.#dueMs) return;
    this.#armed?.cancel();
    this.#arm(nowMs);
  }

  /**
   * The same without a look at the clock: it is missed up to one tick later, or earlier by as long
   * as something has held up the event loop. For those that keep order and promise nothing.
   */
  setAbout(afterMs: number): void {
    if (this.#armed === undefined) this.set(afterMs);
    else this.set(afterMs, deadlines.tickedMs + TICK_MS);
  }

  /** Cheap: to be set again soon. */
  clear(): void {
    this.#dueMs = Infinity;
  }

  /** For good: nothing stays on the wheel. */
  close(): void {
    this.#dueMs = Infinity;
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #check(): void {
    this.#armed = undefined;
    if (this.#dueMs === Infinity) return;
    const nowMs = performance.now();
    if (nowMs < this.#dueMs) {
      this.#arm(nowMs);
      return;
    }
    this.#dueMs = Infinity;
    this.#onMissed();
  }

  #arm(nowMs: number): void {
    this.#armedForMs = this.#dueMs;
    this.#armed = deadlines.arm(this.#dueMs - nowMs, this.#fire);
  }
}
