import type { GatewayError } from "../base/errors.ts";
import type { Body } from "../http/body.ts";
import { FilterBody } from "./filter-body.ts";
import { CALLBACK, type FilterExchange, type LocalReply, type Plugin } from "./filter.ts";
import { FilterSlot } from "./slot.ts";

/**
 * The filters of one exchange: request callbacks in the order written, response callbacks reversed.
 *
 *   request   ──▶ [ 1 ] ──▶ [ 2 ] ──▶ [ 3 ] ──▶ upstream
 *   response  ◀── [ 1 ] ◀── [ 2 ] ◀── [ 3 ] ◀── upstream, or a local reply
 *
 * A local reply stops the request where it stands; its response goes back through every filter
 * that has been started, the one that replied included, as Envoy does it. A reply from a response
 * callback goes on through the filters that are still to come.
 */
export class FilterChain {
  readonly exchange: FilterExchange;
  readonly bufferBytesMax: number;
  readonly #plugins: readonly Plugin[];
  readonly #onInterrupt: () => void;
  readonly #slots: FilterSlot[] = [];
  /** Slots below this one are still to see the response's headers. */
  #responseNext: number | undefined;
  #reply: LocalReply | undefined;
  #failure: GatewayError | undefined;
  #responseSent = false;

  /** @param options.onInterrupt a reply or a reset came while nobody was in one of our callbacks */
  constructor(options: {
    plugins: readonly Plugin[];
    exchange: FilterExchange;
    bufferBytesMax: number;
    onInterrupt: () => void;
  }) {
    this.exchange = options.exchange;
    this.bufferBytesMax = options.bufferBytesMax;
    this.#plugins = options.plugins;
    this.#onInterrupt = options.onInterrupt;
  }

  /** The first local reply, if there is one. */
  get reply(): LocalReply | undefined {
    return this.#reply;
  }

  /** Why the exchange was broken off by a filter or by its client, if it was. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** True when the request must not go on: there is a reply, or it was broken off. */
  get interrupted(): boolean {
    return this.#reply !== undefined || this.#failure !== undefined;
  }

  /**
   * Starts the filters and runs their request headers. Look at `interrupted` afterwards.
   * @throws GatewayError of a filter that fails closed
   */
  async requestHeaders(endOfStream: boolean): Promise<void> {
    for (const plugin of this.#plugins) {
      const slot = new FilterSlot(this, plugin);
      this.#slots.push(slot);
      const turn = slot.start();
      if (turn !== undefined) await turn;
      if (this.interrupted) return;
      if (!slot.wants(CALLBACK.requestHeaders)) continue;
      const action = slot.call((filter) => filter.onRequestHeaders(endOfStream));
      if (this.interrupted) return;
      if (action === "pause") await slot.untilResumed("request");
      if (this.interrupted) return;
    }
  }

  /** The request's body as it leaves the last filter; the same object when no filter reads it. */
  requestBody(source: Body): Body {
    let body = source;
    for (const slot of this.#slots) {
      if (slot.wants(CALLBACK.requestBody | CALLBACK.requestTrailers)) {
        body = new FilterBody(this, slot, "request", body);
      }
    }
    return body;
  }

  /**
   * Runs the response headers of the filters that have not seen them. When `reply` appears, the
   * caller makes it the response and calls again, for the filters that are left.
   * @throws GatewayError of a filter that fails closed; call again with the error's response
   */
  async responseHeaders(endOfStream: boolean): Promise<void> {
    const reply = this.#reply;
    const failure = this.#failure;
    // Nobody is there to be answered, and a pause would hold the exchange for nothing.
    if (failure?.code === "CLIENT_GONE") return;
    this.#responseNext ??= this.#slots.length;
    while (this.#responseNext > 0) {
      const slot = this.#slots[--this.#responseNext];
      if (slot === undefined || !slot.wants(CALLBACK.responseHeaders)) continue;
      const action = slot.call((filter) => filter.onResponseHeaders(endOfStream));
      if (this.#reply !== reply || this.#failure !== failure) return;
      if (action === "pause") await slot.untilResumed("response");
      if (this.#reply !== reply || this.#failure !== failure) return;
    }
  }

  /** The response's body as the client gets it; the same object when no filter reads it. */
  responseBody(source: Body): Body {
    let body = source;
    for (let at = this.#slots.length - 1; at >= 0; at--) {
      const slot = this.#slots[at];
      if (slot?.wants(CALLBACK.responseBody | CALLBACK.responseTrailers)) {
        body = new FilterBody(this, slot, "response", body);
      }
    }
    return body;
  }

  /** The response's head has left: replies come too late from now on. */
  markResponseSent(): void {
    this.#responseSent = true;
  }

  /** For filters: notes a local reply; false when it comes too late. */
  acceptReply(reply: LocalReply): boolean {
    if (this.#reply !== undefined || this.#failure !== undefined || this.#responseSent)
      return false;
    this.#reply = reply;
    this.#wake();
    return true;
  }

  /** Breaks the exchange off, whoever waits for whom; the first reason stays. */
  interrupt(reason: GatewayError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#wake();
  }

  /** The exchange is over; call once. */
  end(): void {
    for (const slot of this.#slots) slot.end();
  }

  #wake(): void {
    for (const slot of this.#slots) slot.wake();
    this.#onInterrupt();
  }
}
