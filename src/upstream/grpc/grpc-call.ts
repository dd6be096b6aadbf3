import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { type GatewayError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { turns as sharedTurns, type TurnTaking } from "../../base/turns.ts";
import { HeaderList } from "../../http/headers.ts";
import type { GrpcNode, StreamOpener } from "./grpc-node.ts";
import type { GrpcSession } from "./grpc-session.ts";
import { GrpcAnswer, type GrpcEvents } from "./grpc-answer.ts";
import { GrpcCode, type GrpcOutcome } from "./grpc-status.ts";
import { frameMessage } from "./message-frames.ts";
import { requestHeaders } from "./request-headers.ts";

export interface GrpcCallRequest {
  /** Whose connections it takes: nobody can use up the streams of another one. */
  readonly owner: string;
  /** "/package.Service/Method" */
  readonly path: string;
  /** Lines that gRPC itself writes are replaced. */
  readonly metadata: HeaderList;
  /** ms; 0: as long as it takes, but for finding a connection. */
  readonly timeoutMs: number;
}

/** A node to try. */
export interface GrpcPeer {
  readonly node: GrpcNode;
  readonly authority: string;
}

/** full: too much is unsent already. ended: the call's own side has been closed. */
export type Sending = "sent" | "full" | "ended";

/**
 * One call or stream of gRPC.
 *
 *   picking ──connected──▶ open ──trailers, reset, lost──▶ ended
 *      ▲  └─ no connection ─┐ └── deadline, cancel() ──────▶
 *      └──── other node ────┘
 *
 * Another node is tried only while no connection was had: afterwards nobody knows what the node
 * has done. Events come from the event loop, never from inside a call of this class, and none
 * after cancel(); the last one is `closed`.
 */
export class GrpcCall implements StreamOpener {
  readonly #request: GrpcCallRequest;
  readonly #next: () => GrpcPeer | undefined;
  readonly #connectMs: number;
  readonly #answer: GrpcAnswer;
  #peer: GrpcPeer | undefined;
  #session: GrpcSession | undefined;
  #stream: ClientHttp2Stream | undefined;
  #deadline: Deadline | undefined;
  /** Frames that wait for a stream. */
  #queued: Buffer[] = [];
  #unsentBytes = 0;
  #isHalfClosed = false;
  #isEnded = false;
  #isCancelled = false;
  readonly #turns: TurnTaking;

  /**
   * @param next the node for the next attempt, undefined when there is none left
   * @param connectMs 0: no deadline
   * @param turns in which its events are told
   */
  constructor(
    request: GrpcCallRequest,
    events: GrpcEvents,
    next: () => GrpcPeer | undefined,
    connectMs: number,
    turns: TurnTaking = sharedTurns,
  ) {
    this.#request = request;
    this.#turns = turns;
    this.#next = next;
    this.#connectMs = connectMs;
    this.#answer = new GrpcAnswer(events, (outcome) => this.#end(outcome), turns);
    const limitMs = request.timeoutMs === 0 ? LIMITS.callOutMsMax : request.timeoutMs;
    this.#deadline = deadlines.arm(limitMs, () => this.#timedOut(limitMs));
    this.#attempt(undefined);
  }

  /** Bytes of messages that the node's connection has not taken, with what keeping them takes. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** @param end nothing follows from this side */
  send(message: Uint8Array, end: boolean): Sending {
    if (this.#isHalfClosed || this.#isEnded) return "ended";
    const unsent = this.#unsentBytes;
    if (unsent > 0 && unsent + message.byteLength > LIMITS.grpcUnsentBytesMax) return "full";
    const frame = frameMessage(message);
    this.#unsentBytes += weightOf(frame);
    if (this.#stream === undefined) this.#queued.push(frame);
    else this.#write(this.#stream, frame);
    if (end) this.finish();
    return "sent";
  }

  /** Nothing follows from this side; idempotent. */
  finish(): void {
    if (this.#isHalfClosed || this.#isEnded) return;
    this.#isHalfClosed = true;
    this.#stream?.end();
  }

  /** Idempotent. */
  cancel(): void {
    this.#isCancelled = true;
    this.#stop();
  }

  /** @internal StreamOpener */
  open(session: GrpcSession): void {
    let stream: ClientHttp2Stream;
    try {
      stream = session.open(this.#headers());
    } catch (error) {
      this.#end({ code: GrpcCode.Internal, message: messageOf(error) });
      return;
    }
    if (this.#request.timeoutMs === 0) this.#deadline?.cancel();
    this.#session = session;
    this.#stream = stream;
    stream.on("error", () => {}); // What it was is told by the code with which it closes.
    stream.on("response", (headers: IncomingHttpHeaders, flags: number) => {
      session.heard();
      this.#answer.head(headers, flags);
    });
    stream.on("data", (chunk: Uint8Array) => this.#answer.data(chunk, stream));
    stream.on("trailers", (headers: IncomingHttpHeaders) => this.#answer.trailers(headers));
    stream.on("end", () => {
      this.#answer.end();
      this.finish(); // Else an end without trailers would wait for ours before it is told.
    });
    stream.on("close", () => this.#answer.closed(stream.rstCode ?? 0, session.isBroken));
    for (const frame of this.#queued) this.#write(stream, frame);
    this.#queued = [];
    if (this.#isHalfClosed) stream.end();
  }

  failed(error: GatewayError): void {
    this.#peer = undefined;
    this.#attempt(error);
  }

  #write(stream: ClientHttp2Stream, frame: Buffer): void {
    stream.write(frame, () => (this.#unsentBytes -= weightOf(frame)));
  }

  #attempt(error: GatewayError | undefined): void {
    if (this.#isEnded) return;
    const peer = error === undefined || error.retryable ? this.#next() : undefined;
    if (peer === undefined) {
      const message = error?.message ?? "the upstream has no node that could be asked";
      this.#end({ code: GrpcCode.Unavailable, message });
      return;
    }
    this.#peer = peer;
    peer.node.want(this, this.#connectMs);
  }

  #headers(): OutgoingHttpHeaders {
    const { path, metadata, timeoutMs } = this.#request;
    return requestHeaders(path, this.#peer?.authority ?? "localhost", metadata, timeoutMs);
  }

  #timedOut(limitMs: number): void {
    if (this.#answer.isSilent) this.#session?.doubt();
    const what = this.#request.timeoutMs === 0 ? "connection" : "end";
    const message = `no ${what} within ${limitMs} ms`;
    this.#end({ code: GrpcCode.DeadlineExceeded, message });
  }

  #end(outcome: GrpcOutcome): void {
    if (this.#isEnded) return;
    this.#stop();
    const tell = (): boolean => {
      if (!this.#isCancelled) this.#answer.events.closed(outcome);
      return false;
    };
    this.#turns.add({ tell });
  }

  #stop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#deadline?.cancel();
    this.#answer.stop();
    this.#queued = [];
    const stream = this.#stream;
    if (stream === undefined) this.#peer?.node.forget(this);
    else if (!isOver(stream)) stream.close(CANCEL);
  }
}

/** A guest may send messages of nothing by the million, and each is kept as an object. */
function weightOf(frame: Buffer): number {
  return frame.byteLength + LIMITS.grpcKeptBytes;
}

/** Both sides have ended it: a reset would only count against us. */
function isOver(stream: ClientHttp2Stream): boolean {
  return stream.destroyed || (stream.readableEnded && stream.writableFinished);
}

/** HTTP/2's error code for a stream that nobody wants any more. */
const CANCEL = 8;
