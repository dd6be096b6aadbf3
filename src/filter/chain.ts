import type { GatewayError } from "../base/errors.ts";
import type { Body } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import { FilterBody } from "./filter-body.ts";
import {
  CALLBACK,
  type Direction,
  type FilterExchange,
  type LocalReply,
  type Plugin,
} from "./filter.ts";
import { FilterSlot } from "./slot.ts";
import { TrailedBody } from "./trailed-body.ts";

/** Who is told that a reply or a reset came, also while nobody was in one of our callbacks. */
export interface InterruptListener {
  interrupted(): void;
}

type ByDirection<T> = Record<Direction, T | undefined>;

/** Shared by all chains that have none; never written to. */
const NO_SLOTS: FilterSlot[] = [];
const NO_TRAILERS: ByDirection<HeaderList> = { request: undefined, response: undefined };

/**
 * The filters of one exchange: request callbacks in the order written, response callbacks reversed.
 *
 *   request   ──▶ [ 1 ] ──▶ [ 2 ] ──▶ [ 3 ] ──▶ upstream
 *   response  ◀── [ 1 ] ◀── [ 2 ] ◀── [ 3 ] ◀── upstream, or a local reply
 *
 * A local reply stops the request where it stands; its response goes back through every filter
 * that has been started, the one that replied included, as Envoy does it. A reply from a response
 * callback goes on through the filters that are still to come, and no other sees its body.
 */
export class FilterChain {
  readonly exchange: FilterExchange;
  readonly bufferBytesMax: number;
  readonly #plugins: readonly Plugin[];
  readonly #onInterrupt: InterruptListener;
  #slots: FilterSlot[] = NO_SLOTS;
  /** Bodies as they leave the last filter that has seen the headers. */
  #requestBody: Body | undefined;
  #responseBody: Body | undefined;
  #addedTrailers: ByDirection<HeaderList> = NO_TRAILERS;
  /** Slots below this one are still to see the response's headers. */
  #responseNext: number | undefined;
  #reply: LocalReply | undefined;
  #failure: GatewayError | undefined;
  /** How often somebody has replied or broken the exchange off: 0, 1 or 2. */
  #stops = 0;
  #responseSent = false;

  /** @param bufferBytesMax what each filter may hold of a body */
  constructor(
    plugins: readonly Plugin[],
    exchange: FilterExchange,
    bufferBytesMax: number,
    onInterrupt: InterruptListener,
  ) {
    this.exchange = exchange;
    this.bufferBytesMax = bufferBytesMax;
    this.#plugins = plugins;
    this.#onInterrupt = onInterrupt;
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
    return this.#stops > 0;
  }

  /** Grows with every reply and failure: who finds another number than before has to stop. */
  get stops(): number {
    return this.#stops;
  }

  /**
   * Starts the filters and runs their request headers. Look at `interrupted` afterwards.
   * @param body as it comes from the client; undefined: there is none
   * @returns a promise when somebody waits or pauses: most of the time nobody does
   * @throws GatewayError of a filter that fails closed; of the body, when one waits for it
   */
  requestHeaders(body: Body | undefined): Promise<void> | undefined {
    this.#requestBody = body;
    return this.#startFrom(this.#plugins, 0);
  }

  /**
   * The same for what another route has more: nobody gets around its filters by way of the first
   * one. Filters that run already go on, also when the other route has them not.
   */
  continueWith(plugins: readonly Plugin[]): Promise<void> | undefined {
    const started = new Set(this.#slots.map((slot) => slot.plugin));
    return this.#startFrom(
      plugins.filter((plugin) => !started.has(plugin)),
      0,
    );
  }

