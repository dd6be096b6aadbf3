import { GatewayError } from "../base/errors.ts";
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";
import { BodyBuffer } from "./body-buffer.ts";
import type { FilterChain } from "./chain.ts";
import { CALLBACK, type Action, type Direction } from "./filter.ts";
import type { FilterSlot } from "./slot.ts";

/**
 * A body on its way through one filter.
 *
 *   source ──chunk──▶ held ──callback──▶ continue: everything held goes to the reader
 *                      ▲                 pause: it stays, the next callback sees it with more
 *                      └──── resume() from outside a callback lets go as well
 *
 * The end is told with the last chunk when the length is known, by the trailers when there are any,
 * else in a callback of its own.
 */
export class FilterBody implements Body {
  readonly #chain: FilterChain;
  readonly #slot: FilterSlot;
  readonly #direction: Direction;
  readonly #source: Body;
  readonly #held = new BodyBuffer();
  /** Of the chain, when this body began. */
  readonly #stops: number;
  #seen = 0;
  /** Known when all of it is here before the first byte leaves. */
  #length: number | undefined;
  #paused = false;
  #ended = false;
  /** Of the chunk that was handed out last. */
  givesBuffer = false;
  /** A read of the source that a resume has overtaken. */
  #pending: Promise<Uint8Array | undefined> | undefined;

  constructor(chain: FilterChain, slot: FilterSlot, direction: Direction, source: Body) {
    this.#chain = chain;
    this.#slot = slot;
    this.#direction = direction;
    this.#source = source;
    this.#stops = chain.stops;
  }

  /** A filter may change it, so nobody may rely on the source's. */
  get length(): number | undefined {
    return this.#length;
  }

  get trailers(): HeaderList | undefined {
    return this.#source.trailers ?? this.#chain.addedTrailers(this.#direction);
  }

