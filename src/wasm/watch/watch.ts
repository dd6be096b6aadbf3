import { assert } from "../../base/assert.ts";
import { systemLibc } from "../../base/libc.ts";
import { LIMITS } from "../../base/limits.ts";
import { log } from "../../base/log.ts";
import { Board, CALL, PHASE, PHASE_MASK, SLOT, WORD } from "./board.ts";
import { cpuClockOfThisThread } from "./cpu-clock.ts";
import { openPage } from "./page-access.ts";
import { PollPage } from "./poll-page.ts";
import type { WatchOrder } from "./thread.ts";

export type { PollPage } from "./poll-page.ts";

/**
 * The other thread sees what was written before `state` no later than `state` itself, also without
 * a locked store. That one waits until all is written that the processor has yet to write: 0.1 µs
 * in a loaded gateway, of 1 that calling a filter takes.
 */
const STORES_IN_ORDER = process.arch === "x64";

/** Looks at `state` before the main thread waits for it: far more than one mprotect takes. */
const SPINS = 10_000;
/** ms; one wait after that. */
const WAIT_MS = 1;

/**
 * The main thread's end of the watch: a second thread that stops guests whose time is up, whatever
 * they loop over. Rewritten modules store a byte to their PollPage in every loop; the watch makes
 * that page inaccessible, the next store faults, and the engine turns the fault into a trap that no
 * guest can catch. board.ts has the protocol, watcher.ts the second thread.
 */
export class Watch {
  readonly #board: Board;
  readonly #words: Int32Array;
  readonly #slots: Float64Array;
  readonly #thread: Worker;
  /** IDLE of the last call. */
  #idle = 0;
  /** Of the guest that runs. */
  #page: PollPage | undefined;

  #stopped = false;

  private constructor(board: Board, thread: Worker) {
    this.#board = board;
    this.#words = board.words;
    this.#slots = board.slots;
    this.#thread = thread;
    thread.addEventListener("close", () => {
      if (!this.#stopped) log.error("the thread that stops guests has ended");
    });
  }

  /**
   * Starts the second thread; resolves when it watches.
   * @returns undefined where it cannot work: not Linux, no C library, no thread
   */
  static async start(): Promise<Watch | undefined> {
    if (systemLibc() === undefined) return undefined;
    const board = new Board();
    const thread = new Worker(threadFile(), { smol: true });
    const problem = await new Promise<string | undefined>((resolve) => {
      thread.addEventListener("message", () => resolve(undefined));
      thread.addEventListener("error", ({ message }) => resolve(message));
      const order: WatchOrder = { board: board.buffer, cpuClock: cpuClockOfThisThread() };
      // eslint-disable-next-line unicorn/require-post-message-target-origin -- it is no window
      thread.postMessage(order);
    });
    if (problem === undefined) {
      thread.unref(); // It ends with the process, and never keeps it.
      return new Watch(board, thread);
    }
    log.warn("no thread watches guests", { reason: problem });
    thread.terminate();
    return undefined;
  }

  /**
   * Maps the page for one sandbox's memory; once per memory.
   * @returns undefined when the memory is not proven fast: its guest must be metered
   */
  pageFor(memory: WebAssembly.Memory): PollPage | undefined {
    return PollPage.map(memory);
  }

  /**
   * The guest is entered. Never nested. No clock is read here and the system is not called, except
   * to wake a watch that has fallen asleep.
   * @param deadlineMs from 1 to 2^31 - 1
   */
  enter(page: PollPage, deadlineMs: number): void {
    assert(this.#page === undefined, "Cannot enter a guest: another one runs");
    this.#page = page;
    this.#slots[SLOT.deadlineMs] = deadlineMs;
    this.#slots[SLOT.pageAddress] = page.address;
    this.#idle = (this.#idle + CALL) | 0;
    const words = this.#words;
    if (STORES_IN_ORDER) {
      words[WORD.state] = this.#idle + PHASE.running;
      if (deadlineMs < (words[WORD.ringBelow] as number)) this.#ring();
    } else {
      Atomics.store(words, WORD.state, this.#idle + PHASE.running);
      if (deadlineMs < Atomics.load(words, WORD.ringBelow)) this.#ring();
    }
  }

  /**
   * The guest has returned or trapped.
   * @returns true when its deadline had passed and the page was shut; it is open again now
   */
  leave(): boolean {
    const page = this.#page;
    assert(page !== undefined, "Cannot leave a guest: none runs");
    this.#page = undefined;
    const running = this.#idle + PHASE.running;
    const found = Atomics.compareExchange(this.#words, WORD.state, running, this.#idle);
    if (found === running) return false;
    return this.#leaveLate(page);
  }

  /** The deadline of the guest that runs has passed. One load: loops may ask on every turn. */
  get expired(): boolean {
    // Atomic although one word is enough: the engine lifts a plain load out of a loop.
    return (Atomics.load(this.#words, WORD.state) & PHASE_MASK) >= PHASE.firing;
  }

  /**
   * ms, from any zero. Goes forward by what this thread uses of a CPU, in steps of a nap (0.5 to 5
   * ms), while guests run, and stands still when none has run for a while. A plain read: the
   * difference around one call is coarse, but over many calls it adds up to what they have used.
   */
  get ticks(): number {
    return this.#slots[SLOT.ticksMs] ?? 0;
  }

  /** Ends the second thread; nothing may be entered any more. */
  stop(): void {
    this.#stopped = true;
    Atomics.store(this.#words, WORD.stop, 1);
    this.#board.ring();
    this.#thread.terminate();
  }

  #ring(): void {
    // Once is enough: those who enter until it is awake need not ring again.
    Atomics.store(this.#words, WORD.ringBelow, 0);
    this.#board.ring();
  }

  /** The watch was faster. */
  #leaveLate(page: PollPage): boolean {
    const running = this.#idle + PHASE.running;
    const firing = this.#idle + PHASE.firing;
    for (let round = 0; round < SPINS + LIMITS.watchShutMsMax / WAIT_MS; round++) {
      const state = Atomics.compareExchange(this.#words, WORD.state, running, this.#idle);
      if (state === running) return false; // The page could not be shut.
      if (state !== firing) break;
      if (round >= SPINS) Atomics.wait(this.#words, WORD.state, firing, WAIT_MS);
    }
    const fired = this.#idle + PHASE.fired;
    assert(Atomics.load(this.#words, WORD.state) === fired, "Cannot leave a guest: no answer");
    assert(openPage(page.address), "Cannot open a poll page again: the kernel refuses");
    Atomics.store(this.#words, WORD.state, this.#idle);
    return true;
  }
}

/** In the executable the thread is a bundle of its own, at its place below src/. */
function threadFile(): string {
  const compiled = import.meta.url.includes("/$bunfs/");
  if (compiled) return "/$bunfs/root/wasm/watch/thread.js";
  return new URL("./thread.ts", import.meta.url).href;
}
