import type { GatewayError } from "../../base/errors.ts";
import type {
  Action,
  Direction,
  FilterHost,
  HttpFilter,
  LocalReply,
  RequestHead,
  ResponseHead,
} from "../../filter/filter.ts";
import type { HeaderList } from "../../http/headers.ts";
import { overTime, putBack } from "../guest/exchange-errors.ts";
import type { GuestOwner } from "../guest/guest-kind.ts";
import type { CallbackName } from "./exports.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import {
  RequestPseudoHeaders,
  ResponsePseudoHeaders,
  TRAILER_PSEUDO_HEADERS,
} from "./pseudo-headers.ts";
import { ACTION_CONTINUE, ACTION_PAUSE, MapType, ROOT_CONTEXT_ID } from "./types.ts";

type Asked = Direction | "reset" | "reply";

/** A stream context as host functions see it. */
export interface Stream {
  readonly id: number;
  readonly host: FilterHost;
  /** Bytes of properties that the filter has set. */
  propertyBytes: number;
  /** Time that its callbacks have taken so far, in ms. */
  spentMs: number;
  /** Time that the next callback may take; at least 1. */
  readonly leftMs: number;
  /** One of the exchange's own four maps; undefined when it is not there (yet). */
  map(type: number): HeaderMap | undefined;
  isMutable(type: number): boolean;
  resume(direction: Direction): void;
  reset(): void;
  reply(reply: LocalReply): void;
  fail(error: GatewayError): void;
}

/**
 * One filter on one exchange: turns the chain's callbacks into calls of the guest, and what the
 * guest asks for into calls of the chain, after the guest has returned.
 *
 *   create ─▶ request headers, body, trailers ─▶ response … ─▶ log, done, delete ─▶ gone
 *                    └ the guest fails, or the exchange's time is used up ──────────▶ gone
 */
export class StreamContext implements HttpFilter, Stream {
  readonly id: number;
  readonly host: FilterHost;
  propertyBytes = 0;
  spentMs = 0;
  readonly #guest: Guest;
  /** The life of the guest that it belongs to; in another one nobody knows of this context. */
  readonly #life: number;
  /** Until it is told that the guest is done with this exchange. */
  #owner: GuestOwner<Guest> | undefined;
  /** Bits of RESUMED. */
  #resumed = 0;
  #replied = false;
  /** What waits for the guest's return: once each, however often the guest asks. */
  #asked: Set<Asked> | undefined;
  #ended = false;
  /** It is ended because its callbacks have taken more than limits.total: that is a failure. */
  #isOverTime = false;
  #requestHead: RequestHead | undefined;
  #requestHeaders: HeaderMap | undefined;
  #responseHead: ResponseHead | undefined;
  #responseHeaders: HeaderMap | undefined;
  #trailers: { list: HeaderList; map: HeaderMap }[] | undefined;

  constructor(guest: Guest, host: FilterHost, owner?: GuestOwner<Guest>) {
    this.#guest = guest;
    this.#life = guest.lives;
    this.#owner = owner;
    this.host = host;
    this.id = guest.takeStreamId();
  }

  /**
   * @param owner of the guest, who is told when it is done with this exchange
   * @throws GatewayError of the filter when the guest fails; then nothing is left behind
   */
  static create(guest: Guest, host: FilterHost, owner?: GuestOwner<Guest>): StreamContext {
    const stream = new StreamContext(guest, host, owner);
    guest.streams.set(stream.id, stream);
    try {
      guest.call("proxy_on_context_create", stream, stream.id, ROOT_CONTEXT_ID);
    } catch (error) {
      stream.#leave();
      throw error;
    }
    return stream;
  }

  get leftMs(): number {
    const { totalMs } = this.#guest.resources.settings.limits;
    // At its end it gets time for its log even when it has used up all.
    if (totalMs === 0 || this.#ended) return Number.POSITIVE_INFINITY;
    return Math.max(1, totalMs - this.spentMs);
  }

  onRequestHeaders(endOfStream: boolean): Action {
    const count = this.map(MapType.HttpRequestHeaders)?.count ?? 0;
    return this.#act("proxy_on_request_headers", "request", count, endOfStream);
  }

  onRequestBody(byteLength: number, endOfStream: boolean): Action {
    return this.#act("proxy_on_request_body", "request", byteLength, endOfStream);
  }

  onRequestTrailers(): Action {
    const count = this.map(MapType.HttpRequestTrailers)?.count ?? 0;
    return this.#act("proxy_on_request_trailers", "request", count, true);
  }

  onResponseHeaders(endOfStream: boolean): Action {
    const count = this.map(MapType.HttpResponseHeaders)?.count ?? 0;
    return this.#act("proxy_on_response_headers", "response", count, endOfStream);
  }

  onResponseBody(byteLength: number, endOfStream: boolean): Action {
    return this.#act("proxy_on_response_body", "response", byteLength, endOfStream);
  }

  onResponseTrailers(): Action {
    const count = this.map(MapType.HttpResponseTrailers)?.count ?? 0;
    return this.#act("proxy_on_response_trailers", "response", count, true);
  }

  /** Log comes before done, as Envoy has it for HTTP; the specification has them the other way. */
  onEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      // The guest may have been stopped by somebody else's call, or begun another life.
      if (this.#guest.failure === undefined && this.#guest.lives === this.#life) this.#close();
    } finally {
      this.#leave();
    }
  }

