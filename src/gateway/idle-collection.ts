/** Beats in a row (the master sends one a second) that a worker is idle before it cleans up. */
const IDLE_BEATS = 3;
/** Exchanges since the last time below which there is nothing to gain. */
const EXCHANGES_MIN = 1000;

/**
 * Gives memory back after a burst. The engine collects when somebody allocates, so a worker that
 * has nothing to do keeps what the last busy minute has left: 20 to 40 MiB after 100,000 exchanges.
 * A full collection stops the worker for 10 ms, or 90 with a thousand sandboxes; while nobody waits
 * that costs nothing.
 */
export class IdleCollection {
  readonly #collect: () => void;
  #idleBeats = 0;
  #collectedAt = 0;
  #count = 0;

  constructor(collect: () => void = collectAll) {
    this.#collect = collect;
  }

  /** Collections so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * @param inFlight exchanges that live
   * @param served exchanges so far
   */
  beat(inFlight: number, served: number): void {
    this.#idleBeats = inFlight === 0 ? this.#idleBeats + 1 : 0;
    if (this.#idleBeats !== IDLE_BEATS || served - this.#collectedAt < EXCHANGES_MIN) return;
    this.#collectedAt = served;
    this.#collect();
    this.#count++;
  }
}

/** Stops the worker for it: 10 ms, or 90 with a thousand sandboxes. */
export function collectAll(): void {
  Bun.gc(true);
}
