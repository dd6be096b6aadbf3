import { GatewayError } from "../../base/errors.ts";
import { freeBuffer } from "../../base/free-buffer.ts";
import type { Body } from "../../http/body.ts";
import type { HeadText } from "../../http/head-text.ts";
import type { UpstreamRequest } from "../message.ts";
import type { Connection } from "./connection.ts";
import { requestHead, sentLength, trailerLines } from "./request-head.ts";

/** Bytes of body that are copied behind the head, so that both leave in one packet train. */
const JOIN_BYTES_MAX = 64 * 1024;

export interface SendListener {
  /** The socket took some bytes. @param blocked more of them wait for it */
  sendProgressed(blocked: boolean): void;
  /** The socket has taken the whole request. */
  sendFinished(): void;
  sendFailed(error: unknown): void;
}

type Chunk = Uint8Array | undefined;

/**
 * Sends one request: pulls its body and pushes it into the socket, never faster than that takes it.
 *
 *   body ──read()──▶ framing ──▶ #pending ──write()──▶ socket
 *                                  └── rest of one chunk, until drained()
 */
export class RequestSender {
  /** Bytes that the socket has taken. */
  sentBytes = 0;
  /** The body was asked for bytes: only a body that keeps them can be sent again. */
  bodyStarted = false;
  /** The socket has taken the whole request. */
  finished = false;

  readonly #connection: Connection;
  readonly #request: UpstreamRequest;
  readonly #listener: SendListener;
  /** Bytes of body that are still owed to the Content-Length; undefined when chunked. */
  #owedBytes: number | undefined;
  #pending: Uint8Array | undefined;
  /** Its buffer is freed when it is sent. */
  #ownsPending = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #stopped = false;

  constructor(connection: Connection, request: UpstreamRequest, listener: SendListener) {
    this.#connection = connection;
    this.#request = request;
    this.#listener = listener;
    this.#owedBytes = request.body && sentLength(request.body);
  }