  map(type: number): HeaderMap | undefined {
    const { exchange } = this.host;
    switch (type) {
      case MapType.HttpRequestHeaders:
        return this.#requestMap(exchange.request);
      case MapType.HttpResponseHeaders:
        return exchange.response === undefined ? undefined : this.#responseMap(exchange.response);
      case MapType.HttpRequestTrailers:
        return this.#trailersMap(exchange.requestTrailers);
      case MapType.HttpResponseTrailers:
        return this.#trailersMap(exchange.responseTrailers);
      default:
        return undefined;
    }
  }

  isMutable(type: number): boolean {
    if (this.#ended) return false;
    if (type === MapType.HttpRequestHeaders) return this.host.exchange.isHeadMutable("request");
    if (type === MapType.HttpResponseHeaders) return this.host.exchange.isHeadMutable("response");
    // Trailers are read by the next one only after their callback.
    return this.map(type) !== undefined;
  }

  resume(direction: Direction): void {
    this.#defer(direction, () => {
      this.#resumed |= RESUMED[direction];
      this.host.resume(direction);
    });
  }

  reset(): void {
    this.#defer("reset", () => this.host.reset());
  }

  /** The first of several counts. */
  reply(reply: LocalReply): void {
    const deferred = this.#defer("reply", () => {
      if (this.host.localReply(reply)) this.#replied = true;
      else this.#warnLateReply();
    });
    if (!deferred) this.#warnLateReply();
  }

  fail(error: GatewayError): void {
    this.#leave();
    this.host.fail(error);
  }

  #close(): void {
    this.#guest.call("proxy_on_log", this, this.id);
    // A stream that answers "not done" is deleted all the same: Envoy ignores it, too.
    this.#guest.call("proxy_on_done", this, this.id);
    this.#guest.call("proxy_on_delete", this, this.id);
    const { health } = this.#guest.resources;
    if (this.#isOverTime) health.failed("deadline");
    else health.succeeded();
  }

  /** The guest knows of it no more, or nobody will ask. */
  #leave(): void {
    this.#ended = true;
    this.#guest.streams.delete(this.id, this);
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.filterGone(this.#guest);
  }

  /** @throws GatewayError when the guest fails or has failed, or the exchange's time is used up */
  #call(name: CallbackName, value: number, endOfStream: boolean): number | undefined {
    if (this.#guest.lives !== this.#life) throw putBack(this.#guest.name);
    const { totalMs } = this.#guest.resources.settings.limits;
    if (totalMs > 0 && this.spentMs >= totalMs) {
      this.#isOverTime = true;
      this.onEnd();
      throw overTime(this.#guest.name, totalMs);
    }
    try {
      return this.#guest.call(name, this, this.id, value, endOfStream ? 1 : 0);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  #act(name: CallbackName, direction: Direction, value: number, endOfStream: boolean): Action {
    this.#resumed &= ~RESUMED[direction];
    this.#replied = false;
    const answer = this.#call(name, value, endOfStream);
    if (this.#replied) return "pause"; // The answer is there; what the guest says does not matter.
    // Resuming takes effect after the callback, so it ends the pause that this callback asks for.
    if (
      (answer ?? ACTION_CONTINUE) === ACTION_CONTINUE ||
      (this.#resumed & RESUMED[direction]) !== 0
    ) {
      return "continue";
    }
    // Envoy's other numbers stop everything whatever Pause means.
    const { pause } = this.#guest.resources.settings;
    return answer === ACTION_PAUSE && pause === "stream" ? "pause-stream" : "pause";
  }

  /** @returns false when the same waits already */
  #defer(what: Asked, action: () => void): boolean {
    const asked = (this.#asked ??= new Set());
    if (asked.has(what)) return false;
    asked.add(what);
    this.#guest.defer(() => {
      asked.delete(what);
      action();
    });
    return true;
  }

  #warnLateReply(): void {
    this.#guest.resources.log.warnOnce("late reply", LATE_REPLY);
  }

  #requestMap(head: RequestHead): HeaderMap {
    if (this.#requestHeaders === undefined || this.#requestHead !== head) {
      this.#requestHead = head;
      this.#requestHeaders = new HeaderMap(head.headers, new RequestPseudoHeaders(head));
    }
    return this.#requestHeaders;
  }

  /** A local reply brings a head of its own. */
  #responseMap(head: ResponseHead): HeaderMap {
    if (this.#responseHeaders === undefined || this.#responseHead !== head) {
      this.#responseHead = head;
      this.#responseHeaders = new HeaderMap(head.headers, new ResponsePseudoHeaders(head));
    }
    return this.#responseHeaders;
  }

  #trailersMap(list: HeaderList | undefined): HeaderMap | undefined {
    if (list === undefined) return undefined;
    const trailers = (this.#trailers ??= []);
    const known = trailers.find((each) => each.list === list);
    if (known !== undefined) return known.map;
    const map = new HeaderMap(list, TRAILER_PSEUDO_HEADERS);
    trailers.push({ list, map });
    return map;
  }
}

const RESUMED = { request: 1, response: 2 } as const;

const LATE_REPLY =
  "proxy_send_local_response has no effect: there is a reply already, or the response was sent";
