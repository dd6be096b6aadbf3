/**
 * When a plugin that keeps failing is left alone for a while.
 *
 *   closed ──`failures` within `windowMs`──▶ open ──`openMs` later──▶ half-open: one exchange tries
 *      ▲                                      ▲                            │
 *      └───────────── it succeeds ────────────┼────────────────────────────┤
 *                                             └──────── it fails ──────────┘
 *
 * A trial that never tells how it went (its client hung on for hours) is given up after `openMs`,
 * and the next exchange tries.
 */
export type BreakerState = "closed" | "open" | "half-open";

export interface BreakerSettings {
  /** count; 0: it never opens. */
  readonly failures: number;
  readonly windowMs: number;
  readonly openMs: number;
}

export class Breaker {
  readonly #settings: BreakerSettings;
  readonly #nowMs: () => number;
  readonly #changed: (state: BreakerState) => void;
  /** When the last `failures` failures were, oldest overwritten first. */
  readonly #failedAt: number[] = [];
  #next = 0;
  #state: BreakerState = "closed";
  /** Open: since when. Half-open: when the trial began. */
  #sinceMs = 0;
  #opened = 0;

  /** @param changed called with every new state, after it has been taken */
  constructor(
    settings: BreakerSettings,
    nowMs: () => number,
    changed: (state: BreakerState) => void = () => {},
  ) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#changed = changed;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How often it has opened. */
  get opened(): number {
    return this.#opened;
  }

  /** True when an exchange may try. After a true in any state but closed it is the trial. */
  admit(): boolean {
    if (this.#state === "closed") return true;
    if (this.retryInMs > 0) return false;
    this.#sinceMs = this.#nowMs();
    if (this.#state === "open") this.#become("half-open");
    return true;
  }

  /** ms until an exchange may try; 0 when one may now. */
  get retryInMs(): number {
    if (this.#state === "closed") return 0;
    return Math.max(0, Math.ceil(this.#sinceMs + this.#settings.openMs - this.#nowMs()));
  }

  /** An exchange has gone well. */
  succeeded(): void {
    if (this.#state !== "half-open") return;
    this.#failedAt.length = 0;
    this.#next = 0;
    this.#become("closed");
  }

  failed(): void {
    const { failures, windowMs } = this.#settings;
    if (failures === 0 || this.#state === "open") return;
    const now = this.#nowMs();
    if (this.#state === "half-open") {
      this.#open(now);
      return;
    }
    this.#failedAt[this.#next] = now;
    this.#next = (this.#next + 1) % failures;
    // The one that is overwritten next is the oldest of the last `failures` ones.
    const oldest = this.#failedAt[this.#next];
    const full = this.#failedAt.length === failures;
    if (full && oldest !== undefined && now - oldest <= windowMs) this.#open(now);
  }

  #open(now: number): void {
    this.#sinceMs = now;
    this.#opened++;
    this.#become("open");
  }

  #become(state: BreakerState): void {
    this.#state = state;
    this.#changed(state);
  }
}
