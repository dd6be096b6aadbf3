import { deadlines, type Deadline } from "../../base/deadlines.ts";
import { GatewayError, messageOf, toGatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { TimeoutConfig } from "../../config/config.ts";
import type { Body } from "../../http/body.ts";
import { type Framing, hasNoBody } from "../../http/framing.ts";
import type { HeadText } from "../../http/head-text.ts";
import type { UpstreamRequest } from "../message.ts";
import { LengthDecoder, type BodyDecoder } from "./body-decoder.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import type { Connection, ConnectionUser } from "./connection.ts";
import { requestHead } from "./request-head.ts";
import { RequestSender, type SendListener } from "./request-sender.ts";
import { cut, WholeBody } from "./whole-body.ts";
import { ResponseBody, type BodySource } from "./response-body.ts";
import type { ResponseHead } from "./response-head.ts";
import type { Startable } from "./start-queue.ts";
import { badResponse } from "./syntax.ts";
import { ConnectionTunnel } from "./tunnel.ts";

/** Told without a promise in between: each of them would cost as much as parsing the head. */
export interface ExchangeObserver {
  readonly timeout: TimeoutConfig;
  /** The response's head is here, and how to get the rest of it; once at most. */
  exchangeAnswered(
    head: ResponseHead,
    body: Body | undefined,
    tunnel: ConnectionTunnel | undefined,
  ): void;
  /** There is no response, and none will come; once at most, and nothing after it. */
  exchangeFailed(exchange: Exchange, error: GatewayError): void;
  /**
   * Called once when an exchange that has been answered has nothing more to do with the node: the
   * last byte is here, or it failed, or nobody wants it any more. Of one that is here as a whole,
   * before exchangeAnswered().
   */
  exchangeEnded(): void;
}

type Phase = "head" | "body" | "ended";

/**
 * One request and its response on one connection.
 *
 *   head ──final head, body to come──▶ body ──last byte──▶ ended
 *    └────────── no body, all here, failure, abort ──────────▲
 *
 * Sending and receiving are independent: a node may answer before it has the whole request. A
 * response that ends first stops the sending, and the connection is not used again.
 */
export class Exchange implements ConnectionUser, SendListener, BodySource, Startable {
  /** ms of performance.now(): when it was asked for, and when it has begun, its beginning. */
  startedMs: number;
  readonly #connection: Connection;
  readonly #request: UpstreamRequest;
  readonly #address: string;
  readonly #observer: ExchangeObserver;
  /** undefined for a request that was sent with one write. */
  #sender: RequestSender | undefined;
  /** Without a sender. */
  #sentBytes = 0;
  #phase: Phase = "head";
  #begun = false;
  #answered = false;
  /** Bytes received, interim responses and head included. */
  #receivedBytes = 0;
  #interims = 0;
  #keepAlive = false;
  #decoder: BodyDecoder | undefined;
  /** The body lasts until the node closes in order. */
  #untilClose = false;
  #body: ResponseBody | undefined;
  /** The node owes us bytes: the connection's deadline runs. */
  #expecting = false;
  #sendDeadline: Deadline | undefined;

  /**
   * @param address of the node, for messages
   * @param startedMs of performance.now()
   */
  constructor(
    connection: Connection,
    request: UpstreamRequest,
    address: string,
    observer: ExchangeObserver,
    startedMs = performance.now(),
  ) {
    this.startedMs = startedMs;
    this.#connection = connection;
    this.#request = request;
    this.#address = address;
    this.#observer = observer;
  }

  /** Bytes of the request that the socket took: 0 means that the node cannot have seen it. */
  get sentBytes(): number {
    return this.#sender?.sentBytes ?? this.#sentBytes;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The request body was asked for bytes. */
  get bodyStarted(): boolean {
    return this.#sender?.bodyStarted ?? false;
  }

  /**
   * Once; nothing when it has been aborted. The observer may be told before this returns.
   * @param nowMs of performance.now()
   */
  run(nowMs: number): void {
    if (this.#phase === "ended") return;
    this.#begun = true;
    this.startedMs = nowMs;
    if (this.#connection.isOpen) {
      this.#connection.use(this);
      this.#send(nowMs);
    } else {
      this.#end(new GatewayError("UPSTREAM_RESET", this.#what("the connection was closed before")));
    }
  }

  /** Gives up in whatever phase it is; idempotent. */
  abort(error: GatewayError): void {
    if (this.#phase === "ended") return;
    if (this.#begun) this.#connection.terminate();
    else this.#connection.release(true);
    this.#end(error);
  }

  /** @internal ConnectionUser, SendListener and BodySource: events of the parts. */
  received(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.byteLength;
    try {
      if (this.#phase === "head") this.#receiveHead(chunk);
      else this.#receiveBody(chunk);
    } catch (error) {
      const { code, message } = toGatewayError(error);
      this.abort(new GatewayError(code, this.#what(message), { cause: error }));
    }
  }

  drained(): void {
    this.#sender?.drained();
  }

  disconnected(cause: Error | undefined): void {
    if (this.#phase === "body" && this.#untilClose && cause === undefined) {
      this.#body?.finish(undefined);
      this.#end(undefined);
      return;
    }
    const how = cause === undefined ? "closed the connection" : messageOf(cause);
    this.#end(new GatewayError("UPSTREAM_RESET", this.#what(how), { cause }));
  }

  sendProgressed(blocked: boolean): void {
    this.#sendDeadline?.cancel();
    const { sendMs } = this.#observer.timeout;
    this.#sendDeadline =
      blocked && sendMs > 0 ? deadlines.arm(sendMs, () => this.#sendTimedOut(sendMs)) : undefined;
  }

  sendFinished(): void {
    this.#sendDeadline?.cancel();
    if (this.#phase === "head") this.#expect();
  }

  #send(nowMs: number): void {
    if (this.#request.body === undefined) {
      this.#sendHead(nowMs);
    } else {
      this.#sender = new RequestSender(this.#connection, this.#request, this);
      this.#sender.start();
    }
  }

  #sendHead(nowMs: number): void {
    let head: HeadText;
    try {
      head = requestHead(this.#request);
    } catch (error) {
      this.sendFailed(error);
      return;
    }
    this.#sentBytes = this.#connection.writeHead(head);
    if (this.#sentBytes === head.length) {
      if (this.#phase === "head") this.#expect(nowMs);
      return;
    }
    this.#sender = new RequestSender(this.#connection, this.#request, this);
    this.#sender.resume(head, this.#sentBytes);
  }

  sendFailed(error: unknown): void {
    this.abort(toGatewayError(error));
  }

  awaited(): void {
    if (this.#phase === "body") this.#expect();
  }

  cancelled(): void {
    if (this.#phase !== "body") return;
    this.#connection.terminate();
    this.#end(undefined);
  }

  missed(): void {
    const awaited = this.#phase === "head" ? "no response head" : "no more of the body";
    const { readMs } = this.#observer.timeout;
    const what = this.#what(`${awaited} within the read timeout of ${readMs} ms`);
    this.abort(new GatewayError("UPSTREAM_READ_TIMEOUT", what));
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  #receiveHead(chunk: Uint8Array): void {
    const { parser } = this.#connection;
    let at = 0;
    while (at < chunk.byteLength) {
      const head = parser.push(chunk, at);
      if (head === undefined) return;
      at += parser.consumed;
      if (head.status === 101) {
        this.#beginTunnel(head, chunk.subarray(at));
        return;
      }
      if (head.status >= 200) {
        this.#begin(head, chunk, at);
        return;
      }
      if (++this.#interims > LIMITS.interimResponsesMax) {
        throw badResponse(`more than ${LIMITS.interimResponsesMax} interim responses`);
      }
      // The node is alive and works on it.
      if (this.#expecting) this.#expect();
    }
  }

  /** @param at where the body begins in `chunk` */
  #begin(head: ResponseHead, chunk: Uint8Array, at: number): void {
    this.#expectNothing();
    this.#keepAlive = head.keepAlive;
    const framing = hasNoBody(this.#request.method, head.status) ? NO_BODY : head.framing;
    if (!framing.ok) throw badResponse(framing.problem);
    if (framing.kind === "none") {
      this.#answerWhole(head, undefined, at < chunk.byteLength);
      return;
    }
    if (framing.kind === "length" && framing.length <= chunk.byteLength - at) {
      const end = at + framing.length;
      const body = new WholeBody(chunk, at, end, undefined);
      this.#answerWhole(head, body, end < chunk.byteLength);
      return;
    }
    const length = framing.kind === "length" ? framing.length : undefined;
    this.#untilClose = framing.kind === "until-close";
    const decoder =
      framing.kind === "chunked" ? new ChunkedDecoder() : new LengthDecoder(length ?? Infinity);
    decoder.decode(chunk, at);
    const { payloadStart, payloadEnd } = decoder;
    if (decoder.done) {
      const body = new WholeBody(chunk, payloadStart, payloadEnd, decoder.trailers);
      this.#answerWhole(head, body, decoder.consumed < chunk.byteLength);
      return;
    }
    this.#phase = "body";
    this.#decoder = decoder;
    this.#body = new ResponseBody(this, length);
    if (payloadEnd > payloadStart) this.#body.push(cut(chunk, payloadStart, payloadEnd));
    this.#answered = true;
    this.#observer.exchangeAnswered(head, this.#body, undefined);
  }

  #receiveBody(chunk: Uint8Array): void {
    const body = this.#body;
    const decoder = this.#decoder;
    if (this.#phase !== "body" || body === undefined || decoder === undefined) return;
    decoder.decode(chunk, 0);
    const payload = cut(chunk, decoder.payloadStart, decoder.payloadEnd);
    const surplus = decoder.consumed < chunk.byteLength; // Before its reader has it.
    if (payload.byteLength > 0) {
      this.#expectNothing();
      body.push(payload);
    }
    if (!decoder.done) return;
    body.finish(decoder.trailers);
    this.#complete(surplus);
  }

  #beginTunnel(head: ResponseHead, rest: Uint8Array): void {
    if (this.#request.upgrade === undefined) {
      throw badResponse("it switches protocols (101), which the request did not ask for");
    }
    const observer = this.#observer;
    const onEnd = (): void => observer.exchangeEnded();
    const tunnel = new ConnectionTunnel(this.#connection, {
      address: this.#address,
      idleMs: observer.timeout.idleMs,
      onEnd,
    });
    this.#phase = "ended";
    this.#dropDeadlines();
    this.#sender?.stop();
    this.#connection.changeUser(tunnel);
    if (rest.byteLength > 0) tunnel.received(rest);
    observer.exchangeAnswered(head, undefined, tunnel);
  }

  /**
   * The response is here to its last byte. Its connection is free before anybody is told of it: who
   * asks again at once, for the next of a client's requests, finds it.
   */
  #answerWhole(head: ResponseHead, body: WholeBody | undefined, surplus: boolean): void {
    this.#answered = true;
    this.#complete(surplus);
    this.#observer.exchangeAnswered(head, body, undefined);
  }

  /** The response is here to its last byte. */
  #complete(surplus: boolean): void {
    this.#dropDeadlines(); // While the connection is still ours.
    if (this.#isSent) this.#connection.release(this.#keepAlive && !surplus);
    else this.#connection.terminate();
    this.#end(undefined);
  }

  /** Last step of every exchange but a tunnel. @param error undefined: in order */
  #end(error: GatewayError | undefined): void {
    const phase = this.#phase;
    this.#phase = "ended";
    this.#dropDeadlines();
    this.#sender?.stop();
    const observer = this.#observer;
    if (error !== undefined && phase === "head" && !this.#answered) {
      observer.exchangeFailed(this, error);
      return;
    }
    if (error?.code === "UPSTREAM_RESET") this.#body?.truncate(error);
    else if (error !== undefined) this.#body?.abort(error);
    if (this.#answered) observer.exchangeEnded();
  }

  /** The socket has taken the whole request. */
  get #isSent(): boolean {
    return this.#sender?.finished ?? this.#sentBytes > 0;
  }

  #expect(nowMs?: number): void {
    const { readMs } = this.#observer.timeout;
    this.#expecting = readMs > 0;
    if (this.#expecting) this.#connection.expect(readMs, nowMs);
  }

  #expectNothing(): void {
    if (!this.#expecting) return;
    this.#expecting = false;
    this.#connection.expect(Infinity);
  }

  #sendTimedOut(sendMs: number): void {
    const what = this.#what(`it took no more bytes within the send timeout of ${sendMs} ms`);
    this.abort(new GatewayError("UPSTREAM_SEND_TIMEOUT", what));
  }

  #dropDeadlines(): void {
    this.#expectNothing();
    this.#sendDeadline?.cancel();
  }

  /** Which exchange, how far it came, and what went wrong. */
  #what(wrong: string): string {
    const elapsedMs = Math.round(performance.now() - this.startedMs);
    const sent = `${this.sentBytes} bytes sent${this.#isSent ? "" : " (not all)"}`;
    const state = `after ${elapsedMs} ms, ${sent}, ${this.#receivedBytes} received`;
    const part = this.#phase === "head" ? "response" : "response body";
    const what = `the ${part} of ${this.#request.method} from ${this.#address}`;
    return `Cannot get ${what}: ${wrong} (${state})`;
  }
}

const NO_BODY: Framing = { ok: true, kind: "none" };
