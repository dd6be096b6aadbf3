import { LIMITS } from "../base/limits.ts";
import { HEADER } from "./layout.ts";
import { StoreRefusal } from "./store-refusal.ts";

/** count; looks at the lock, some 20 ns each, before the kernel is asked about its holder. */
const SPINS = 2000;
/** ms between further ones, and how many they are then: a lock is free for moments only. */
const PAUSE_MS = 0.05;
const MORE_SPINS = 200;

/** Something to wait for that never comes: the engine has no other sleep of less than 1 ms. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Lets one process at a time work in a store. The lock word is the serial number of its holder,
 * which no other process ever gets, so that a process with a reused id is not taken for it.
 *
 *   free ──▶ held ──▶ free
 *             └ holder is dead ─▶ held by who waits, which repairs what was being changed
 *
 * One's own number in it is left from an earlier call that an exception has ended in the middle
 * (a guest can bring about a stack overflow anywhere): it is taken over like a dead one's.
 */
export class StoreLock {
  readonly #words: Int32Array;
  readonly #serial: number;
  readonly #isAlive: (serial: number) => boolean;
  /** When somebody was waited for in vain; as long as it is that turn, nobody waits long again. */
  #stuckTurn: number | undefined;

  /**
   * @param serial of this process, not 0
   * @param isAlive whether the process with that serial number still runs
   */
  constructor(words: Int32Array, serial: number, isAlive: (serial: number) => boolean) {
    this.#words = words;
    this.#serial = serial;
    this.#isAlive = isAlive;
  }

  /** @throws StoreRefusal SHARED_STORE_BUSY */
  enter(): void {
    if (Atomics.compareExchange(this.#words, HEADER.lock, 0, this.#serial) !== 0) this.#wait();
  }

  leave(): void {
    this.#words[HEADER.turns] = this.#turn + 1;
    Atomics.store(this.#words, HEADER.lock, 0);
  }

  /** This process has not left it, though nothing of it works in the store. */
  get isLeftBehind(): boolean {
    return Atomics.load(this.#words, HEADER.lock) === this.#serial;
  }

  get #turn(): number {
    return this.#words[HEADER.turns] ?? 0;
  }

  #wait(): void {
    const startedMs = performance.now();
    let turn = this.#turn;
    let turnMs = startedMs;
    for (let spins = SPINS; !this.#spin(spins); spins = MORE_SPINS) {
      Atomics.wait(never, 0, 0, PAUSE_MS);
      const nowMs = performance.now();
      if (this.#turn !== turn) {
        turn = this.#turn;
        turnMs = nowMs;
      }
      const isStuck = turn === this.#stuckTurn;
      const maxMs = isStuck ? LIMITS.sharedStuckLockMsMax : LIMITS.sharedLockMsMax;
      if (nowMs - turnMs > maxMs) {
        this.#stuckTurn = turn;
        throw busy(`another worker has worked in it for more than ${maxMs} ms`);
      }
      if (nowMs - startedMs > LIMITS.sharedTurnsMsMax) {
        throw busy(`others have worked in it for ${LIMITS.sharedTurnsMsMax} ms without a pause`);
      }
    }
    this.#stuckTurn = undefined;
  }

  /** @returns true when the lock is ours; false when a living process still has it */
  #spin(count: number): boolean {
    for (let spin = 0; spin <= count; spin++) {
      const holder = Atomics.load(this.#words, HEADER.lock);
      const isOpen = holder === 0 || holder === this.#serial;
      // The kernel is asked once, and last.
      if (!isOpen && (spin < count || this.#isAlive(holder))) continue;
      const found = Atomics.compareExchange(this.#words, HEADER.lock, holder, this.#serial);
      if (found === holder) return true;
    }
    return false;
  }
}

function busy(why: string): StoreRefusal {
  return new StoreRefusal(
    "SHARED_STORE_BUSY",
    `Cannot use the shared store: ${why}; look for a worker that is stopped or has no processor`,
  );
}
