import { deadlines } from "../base/deadlines.ts";
import { GatewayError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type Body, MemoryBody } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";
import type { FilterChain } from "./chain.ts";
import type {
  Action,
  BodyWindow,
  Direction,
  FilterExchange,
  FilterHost,
  HttpFilter,
  LocalReply,
  Plugin,
} from "./filter.ts";

/** What concerns one direction of a slot. */
class Side {
  /** By setBody(). */
  given: Body | undefined;
  window: BodyWindow | undefined;
  /** Ends the wait for the filter. */
  wake: (() => void) | undefined;
  /** Resumed before anybody waited: the chain comes to wait some steps after the callback. */
  resumed = false;
}

/** One filter's place in the chain of one exchange: its state, and what it may ask of the host. */
export class FilterSlot implements FilterHost {
  readonly plugin: Plugin;
  readonly #chain: FilterChain;
  /** undefined before start(), after a failure, and after the end. */
  #filter: HttpFilter | undefined;
  #ended = false;
  /** Made when something is to be kept there: most filters neither pause nor touch the body. */
  #request: Side | undefined;
  #response: Side | undefined;

  constructor(chain: FilterChain, plugin: Plugin) {
    this.#chain = chain;
    this.plugin = plugin;
  }

  get exchange(): FilterExchange {
    return this.#chain.exchange;
  }

  /** The filter takes part: it has been started and has not failed. */
  get alive(): boolean {
    return this.#filter !== undefined;
  }

  /** True when it is alive and wants that CALLBACK. */
  wants(callback: number): boolean {
    return this.#filter !== undefined && (this.plugin.callbacks & callback) !== 0;
  }

  /**
   * @returns a promise when it has to wait for its turn
   * @throws GatewayError of the filter when it cannot start and fails closed; so does the promise
   */
  start(): Promise<void> | undefined {
    try {
      const filter = this.plugin.createFilter(this);
      if (filter instanceof Promise) return this.#startLater(filter);
      this.#filter = filter;
    } catch (error) {
      this.#fail(error);
    }
    return undefined;
  }

  /**
   * Delivers one callback. A filter that fails open answers "continue", now and from now on.
   * @param direction of the callback; the pause that it may ask for begins when it has returned
   * @throws GatewayError FILTER_FAILED when it fails closed
   */
  call(direction: Direction, deliver: (filter: HttpFilter) => Action): Action {
    if (this.#filter === undefined) return "continue";
    try {
      return deliver(this.#filter);
    } catch (error) {
      this.#fail(error);
      return "continue";
    } finally {
      this.#forgetResumed(direction);
    }
  }

  /** The same for headers, which every exchange has: no closure for each. */
  callHeaders(direction: Direction, endOfStream: boolean): Action {
    const filter = this.#filter;
    if (filter === undefined) return "continue";
    try {
      return direction === "request"
        ? filter.onRequestHeaders(endOfStream)
        : filter.onResponseHeaders(endOfStream);
    } catch (error) {
      this.#fail(error);
      return "continue";
    } finally {
      this.#forgetResumed(direction);
    }
  }

  /** The exchange is over; failures here reach nobody but the log, which the plugin writes. */
  end(): void {
    const filter = this.#filter;
    this.#filter = undefined;
    this.#ended = true;
    this.endWait("request");
    this.endWait("response");
    try {
      filter?.onEnd();
    } catch {
      // The plugin has logged and counted its trap; the exchange has been answered already.
    }
  }

  /** What the filter has given by setBody(), once. */
  takeBody(direction: Direction): Body | undefined {
    const side = this.#known(direction);
    const given = side?.given;
    if (side !== undefined) side.given = undefined;
    return given;
  }

  /** @param window what body() answers from now on; undefined: nothing */
  expose(direction: Direction, window: BodyWindow | undefined): void {
    this.#side(direction).window = window;
  }

  /**
   * Resolves when the filter resumes, fails open, or the chain is interrupted.
   * @throws GatewayError FILTER_PAUSED_TOO_LONG
   */
  async untilResumed(direction: Direction): Promise<void> {
    const side = this.#side(direction);
    if (side.resumed || this.#ended) {
      side.resumed = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<"resumed" | "late">();
    const wake = (): void => resolve("resumed");
    side.wake = wake;
    const late = deadlines.arm(LIMITS.filterPauseMsMax, () => resolve("late"));
    const outcome = await promise;
    late.cancel();
    if (side.wake === wake) side.wake = undefined;
    if (outcome === "resumed") return;
    throw new GatewayError(
      "FILTER_PAUSED_TOO_LONG",
      `Cannot wait longer for plugin ${this.plugin.name}: it has paused the ${direction} for ` +
        `${LIMITS.filterPauseMsMax} ms`,
    );
  }

  /** Ends the wait for the filter. @returns false when it has resumed already */
  endWait(direction: Direction): boolean {
    const side = this.#known(direction);
    const wake = side?.wake;
    if (side === undefined || wake === undefined) return false;
    side.wake = undefined;
    wake();
    return true;
  }

  /** Ends every wait of this filter, also one that is about to begin. */
  wake(): void {
    this.resume("request");
    this.resume("response");
  }

  // What the filter asks for (FilterHost).

  body(direction: Direction): BodyWindow | undefined {
    return this.#known(direction)?.window;
  }

  setBody(direction: Direction, bytes: Uint8Array, trailers?: HeaderList): void {
    this.#side(direction).given = new MemoryBody(bytes, trailers);
  }

  resume(direction: Direction): void {
    if (!this.endWait(direction)) this.#side(direction).resumed = true;
  }

  localReply(reply: LocalReply): boolean {
    return this.#chain.acceptReply(reply);
  }

  reset(): void {
    this.#chain.interrupt(
      new GatewayError("FILTER_RESET", `Plugin ${this.plugin.name} has reset the exchange`),
    );
  }

  fail(error: GatewayError): void {
    if (this.#filter === undefined) return;
    this.#filter = undefined;
    this.wake();
    if (!this.plugin.failOpen) this.#chain.interrupt(error);
  }

  #known(direction: Direction): Side | undefined {
    return direction === "request" ? this.#request : this.#response;
  }

  #side(direction: Direction): Side {
    if (direction === "request") return (this.#request ??= new Side());
    return (this.#response ??= new Side());
  }

  #forgetResumed(direction: Direction): void {
    const side = this.#known(direction);
    if (side !== undefined) side.resumed = false;
  }

  async #startLater(coming: Promise<HttpFilter>): Promise<void> {
    try {
      this.#filter = await coming;
    } catch (error) {
      this.#fail(error);
      return;
    }
    // The client has gone meanwhile: what was waited for must be given back.
    if (this.#ended) this.end();
  }

  #fail(error: unknown): void {
    this.#filter = undefined;
    if (this.plugin.failOpen) {
      this.wake();
      return;
    }
    throw error instanceof GatewayError && error.source === "filter"
      ? error
      : new GatewayError(
          "FILTER_FAILED",
          `Plugin ${this.plugin.name} has failed: ${messageOf(error)}`,
          { cause: error },
        );
  }
}
