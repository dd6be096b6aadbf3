import { deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";

/** Something with items of which a receiver is to be told. */
export interface Telling {
  /** Tells of one item. @returns true when there are more */
  tell(): boolean;
}

/**
 * Tells receivers of what has come into their queues: from the event loop, one item of one queue
 * after the other, and not for long at a time.
 *
 *   a: 4 items ─┐
 *   b: 1 item  ─┴─▶ turn: a b a │ others, for as long as that took │ turn: a a
 *
 * A guest may put in two items for each that it takes out, and work on each up to its deadline: a
 * turn that only ended with the last item would never end, and the worker would be killed for it.
 */
export class QueueTurns {
  /** Each of them once. */
  readonly #waiting: Telling[] = [];
  readonly #nowMs: () => number;
  #isScheduled = false;

  /** @param nowMs monotonic clock; where it stands still, a turn ends with the last item */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** @param queue that does not wait already */
  add(queue: Telling): void {
    this.#waiting.push(queue);
    if (!this.#isScheduled) setImmediate(() => this.#turn());
    this.#isScheduled = true;
  }

  #turn(): void {
    const startedMs = this.#nowMs();
    let spentMs = 0;
    while (this.#waiting.length > 0 && spentMs < LIMITS.queueTurnMsMax) {
      const queue = this.#waiting.shift();
      if (queue?.tell()) this.#waiting.push(queue);
      spentMs = this.#nowMs() - startedMs;
    }
    this.#isScheduled = this.#waiting.length > 0;
    if (this.#isScheduled) deadlines.arm(spentMs, () => this.#turn());
  }
}
