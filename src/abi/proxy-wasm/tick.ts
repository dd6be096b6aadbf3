import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";

/** The one timer of a root context. */
export class Tick {
  readonly #fire: () => void;
  #next: Deadline | undefined;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** @param periodMs 0 stops it; below LIMITS.guestTickMsMin it is that */
  set(periodMs: number): void {
    this.stop();
    if (periodMs > 0) this.#arm(Math.max(periodMs, LIMITS.guestTickMsMin));
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = undefined;
  }

  #arm(periodMs: number): void {
    this.#next = deadlines.arm(periodMs, () => {
      // Armed before the guest runs, which may stop it or ask for another period.
      this.#arm(periodMs);
      this.#fire();
    });
  }
}
