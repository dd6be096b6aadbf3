import { LIMITS } from "../base/limits.ts";
import { collectAll } from "./idle-collection.ts";

/** A collection takes at most this part of a worker's time: one in so many. */
const TIME_SHARE = 20;

/**
 * Collects all garbage when a worker has grown by LIMITS.garbageBytesMax, or by half of what it had
 * after the last time.
 *
 * The engine counts the memory of every sandbox as if it were its own, at full size, and lets
 * garbage grow until it is as much again. Most of a sandbox is shared with its image or was never
 * written, so with 400 of them that is a gigabyte of dead header lines beside 200 MiB that live.
 */
export class PressureCollection {
  readonly #collect: () => void;
  readonly #now: () => number;
  /** bytes; after the last collection. */
  #base: number | undefined;
  #notBefore = 0;
  #count = 0;

  constructor(collect: () => void = collectAll, now: () => number = () => performance.now()) {
    this.#collect = collect;
    this.#now = now;
  }

  /** Collections so far. */
  get count(): number {
    return this.#count;
  }

  /** To be called often: between two calls a worker grows as it likes. @param rss bytes, as read */
  look(rss: () => number): void {
    const bytes = rss();
    this.#base = Math.min(this.#base ?? bytes, bytes);
    if (bytes - this.#base < Math.max(LIMITS.garbageBytesMax, this.#base / 2)) return;
    const startedAt = this.#now();
    if (startedAt < this.#notBefore) return;
    this.#collect();
    this.#count++;
    const endedAt = this.#now();
    this.#notBefore = endedAt + (endedAt - startedAt) * TIME_SHARE;
    this.#base = rss();
  }
}
