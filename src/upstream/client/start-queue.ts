import { type GatewayError, toGatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

/** An exchange that has a connection and has not used it. */
export interface Startable {
  /** ms of performance.now(); when its request came, or somebody began to look for a node. */
  readonly startedMs: number;
  /** @param nowMs of performance.now() */
  run(nowMs: number): void;
  abort(error: GatewayError): void;
}

/**
 * Exchanges that begin together: at the end of a turn of the event loop, or before it when they are
 * many or the first has waited for long (flushIfDue()):
 *
 *   read, handle │ read, handle │ read, handle ▶ send, send, send ▶ wait for events
 *
 * What reads and handles does not displace what sends, and what sends not the other, from the
 * processor's caches; a node that sleeps is woken once for all; and not all requests of many
 * clients are on their way at once.
 */
export class StartQueue {
  #waiting: Startable[] = [];
  #isArmed = false;
  readonly #onTurnEnd = (): void => {
    this.#isArmed = false;
    this.flush();
  };

  /**
   * Runs `exchange`, once, and not within this call: a guest may be the one that sends it, and an
   * exchange that begins may read its body through another guest.
   */
  add(exchange: Startable): void {
    this.#waiting.push(exchange);
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(this.#onTurnEnd);
  }

  /**
   * Begins what waits if there are LIMITS.startsPerBatchMax, or the last came LIMITS.startWaitMsMax
   * after the first. For those whom no guest has called.
   */
  flushIfDue(): void {
    const waiting = this.#waiting;
    const first = waiting[0];
    const last = waiting[waiting.length - 1];
    if (first === undefined || last === undefined) return;
    const waitedMs = last.startedMs - first.startedMs;
    if (waiting.length >= LIMITS.startsPerBatchMax || waitedMs > LIMITS.startWaitMsMax) {
      this.flush();
    }
  }

  /** Begins what waits; what is added meanwhile waits for the next time. */
  flush(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const nowMs = performance.now();
    for (const exchange of batch) {
      try {
        exchange.run(nowMs);
      } catch (error) {
        exchange.abort(toGatewayError(error)); // The others have nothing to do with it.
      }
    }
  }
}

/** Of this worker. */
export const starts = new StartQueue();
