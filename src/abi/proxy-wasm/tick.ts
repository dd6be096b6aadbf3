import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";

/**
 * The one timer of a root context. A tick that takes longer than half of its period delays the next
 * one by as long as it took, so that half of the worker's time stays for others.
 */
export class Tick {
  readonly #fire: () => void;
  #next: Deadline | undefined;
  #periodMs = 0;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** @param periodMs 0 stops it; below LIMITS.guestTickMsMin it is that */
  set(periodMs: number): void {
    this.stop();
    if (periodMs <= 0) return;
    this.#periodMs = Math.max(periodMs, LIMITS.guestTickMsMin);
    this.#arm(this.#periodMs);
  }

  /** 0 when it is stopped. */
  get periodMs(): number {
    return this.#periodMs;
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = undefined;
    this.#periodMs = 0;
  }

  #arm(periodMs: number, afterMs = periodMs): void {
    this.#next = deadlines.arm(afterMs, () => {
      // Armed before the guest runs, which may stop it or ask for another period.
      this.#arm(periodMs);
      const next = this.#next;
      const startedMs = deadlines.nowMs;
      this.#fire();
      const spentMs = deadlines.nowMs - startedMs;
      if (spentMs <= periodMs / 2 || next !== this.#next) return;
      next?.cancel();
      this.#arm(periodMs, Math.max(periodMs - spentMs, spentMs));
    });
  }
}
