import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";

/** The one timer of a root context. */
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

  #arm(periodMs: number): void {
    this.#next = deadlines.arm(periodMs, () => {
      // Armed before the guest runs, which may stop it or ask for another period.
      this.#arm(periodMs);
      this.#fire();
    });
  }
}
