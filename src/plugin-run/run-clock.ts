import { deadlines } from "../base/deadlines.ts";

/** ms; a deadline of the wheel fires at the first of these that is not before it. */
const STEP_MS = 10;
/** What one look at the clock takes, as a guest sees it. */
const LOOK_NS = 1_000n;

/**
 * The time of a run: it stands still until there is nothing left to do, and then jumps to what is
 * due next. So a pause of a minute takes no time, and the same run sees the same times again.
 */
export class RunClock {
  readonly #startMs: number;
  readonly #epochMs: number;
  #nowMs: number;
  #looks = 0n;

  /** @param epochMs ms since 1970 at the start of the run */
  constructor(epochMs: number) {
    // On a step of the wheel, so that deadlines are rounded alike in every run.
    this.#startMs = Math.ceil(performance.now() / STEP_MS) * STEP_MS;
    this.#nowMs = this.#startMs;
    this.#epochMs = epochMs;
  }

  /** Monotonic, as performance.now(). */
  readonly nowMs = (): number => this.#nowMs;

  /** Since the start of the run. */
  get elapsedMs(): number {
    return this.#nowMs - this.#startMs;
  }

  /** ns since 1970, a little more with each look. */
  lookNs(): bigint {
    this.#looks++;
    return BigInt(this.#epochMs + this.elapsedMs) * 1_000_000n + this.#looks * LOOK_NS;
  }

  /** ns since 1970. */
  get timeNs(): bigint {
    return BigInt(this.#epochMs + this.elapsedMs) * 1_000_000n;
  }

  /** Takes the process's deadlines over; only one run at a time can. @returns gives them back */
  hold(): () => void {
    return deadlines.hold(this.nowMs);
  }

  /** Jumps to the next deadline and fires it. @returns false when nothing waits for time to pass */
  jump(): boolean {
    const dueMs = deadlines.nextDueMs;
    if (dueMs === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs + STEP_MS, Math.ceil(dueMs / STEP_MS) * STEP_MS);
    deadlines.advance();
    return true;
  }
}