  /** Sends the head, and the body as it comes. Failures go to the listener. */
  start(): void {
    try {
      const head = requestHead(this.#request);
      const body = this.#request.body;
      if (body === undefined) this.#sendHeadOnly(head);
      else this.#sendWithBody(head, body);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Goes on, instead of start(), with a request without a body.
   * @param taken bytes of its head that the socket has taken
   */
  resume(head: HeadText, taken: number): void {
    this.#tookOfHead(head, taken);
    void this.#finishWhenDrained();
  }

  /** The socket takes bytes again. */
  drained(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#stopped) return;
    const taken = this.#connection.write(pending);
    if (taken === 0) return;
    this.sentBytes += taken;
    this.#pending = taken < pending.byteLength ? pending.subarray(taken) : undefined;
    this.#listener.sendProgressed(this.#pending !== undefined);
    if (this.#pending !== undefined) return;
    if (this.#ownsPending) freeBuffer(pending);
    this.#resolveDrained();
  }

  /** Sends no more; the listener hears no more. The body is left as it is. */
  stop(): void {
    this.#stopped = true;
    this.#pending = undefined;
    this.#resolveDrained();
  }

  #sendHeadOnly(head: HeadText): void {
    this.#writeHead(head);
    if (this.#pending === undefined) this.#finish();
    else void this.#finishWhenDrained();
  }

  #sendWithBody(head: HeadText, body: Body): void {
    this.bodyStarted = true;
    const first = body.read();
    if (first === undefined || first instanceof Promise || first.byteLength > JOIN_BYTES_MAX) {
      this.#writeHead(head);
      void this.#pump(body, first);
      return;
    }
    const framed = this.#framed(first);
    // Asked before anything is sent: a body that is longer than it said is best refused as a whole.
    const second = this.#owedBytes === 0 ? body.read() : null;
    if (second instanceof Uint8Array) this.#framed(second);
    const joined = Buffer.allocUnsafe(head.length + framed.byteLength);
    joined.set(framed, head.writeTo(joined, 0));
    this.#write(joined);
    if (second === undefined && this.#pending === undefined) this.#finish();
    else void this.#pump(body, second === null ? body.read() : second);
  }

  /** Sends what is left of the body, beginning with `first`. Never rejects. */
  async #pump(body: Body, first: Chunk | Promise<Chunk>): Promise<void> {
    try {
      let next = first;
      for (;;) {
        if (this.#pending !== undefined) await this.#whenDrained();
        // The last byte has left: the request is complete, even if the body has yet to confirm it.
        if (this.#owedBytes === 0 && !this.#stopped) this.#finish();
        const chunk = next instanceof Promise ? await next : next;
        if (this.#stopped) return;
        if (chunk === undefined) break;
        this.#writeChunk(chunk, body.givesBuffer === true);
        if (this.#pending !== undefined) await this.#whenDrained();
        if (this.#stopped) return;
        next = body.read();
      }
      this.#writeEnd(body);
      await this.#finishWhenDrained();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #finishWhenDrained(): Promise<void> {
    if (this.#pending !== undefined) await this.#whenDrained();
    if (!this.#stopped) this.#finish();
  }

  /** What is sent for a chunk. @throws GatewayError when the body is longer than it said */
  #framed(chunk: Uint8Array): Uint8Array {
    if (this.#owedBytes === undefined) return chunked(chunk);
    if (chunk.byteLength > this.#owedBytes) {
      throw wrongLength(
        this.#request,
        `it is at least ${chunk.byteLength - this.#owedBytes} longer`,
      );
    }
    this.#owedBytes -= chunk.byteLength;
    return chunk;
  }

  #writeEnd(body: Body): void {
    if (this.#owedBytes === undefined) {
      const trailers = body.trailers === undefined ? "" : trailerLines(body.trailers);
      this.#write(Buffer.from(`0\r\n${trailers}\r\n`, "latin1"));
    } else if (this.#owedBytes > 0) {
      throw wrongLength(this.#request, `it is ${this.#owedBytes} shorter`);
    }
  }

  #writeHead(head: HeadText): void {
    this.#tookOfHead(head, this.#connection.writeHead(head));
  }

  #tookOfHead(head: HeadText, taken: number): void {
    this.sentBytes += taken;
    if (taken === head.length) return;
    this.#pending = Buffer.from(String(head).slice(taken), "latin1");
    this.#ownsPending = false;
    this.#listener.sendProgressed(true);
  }

  #writeChunk(chunk: Uint8Array, isOwned: boolean): void {
    const framed = this.#framed(chunk);
    if (framed !== chunk && isOwned) freeBuffer(chunk);
    this.#write(framed, framed !== chunk || isOwned);
  }

  /** @param isOwned its buffer is freed when it is sent */
  #write(bytes: Uint8Array, isOwned = false): void {
    const taken = this.#connection.write(bytes);
    this.sentBytes += taken;
    if (taken === bytes.byteLength) {
      if (isOwned) freeBuffer(bytes);
      return;
    }
    this.#pending = bytes.subarray(taken);
    this.#ownsPending = isOwned;
    this.#listener.sendProgressed(true);
  }

  #whenDrained(): Promise<void> {
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  #resolveDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.#listener.sendFinished();
  }

  #fail(error: unknown): void {
    if (!this.#stopped) this.#listener.sendFailed(error);
  }
}

/**
 * One chunk, size line and CR LF included, in a buffer of its own: copied, as three writes would be
 * three packets.
 */
function chunked(chunk: Uint8Array): Uint8Array {
  const size = `${chunk.byteLength.toString(16)}\r\n`;
  const framed = Buffer.allocUnsafeSlow(size.length + chunk.byteLength + 2);
  framed.write(size, 0, "latin1");
  framed.set(chunk, size.length);
  framed.write("\r\n", size.length + chunk.byteLength, "latin1");
  return framed;
}

function wrongLength(request: UpstreamRequest, difference: string): GatewayError {
  const said = `its length is ${request.body?.length} bytes`;
  const what = `Cannot send the body of ${request.method}: ${said}`;
  return new GatewayError("GATEWAY_INTERNAL", `${what}, but ${difference}`);
}
