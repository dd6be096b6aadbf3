import { Watch } from "../watch/watch.ts";
import { fuelUnitsPerMs } from "./fuel-rate.ts";

/**
 * Who keeps guests to their time on this thread.
 *
 *   watch   a second thread that shuts a page which every loop touches, when the time is over
 *   fuel    a counter in the guest that every loop takes from, when there can be no watch
 *
 * The watch measures real time. Fuel counts instructions and turns a deadline into as many as the
 * fastest code needs for it, so that slower code is stopped earlier than it would have to be, and
 * code that waits for memory later.
 */
export class Meter {
  #watch: Watch | undefined;
  #unitsPerMs: number | undefined;

  /** Starts the watch where there can be one. Without this call guests are metered by fuel. */
  async start(): Promise<void> {
    this.#watch ??= await Watch.start();
  }

  get watch(): Watch | undefined {
    return this.#watch;
  }

  /** Units of fuel that hot code of any kind needs at least a millisecond for. */
  get unitsPerMs(): number {
    this.#unitsPerMs ??= fuelUnitsPerMs();
    return this.#unitsPerMs;
  }
}

/** The thread's own. */
export const meter = new Meter();
