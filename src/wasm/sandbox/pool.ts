import { type Deadline, deadlines } from "../../base/deadlines.ts";

/**
 * Sandboxes of one plugin that serve one exchange at a time.
 *
 *   acquire() ──▶ idle one │ a new one, up to `size` │ wait in line, up to `queue` and `waitMs`
 *   release() ──▶ put back to the image ──▶ the first in line │ idle
 *                 └ cannot be ──▶ dropped, and a new one is made when somebody waits
 *
 * Every turn of `trimMs`, those that were idle for all of it are dropped, down to `warm`.
 */
export interface PoolSettings {
  /** count; sandboxes at most. */
  readonly size: number;
  /** count; made at once, and kept. */
  readonly warm: number;
  /** count; exchanges that may wait. */
  readonly queue: number;
  /** How long each of them may. */
  readonly waitMs: number;
}

/** What the pool does with what it holds. */
export interface Pooled<T> {
  /** @throws when there can be no more */
  make(): T;
  /** Back to how it was made. @returns false when that cannot be: it is dropped then */
  reset(item: T): boolean;
  drop(item: T): void;
  /** The error for an exchange that gets none. */
  overloaded(why: string): Error;
}

/** ms; memory of a burst is given back about this long after it. */
const TRIM_MS = 10_000;

interface Waiting<T> {
  readonly resolve: (item: T) => void;
  readonly reject: (error: unknown) => void;
  readonly late: Deadline;
}

export class SandboxPool<T> {
  readonly #settings: PoolSettings;
  readonly #pooled: Pooled<T>;
  readonly #idle: T[] = [];
  /** In the order of arrival: a Set, so that one whose time is over leaves without a search. */
  readonly #waiting = new Set<Waiting<T>>();
  #busy = 0;
  /** The fewest idle ones since the last trim: nobody has needed these. */
  #unneeded = 0;
  #trim: Deadline | undefined;
  #closed = false;

  /** @throws what make() throws for the warm ones; those made before are dropped */
  constructor(settings: PoolSettings, pooled: Pooled<T>) {
    this.#settings = settings;
    this.#pooled = pooled;
    try {
      while (this.#idle.length < Math.min(settings.warm, settings.size)) {
        this.#idle.push(pooled.make());
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get busy(): number {
    return this.#busy;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @returns a sandbox, or a promise of one when all are busy
   * @throws overloaded() when nobody more may wait, or (by the promise) after `waitMs`; what make()
   *   throws
   */
  acquire(): T | Promise<T> {
    const idle = this.#idle.pop();
    this.#unneeded = Math.min(this.#unneeded, this.#idle.length);
    if (idle !== undefined) {
      this.#busy++;
      return idle;
    }
    const { size, queue } = this.#settings;
    if (this.#busy < size) {
      const made = this.#pooled.make();
      this.#busy++;
      return made;
    }
    if (this.#waiting.size >= queue) {
      const busy = `all ${size} sandboxes are busy`;
      throw this.#pooled.overloaded(`${busy} and ${queue} exchanges wait already`);
    }
    return this.#wait();
  }

  /** It has served its exchange, well or not. */
  release(item: T): void {
    this.#busy--;
    const kept = !this.#closed && this.#pooled.reset(item);
    if (!kept) this.#pooled.drop(item);
    if (this.#closed) return;
    const [next] = this.#waiting;
    if (next !== undefined) this.#serve(next, kept ? item : undefined);
    else if (kept) this.#keep(item);
  }

  /** Drops the idle ones, and each busy one when it is released. Who waits is refused. */
  close(): void {
    this.#closed = true;
    this.#trim?.cancel();
    for (const item of this.#idle.splice(0)) this.#pooled.drop(item);
    this.#refuseAll(this.#pooled.overloaded("it is closed"));
  }

  #refuseAll(why: unknown): void {
    for (const waiting of this.#waiting) {
      waiting.late.cancel();
      waiting.reject(why);
    }
    this.#waiting.clear();
  }

  #wait(): Promise<T> {
    const { size, waitMs } = this.#settings;
    return new Promise<T>((resolve, reject) => {
      const late = deadlines.arm(waitMs, () => {
        this.#waiting.delete(waiting);
        const busy = `all ${size} sandboxes have been busy`;
        reject(this.#pooled.overloaded(`${busy} for ${waitMs} ms`));
      });
      const waiting: Waiting<T> = { resolve, reject, late };
      this.#waiting.add(waiting);
    });
  }

  #serve(waiting: Waiting<T>, item: T | undefined): void {
    this.#waiting.delete(waiting);
    waiting.late.cancel();
    try {
      const given = item ?? this.#pooled.make();
      this.#busy++;
      waiting.resolve(given);
    } catch (error) {
      waiting.reject(error);
      // Nobody is left who could hand one over.
      if (this.#busy === 0) this.#refuseAll(error);
    }
  }

  #keep(item: T): void {
    this.#idle.push(item);
    if (this.#trim !== undefined || this.#idle.length <= this.#settings.warm) return;
    this.#unneeded = this.#idle.length;
    this.#trim = deadlines.arm(TRIM_MS, () => this.#dropUnneeded());
  }

  #dropUnneeded(): void {
    this.#trim = undefined;
    const extra = Math.min(this.#unneeded, this.#idle.length - this.#settings.warm);
    if (extra > 0) for (const item of this.#idle.splice(0, extra)) this.#pooled.drop(item);
    if (this.#idle.length <= this.#settings.warm) return;
    this.#unneeded = this.#idle.length;
    this.#trim = deadlines.arm(TRIM_MS, () => this.#dropUnneeded());
  }
}
