import { LIMITS } from "../../base/limits.ts";

/** Longer periods would make the runtime's timer fire at once. */
const PERIOD_MS_MAX = 0x7fff_ffff;

/** The one timer of a root context. */
export class Tick {
  readonly #fire: () => void;
  #timer: Timer | undefined;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** @param periodMs 0 stops it; below LIMITS.guestTickMsMin it is that */
  set(periodMs: number): void {
    this.stop();
    if (periodMs === 0) return;
    const ms = Math.min(Math.max(periodMs, LIMITS.guestTickMsMin), PERIOD_MS_MAX);
    this.#timer = setInterval(this.#fire, ms);
    this.#timer.unref(); // Sockets keep a worker alive, a guest's timer does not.
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
