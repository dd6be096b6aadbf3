import { type Board, PHASE, PHASE_MASK, RING_ALWAYS, SLOT, WORD } from "./board.ts";

/** What the watch needs of the world; tests bring their own. */
export interface Surroundings {
  /** ms; time on the wall, from any zero. */
  readonly nowMs: () => number;
  /** ms; what the watched thread has used of a CPU, from any zero. */
  readonly usedMs: () => number;
  /** Has the next store to the page fault. @returns false when that is refused */
  readonly shut: (pageAddress: number) => boolean;
  /** Waits for the bell to be counted above `bell`, but no longer than `timeoutMs`. */
  readonly wait: (bell: number, timeoutMs: number) => void;
}

/**
 * How precise the watch is: a share of the deadline, between these (ms). Waking up costs some 15 µs
 * of CPU, so at 20 ms this share costs about 0.6 % of a core while guests run all the time.
 */
const NAP_SHARE = 1 / 8;
const NAP_MS_MIN = 0.5;
const NAP_MS_MAX = 5;
/** ms; a deadline closer than that is waited for in steps of it, not in a storm of tiny ones. */
const LAST_NAP_MS_MIN = 0.25;
/** A deadline of so many naps or more is noticed in time without a bell. */
const NAPS_PER_DEADLINE = 2;
/**
 * ms; without any call for so long, the watch sleeps until the bell rings. Being rung for costs the
 * main thread some 20 µs, so not after every call; staying awake for nothing costs more.
 */
const IDLE_MS = 10;
/**
 * ms; who enters takes no lock, so a call that did not ring, since it came just before the watch
 * said that it sleeps, may be seen a little later than that. A processor keeps a store to itself
 * for less than a µs.
 */
const SEEN_MS = 1;
/**
 * A guest that has used a good share of its deadline is stopped when so much time has passed on
 * the wall: this factor of its deadline, or so many ms above it when that is more. Less than a few
 * turns of the kernel's scheduler would stop short guests for what their neighbours do.
 */
const WALL_FACTOR = 1.75;
const WALL_GRACE_MS = 10;
const WALL_USED_SHARE = 1 / 2;
/** The same for one that has had less: an overloaded machine is not its fault. */
const STARVED_FACTOR = 10;
/** Below this share it has not run in truth, and no clock on the wall stops it. */
const STARVED_USED_SHARE = 1 / 8;

/**
 * The loop of the second thread: looks at the board, naps, and shuts the page of a guest whose time
 * is up. It allocates nothing, so that its thread never stops to collect garbage.
 *
 *   enter()          first look                             CPU time or wall time is up
 *   ├─ up to a nap ──┼─ nap ─┼─ nap ─┼─ … ─┼─ what is left ─┼─ shut ─▶ the guest's next store traps
 *                    └ clocks are read here: the guest's time counts from its first look
 *
 * The guest may use the deadline in full: what counts is the CPU time of its thread, because a busy
 * machine is not its fault. Only a good deal later the wall clock decides.
 */
export class Watcher {
  readonly #board: Board;
  readonly #surroundings: Surroundings;
  /** ms; what the next wait may take at most. */
  #napMs = NAP_MS_MIN;
  /** State at the last look, and the clocks when it was first seen. */
  #state = 0;
  #sinceMs: number;
  #sinceUsedMs: number;
  #lastUsedMs: number;
  #ticksMs = 0;

  constructor(board: Board, surroundings: Surroundings) {
    this.#board = board;
    this.#surroundings = surroundings;
    this.#sinceMs = surroundings.nowMs();
    this.#sinceUsedMs = surroundings.usedMs();
    this.#lastUsedMs = this.#sinceUsedMs;
  }

  run(): void {
    while (this.turn());
  }

  /** One look and one wait. @returns false once the watch is told to stop */
  turn(): boolean {
    const { words } = this.#board;
    const napMs = this.#napMs;
    // In this order; board.ts says why. A stop is told like a call: first the word, then the bell.
    const bell = Atomics.load(words, WORD.bell);
    Atomics.store(words, WORD.ringBelow, ringBelow(napMs));
    if (Atomics.load(words, WORD.stop) !== 0) return false;
    let leftMs = this.#look(Atomics.load(words, WORD.state));
    if (Math.min(napMs, leftMs) === Infinity) {
      this.#surroundings.wait(bell, SEEN_MS);
      leftMs = this.#look(Atomics.load(words, WORD.state));
    }
    this.#surroundings.wait(bell, Math.min(napMs, leftMs));
    // Awake: whoever enters now is seen without a bell.
    Atomics.store(words, WORD.ringBelow, 0);
    // It slept: what the thread has done meanwhile was no guest's work.
    if (napMs === Infinity) this.#lastUsedMs = this.#surroundings.usedMs();
    return true;
  }

  /** @returns ms to wait */
  #look(state: number): number {
    const now = this.#surroundings.nowMs();
    const used = this.#surroundings.usedMs();
    this.#tick(used);
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = now;
      this.#sinceUsedMs = used;
    }
    const deadlineMs = this.#board.slots[SLOT.deadlineMs] ?? 0;
    this.#napMs = Math.min(NAP_MS_MAX, Math.max(NAP_MS_MIN, deadlineMs * NAP_SHARE));
    if ((state & PHASE_MASK) !== PHASE.running) {
      if (now - this.#sinceMs >= IDLE_MS) this.#napMs = Infinity;
      return this.#napMs;
    }
    const usedMs = used - this.#sinceUsedMs;
    const leftMs = Math.min(
      deadlineMs - usedMs,
      wallMs(deadlineMs, usedMs / deadlineMs) - (now - this.#sinceMs),
    );
    if (leftMs <= 0) this.#fire(state);
    return Math.min(this.#napMs, Math.max(LAST_NAP_MS_MIN, leftMs));
  }

  #tick(usedMs: number): void {
    this.#ticksMs += usedMs - this.#lastUsedMs;
    this.#lastUsedMs = usedMs;
    this.#board.slots[SLOT.ticksMs] = this.#ticksMs;
  }

  #fire(running: number): void {
    const { words, slots } = this.#board;
    const firing = running - PHASE.running + PHASE.firing;
    // The guest may have returned just now, and another one may run.
    if (Atomics.compareExchange(words, WORD.state, running, firing) !== running) return;
    const shut = this.#surroundings.shut(slots[SLOT.pageAddress] ?? 0);
    // Not shut: the kernel is out of something. Tried again at the next look.
    Atomics.store(words, WORD.state, shut ? firing - PHASE.firing + PHASE.fired : running);
    Atomics.notify(words, WORD.state);
  }
}

/** @param usedShare of its deadline that the guest has used */
function wallMs(deadlineMs: number, usedShare: number): number {
  if (usedShare < STARVED_USED_SHARE) return Infinity;
  const wall = Math.max(deadlineMs * WALL_FACTOR, deadlineMs + WALL_GRACE_MS);
  return usedShare < WALL_USED_SHARE ? Math.max(wall, deadlineMs * STARVED_FACTOR) : wall;
}

/** ms; the deadlines that a wait of `napMs` could miss. */
function ringBelow(napMs: number): number {
  return napMs === Infinity ? RING_ALWAYS : Math.ceil(napMs * NAPS_PER_DEADLINE);
}
