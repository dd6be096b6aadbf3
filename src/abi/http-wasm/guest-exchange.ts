import { assert } from "../../base/assert.ts";
import { type GatewayError, isFaultCode } from "../../base/errors.ts";
import type {
  Action,
  BodyWindow,
  Direction,
  FilterHost,
  HttpFilter,
  ResponseHead,
} from "../../filter/filter.ts";
import { overTime, putBack } from "../guest/exchange-errors.ts";
import type { Caller } from "../guest/guest-core.ts";
import type { GuestOwner } from "../guest/guest-kind.ts";
import { EarlyResponse } from "./early-response.ts";
import { GuestBody, windowOf } from "./guest-body.ts";
import type { HttpWasmGuest } from "./guest.ts";
import type { Needs } from "./needs.ts";
import type { HttpGuestName } from "./signatures.ts";
import { Feature } from "./types.ts";

/**
 * waiting    handle_request has not run yet
 * requesting it runs
 * forwarded  it said next = 1
 * responding handle_response runs
 * over       it has run, or handle_request said next = 0: nobody needs the guest any more
 */
export type Phase = "waiting" | "requesting" | "forwarded" | "responding" | "over";

/**
 * One filter on one exchange: holds the messages until they are there as far as the guest can ask
 * for them, calls the guest once on each way, and does what it wanted after it has returned.
 *
 *   head ─▶ (body, trailers) ─▶ handle_request ─ next = 1 ─▶ … head ─▶ (body) ─▶ handle_response
 *                                     └ next = 0 ─▶ local reply
 */
export class GuestExchange implements HttpFilter, Caller {
  readonly host: FilterHost;
  readonly needs: Needs;
  features: number;
  spentMs = 0;
  phase: Phase = "waiting";
  readonly early = new EarlyResponse();
  readonly requestBody = new GuestBody();
  readonly responseBody = new GuestBody();
  readonly #guest: HttpWasmGuest;
  /** The life of the guest that it belongs to; in another one nobody knows of this exchange. */
  readonly #life: number;
  /** Until it is told that the guest is done with this exchange. */
  #owner: GuestOwner<HttpWasmGuest> | undefined;
  /** What the guest calls this exchange. */
  #ctx = 0;
  /** The request's body for handle_response. */
  #keptRequest: BodyWindow | undefined;
  /** The body that handle_request has given to the response to come. */
  #earlyBody: BodyWindow | undefined;
  /** The message that is being handled is there to its end. */
  #atEnd = false;
  #ended = false;
  /** Among the exchanges of its guest. */
  readonly #number: number;

  /** @param owner of the guest, who is told when it is done with this exchange */
  constructor(
    guest: HttpWasmGuest,
    host: FilterHost,
    needs: Needs,
    owner?: GuestOwner<HttpWasmGuest>,
  ) {
    this.#guest = guest;
    this.#life = guest.lives;
    this.#owner = owner;
    this.host = host;
    this.needs = needs;
    this.features = guest.features;
    this.#number = guest.enlist(this);
  }

  /** Time that the next call may take; at least 1. */
  get leftMs(): number {
    const { totalMs } = this.#guest.resources.settings.limits;
    return totalMs === 0 ? Number.POSITIVE_INFINITY : Math.max(1, totalMs - this.spentMs);
  }

  has(feature: number): boolean {
    return (this.features & feature) !== 0;
  }

  /** The response that handle_response works on. */
  get response(): ResponseHead {
    const { response } = this.host.exchange;
    assert(response !== undefined, "Cannot handle a response before there is one");
    return response;
  }

  /** True when the trailers of the message that is being handled can be read and changed. */
  hasTrailers(direction: Direction): boolean {
    const handled = this.phase === "requesting" ? "request" : "response";
    return this.#atEnd && handled === direction;
  }

  /** The guest has changed the request's head: another route may be the right one now. */
  requestChanged(): void {
    const { routeCache } = this.#guest.resources.settings;
    if (routeCache === "clear") this.host.exchange.clearRoute();
  }

  /** What read_body reads from. */
  source(direction: Direction): BodyWindow | undefined {
    if (direction === "request" && this.phase === "responding") return this.#keptRequest;
    if (direction === "response" && this.phase !== "responding") return undefined;
    return this.host.body(direction) ?? (direction === "response" ? this.#earlyBody : undefined);
  }

  onRequestHeaders(endOfStream: boolean): Action {
    if (!endOfStream && this.needs.wholeRequest) return "pause-stream";
    return this.#handleRequest(false);
  }

  onRequestBody(_byteLength: number, endOfStream: boolean): Action {
    if (this.phase !== "waiting") return "continue";
    return endOfStream ? this.#handleRequest(true) : "pause";
  }

  onRequestTrailers(): Action {
    return this.phase === "waiting" ? this.#handleRequest(true) : "continue";
  }

  onResponseHeaders(endOfStream: boolean): Action {
    if (this.phase !== "forwarded") return "continue";
    const early = this.early.body.take();
    this.early.layOver(this.response, early !== undefined);
    if (early !== undefined) {
      this.#earlyBody = windowOf(early);
      this.#give("response", early);
    } else if (!endOfStream && this.#waitsForResponse()) {
      return "pause-stream";
    }
    return this.#handleResponse(false);
  }

  onResponseBody(_byteLength: number, endOfStream: boolean): Action {
    if (this.phase === "forwarded") return endOfStream ? this.#handleResponse(true) : "pause";
    if (endOfStream) this.#addEarlyTrailers();
    return "continue";
  }

  onResponseTrailers(): Action {
    if (this.phase === "forwarded") return this.#handleResponse(true);
    this.#addEarlyTrailers();
    return "continue";
  }

  onEnd(): void {
    this.#finish();
  }

  fail(error: GatewayError): void {
    this.#leave();
    this.host.fail(error);
  }

  #handleRequest(atEnd: boolean): Action {
    this.phase = "requesting";
    this.#atEnd = atEnd;
    const result = this.#call("handle_request", []) ?? 0n;
    this.#ctx = Number(BigInt.asIntN(32, result >> 32n));
    // The lower half is 0 or 1; guests that answer something else mean "go on", as elsewhere.
    if (BigInt.asUintN(32, result) === 0n) return this.#reply();
    this.phase = "forwarded";
    if (this.has(Feature.BufferRequest)) this.#keepRequest();
    this.#replace("request", this.requestBody);
    return "continue";
  }