  /**
   * Runs the response headers of the filters that have not seen them. When `reply` appears, the
   * caller makes it the response and calls again, for the filters that are left.
   * @param body of the response; it is this chain's to cancel from now on, by dropBody()
   * @returns a promise when a filter pauses
   * @throws GatewayError of a filter that fails closed; call again with the error's response
   */
  responseHeaders(body: Body | undefined): Promise<void> | undefined {
    this.#responseBody = body;
    // Nobody is there to be answered, and a pause would hold the exchange for nothing.
    if (this.#failure?.code === "CLIENT_GONE") return undefined;
    return this.#respond(this.#stops);
  }

  /** The body as it leaves the last filter; what came in when no filter reads it. */
  body(direction: Direction): Body | undefined {
    return direction === "request" ? this.#requestBody : this.#responseBody;
  }

  /** Another one takes its place: nobody reads this body, nor the trailers that it was given. */
  dropBody(direction: Direction, reason: unknown): void {
    this.body(direction)?.cancel(reason);
    this.#setBody(direction, undefined);
    if (this.#addedTrailers !== NO_TRAILERS) this.#addedTrailers[direction] = undefined;
  }

  /** Those of the message as it leaves the last filter, also when they were added on the way. */
  trailers(direction: Direction): HeaderList | undefined {
    return this.body(direction)?.trailers ?? this.#addedTrailers[direction];
  }

  addedTrailers(direction: Direction): HeaderList | undefined {
    return this.#addedTrailers[direction];
  }

  /** @returns those that are there, else new ones */
  addTrailers(direction: Direction): HeaderList {
    const known = this.trailers(direction);
    if (known !== undefined) return known;
    const added = new HeaderList();
    if (this.#addedTrailers === NO_TRAILERS) this.#addedTrailers = { ...NO_TRAILERS };
    this.#addedTrailers[direction] = added;
    return added;
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
    this.#stop();
    return true;
  }

  /** Breaks the exchange off, whoever waits for whom; the first reason stays. */
  interrupt(reason: GatewayError): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#stop();
  }

  /** The exchange is over; call once. */
  end(): void {
    for (const slot of this.#slots) slot.end();
  }

  /** Goes through the filters without a promise as long as none of them has to wait. */
  #startFrom(plugins: readonly Plugin[], first: number): Promise<void> | undefined {
    for (let at = first; at < plugins.length; at++) {
      const slot = new FilterSlot(this, plugins[at] as Plugin);
      if (this.#slots === NO_SLOTS) this.#slots = [];
      this.#slots.push(slot);
      const turn = slot.start();
      if (turn !== undefined) return this.#startWaiting(turn, slot, plugins, at + 1);
      if (this.interrupted) return undefined;
      const pause = this.#passHeaders(slot, "request", 0);
      if (pause !== undefined) return this.#startPaused(pause, plugins, at + 1);
      if (this.interrupted) return undefined;
    }
    this.#carryTrailers("request");
    return undefined;
  }

  async #startWaiting(
    turn: Promise<void>,
    slot: FilterSlot,
    plugins: readonly Plugin[],
    next: number,
  ): Promise<void> {
    await turn;
    if (this.interrupted) return;
    await this.#startPaused(this.#passHeaders(slot, "request", 0), plugins, next);
  }

  async #startPaused(
    pause: Promise<void> | undefined,
    plugins: readonly Plugin[],
    next: number,
  ): Promise<void> {
    if (pause !== undefined) await pause;
    if (this.interrupted) return;
    await this.#startFrom(plugins, next);
  }

  /** @param stops when there are more, somebody has ended the response as it was */
  #respond(stops: number): Promise<void> | undefined {
    this.#responseNext ??= this.#slots.length;
    while (this.#responseNext > 0) {
      const slot = this.#slots[--this.#responseNext];
      const pause = slot && this.#passHeaders(slot, "response", stops);
      if (pause !== undefined) return this.#respondPaused(pause, stops);
      if (this.#stops !== stops) return undefined;
    }
    this.#carryTrailers("response");
    return undefined;
  }

  async #respondPaused(pause: Promise<void>, stops: number): Promise<void> {
    await pause;
    if (this.#stops === stops) await this.#respond(stops);
  }

  /**
   * Delivers the headers, and gives the filter its place on the body's way.
   * @param stops when there are more, the exchange does not go on
   * @returns a promise while the filter pauses
   */
  #passHeaders(slot: FilterSlot, direction: Direction, stops: number): Promise<void> | undefined {
    const source = this.body(direction);
    const isEmpty = isEmptyBody(source);
    const action = slot.wants(HEADERS[direction])
      ? slot.callHeaders(direction, isEmpty)
      : "continue";
    const given = slot.takeBody(direction);
    let own: FilterBody | undefined;
    if (given !== undefined) {
      this.dropBody(direction, "a filter has replaced it");
      this.#setBody(direction, given);
    } else if (source !== undefined && !isEmpty && slot.wants(BODY_OR_TRAILERS[direction])) {
      own = new FilterBody(this, slot, direction, source);
      this.#setBody(direction, own);
    }
    if (action === "continue" || this.#stops !== stops) return undefined;
    // Who gets no body would let go of the headers without having been asked.
    const streams = action === "pause-stream" && slot.wants(BODY[direction]);
    if (streams && own !== undefined) return own.untilReleased();
    return slot.untilResumed(direction);
  }

  /** Trailers that a filter has added to a body which it does not read. */
  #carryTrailers(direction: Direction): void {
    const added = this.#addedTrailers[direction];
    const body = this.body(direction);
    if (added === undefined || body === undefined || body.trailers === added) return;
    this.#setBody(direction, new TrailedBody(body, added));
  }

  #setBody(direction: Direction, body: Body | undefined): void {
    if (direction === "request") this.#requestBody = body;
    else this.#responseBody = body;
  }

  #stop(): void {
    this.#stops++;
    for (const slot of this.#slots) slot.wake();
    this.#onInterrupt.interrupted();
  }
}

const HEADERS = { request: CALLBACK.requestHeaders, response: CALLBACK.responseHeaders } as const;

const BODY = { request: CALLBACK.requestBody, response: CALLBACK.responseBody } as const;

const BODY_OR_TRAILERS = {
  request: CALLBACK.requestBody | CALLBACK.requestTrailers,
  response: CALLBACK.responseBody | CALLBACK.responseTrailers,
} as const;

function isEmptyBody(body: Body | undefined): boolean {
  return body === undefined || (body.length === 0 && (body.trailers?.size ?? 0) === 0);
}
