import { type GatewayError, toGatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

/** An exchange that has a connection and has not used it. */
export interface Startable {
  /** ms of performance.now(); when its attempt began, or its request came. */
  readonly startedMs: number;
  /** @param nowMs of performance.now() */
  run(nowMs: number): void;
  abort(error: GatewayError): void;
}

/**
 * Exchanges that begin together at the end of a turn of the event loop, or as soon as there are
 * LIMITS.startsPerBatchMax:
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

  /** Runs `exchange`, once: with this call or at the end of the turn. */
  add(exchange: Startable): void {
    const waiting = this.#waiting;
    waiting.push(exchange);
    const waitedMs = exchange.startedMs - (waiting[0] as Startable).startedMs;
    if (waiting.length >= LIMITS.startsPerBatchMax || waitedMs > LIMITS.startWaitMsMax) {
      this.flush();
    } else if (!this.#isArmed) {
      this.#isArmed = true;
      setImmediate(this.#onTurnEnd);
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