  /** Without a promise while neither the source nor the filter has to be waited for. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    for (;;) {
      if (!this.#paused && this.#held.length > 0) {
        this.givesBuffer = this.#held.isOwned;
        return this.#held.take();
      }
      if (this.#ended) return undefined;
      const waits = this.#step();
      if (waits !== undefined) return waits.then(() => this.read());
    }
  }

  /**
   * The headers wait while the filter gets the body: until it lets go, or somebody ends the
   * message. What it lets go of is read later.
   * @throws as read()
   */
  async untilReleased(): Promise<void> {
    const { stops } = this.#chain;
    this.#paused = true;
    while (this.#paused && !this.#ended && this.#chain.stops === stops) await this.#step();
    const hasTrailers = (this.trailers?.size ?? 0) > 0;
    if (this.#ended && !hasTrailers) this.#length = this.#held.length;
  }

  cancel(reason: unknown): void {
    this.#ended = true;
    this.#held.take();
    this.#slot.expose(this.#direction, undefined);
    this.#source.cancel(reason);
  }

  /** One chunk, the end, or a resume. @returns a promise when it has to be waited for */
  #step(): Promise<void> | undefined {
    const next = this.#paused ? this.#chunkOrResume() : this.#chunk();
    return next instanceof Promise ? next.then((settled) => this.#take(settled)) : this.#take(next);
  }

  #take(next: Uint8Array | undefined | typeof RESUMED): Promise<void> | undefined {
    this.#throwIfInterrupted();
    if (next !== RESUMED && this.#slot.alive) return this.#deliver(next);
    if (next === undefined) this.#ended = true;
    else if (next !== RESUMED) this.#hold(next);
    this.#letGo();
    return undefined;
  }

  /** What is held goes on, and its length may be told: the filter has no more of it to change. */
  #letGo(): void {
    this.#paused = false;
    this.#slot.expose(this.#direction, undefined);
  }

  /** One chunk, or the end, goes to the filter. */
  #deliver(chunk: Uint8Array | undefined): Promise<void> | undefined {
    if (chunk !== undefined) {
      this.#seen += chunk.byteLength;
      this.#hold(chunk);
      if (this.#paused && this.#held.length > this.#chain.bufferBytesMax) throw this.#bufferFull();
    }
    this.#ended = chunk === undefined || this.#seen === this.#source.length;
    // The source learns of its end by being asked once more, also when the length has told us.
    if (this.#ended && chunk !== undefined) {
      const end = this.#source.read();
      if (end instanceof Promise) return end.then(() => this.#tell(chunk));
    }
    return this.#tell(chunk);
  }

  /** @param chunk that the source has handed out last */
  #hold(chunk: Uint8Array): void {
    this.#held.append(chunk, this.#source.givesBuffer === true);
  }

  #tell(chunk: Uint8Array | undefined): Promise<void> | undefined {
    // Who takes no trailers is told of the end all the same: a client that adds some must not get a
    // body past a filter that waits for its end.
    const takesTrailers = this.#slot.wants(TRAILERS[this.#direction]);
    const hasTrailers = this.#ended && takesTrailers && (this.#source.trailers?.size ?? 0) > 0;
    const { stops } = this.#chain;
    this.#slot.expose(this.#direction, this.#held);
    // Trailers tell the end themselves: a callback of its own would bring nothing.
    const isNews = chunk !== undefined || !hasTrailers;
    let action = isNews ? this.#callBody(this.#ended && !hasTrailers) : "continue";
    if (hasTrailers && this.#chain.stops === stops) action = this.#callTrailers();
    this.#throwIfInterrupted();
    this.#paused = action !== "continue";
    if (!this.#paused) {
      this.#letGo();
    } else if (this.#chain.stops !== stops) {
      return undefined; // The filter has answered: nobody waits for this body any more.
    } else if (this.#ended) {
      return this.#slot.untilResumed(this.#direction).then(() => {
        this.#letGo();
        this.#throwIfInterrupted();
      });
    } else if (this.#held.length > this.#chain.bufferBytesMax) {
      throw this.#bufferFull();
    }
    return undefined;
  }

  #callBody(endOfStream: boolean): Action {
    if (this.#direction === "request") {
      if (!this.#slot.wants(CALLBACK.requestBody)) return "continue";
      return this.#slot.call(this.#direction, (filter) =>
        filter.onRequestBody(this.#held.length, endOfStream),
      );
    }
    if (!this.#slot.wants(CALLBACK.responseBody)) return "continue";
    return this.#slot.call(this.#direction, (filter) =>
      filter.onResponseBody(this.#held.length, endOfStream),
    );
  }

  #callTrailers(): Action {
    return this.#slot.call(this.#direction, (filter) =>
      this.#direction === "request" ? filter.onRequestTrailers() : filter.onResponseTrailers(),
    );
  }

  #chunk(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending ?? this.#source.read();
  }

  /** While paused in mid-body, whatever comes first: more bytes for the filter, or its resume. */
  async #chunkOrResume(): Promise<Uint8Array | undefined | typeof RESUMED> {
    this.#pending ??= Promise.resolve(this.#source.read());
    const chunk = this.#pending;
    const first = await Promise.race([
      chunk,
      this.#slot.untilResumed(this.#direction).then((): typeof RESUMED => RESUMED),
    ]);
    if (first !== RESUMED && this.#slot.endWait(this.#direction)) {
      this.#pending = undefined;
      return first;
    }
    // Whoever reads next awaits it; until then a failure must not float.
    chunk.catch(() => {});
    return RESUMED;
  }

  #throwIfInterrupted(): void {
    const { failure, reply, stops } = this.#chain;
    // The body of what answers for a failure, or for a reply, came after it.
    if (stops === this.#stops) return;
    if (failure !== undefined) throw failure;
    if (reply === undefined || this.#direction === "response") return;
    throw new GatewayError(
      "FILTER_RESET",
      "Cannot send the request on: a filter has answered it already",
    );
  }

  #bufferFull(): GatewayError {
    const { bufferBytesMax } = this.#chain;
    return new GatewayError(
      this.#direction === "request" ? "FILTER_REQUEST_BUFFER_FULL" : "FILTER_RESPONSE_BUFFER_FULL",
      `Cannot hold ${this.#held.length} body bytes for paused plugin ${this.#slot.plugin.name}: ` +
        `the limit is ${bufferBytesMax} (limits.filter_buffer)`,
    );
  }
}

const TRAILERS = {
  request: CALLBACK.requestTrailers,
  response: CALLBACK.responseTrailers,
} as const;

const RESUMED: unique symbol = Symbol("resumed");