  #handleResponse(atEnd: boolean): Action {
    this.phase = "responding";
    this.#atEnd = atEnd;
    if (atEnd) this.#addEarlyTrailers();
    const details = this.host.exchange.getProperty(["response", "code_details"]);
    const isError = typeof details === "string" && isFaultCode(details);
    this.#call("handle_response", [this.#ctx, isError ? 1 : 0]);
    this.phase = "over";
    this.#finish();
    this.#keptRequest = undefined;
    this.#replace("response", this.responseBody);
    return "continue";
  }

  #reply(): Action {
    this.phase = "over";
    this.#finish();
    const { early } = this;
    const trailers = early.trailers.clone();
    early.trailers.clear();
    const accepted = this.host.localReply({
      status: early.statusNow,
      headers: early.headers,
      body: early.body.take() ?? new Uint8Array(0),
      trailers: trailers.size === 0 ? undefined : trailers,
      details: "http_wasm_response",
    });
    if (!accepted) this.#guest.resources.log.warnOnce("late reply", LATE_REPLY);
    return "pause";
  }

  /** Upgrades have no body that could be waited for, and events are not to be held back. */
  #waitsForResponse(): boolean {
    if (!this.needs.wholeResponse || !this.has(Feature.BufferResponse)) return false;
    const type = this.response.headers.get("content-type") ?? "";
    if (!/^\s*text\/event-stream\s*(;|$)/i.test(type)) return true;
    this.#guest.resources.log.warnOnce("event stream", EVENT_STREAM);
    return false;
  }

  #keepRequest(): void {
    const window = this.host.body("request");
    if (window === undefined) return;
    this.#keptRequest = windowOf(new Uint8Array(window.read(0, window.length)));
    this.requestBody.rewind();
  }

  /** What the guest has written takes the place of the body. */
  #replace(direction: Direction, body: GuestBody): void {
    const written = body.take();
    if (written === undefined) return;
    const window = this.host.body(direction);
    if (window === undefined) this.#give(direction, written);
    else window.splice(0, window.length, written);
  }

  /** In place of what the message brings; trailers may still be set while the call runs. */
  #give(direction: Direction, bytes: Uint8Array): void {
    const trailers = direction === "response" ? this.early.trailers : undefined;
    this.host.setBody(direction, bytes, trailers);
  }

  /** Those that the guest gave to the response before its end had come. */
  #addEarlyTrailers(): void {
    const { trailers } = this.early;
    if (trailers.size === 0) return;
    const list = this.host.exchange.addTrailers("response");
    for (const [name, value] of trailers) list.append(name, value);
    trailers.clear();
  }

  /** @throws GatewayError when the guest fails or has failed, or the exchange's time is used up */
  #call(name: HttpGuestName, args: readonly number[]): bigint | undefined {
    if (this.#guest.lives !== this.#life) throw putBack(this.#guest.name);
    const { totalMs } = this.#guest.resources.settings.limits;
    if (totalMs > 0 && this.spentMs >= totalMs) {
      this.#finish("deadline");
      throw overTime(this.#guest.name, totalMs);
    }
    try {
      return this.#guest.call(name, this, args);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /**
   * No more calls: the guest is given back, however long the exchange still takes.
   * @param failed what its calls have run into together, if anything
   */
  #finish(failed?: "deadline"): void {
    if (this.#ended) return;
    // The guest may have been stopped by somebody else's call, or begun another life; and a copy
    // begins one as soon as it is given back.
    if (this.#guest.failure === undefined && this.#guest.lives === this.#life) {
      const { health } = this.#guest.resources;
      if (failed !== undefined) health.failed(failed);
      else if (this.phase !== "waiting") health.succeeded();
    }
    this.#leave();
  }

  /** The guest has nothing to do with it any more. */
  #leave(): void {
    this.#ended = true;
    this.#guest.exchanges.delete(this.#number, this);
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.filterGone(this.#guest);
  }
}

const LATE_REPLY = "its response has no effect: there is a reply already, or it was sent";
const EVENT_STREAM =
  "buffer_response does not hold event streams back: handle_response runs without their body";
