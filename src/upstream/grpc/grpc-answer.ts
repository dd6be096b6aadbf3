import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { deadlines } from "../../base/deadlines.ts";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import {
  GrpcCode,
  type GrpcOutcome,
  outcomeOf,
  outcomeOfHttp,
  outcomeOfReset,
} from "./grpc-status.ts";
import { type FrameProblem, MessageReader } from "./message-frames.ts";

/** What a call brings, in this order; only `closed` always comes, once and last. */
export interface GrpcEvents {
  initialMetadata(metadata: HeaderList): void;
  /** The receiver owns the bytes. */
  message(message: Uint8Array): void;
  trailingMetadata(metadata: HeaderList): void;
  closed(outcome: GrpcOutcome): void;
}

/**
 * What a node answers to one call, read in the order in which it came.
 *
 *   head ─▶ message … ─▶ trailers          head with the end of the stream: it is the trailers
 *
 * Messages are handed on as long as LIMITS.queueTurnMsMax at a time, for a chunk may hold thousands
 * of them, and each may keep its receiver busy; then the stream is paused and others have as long.
 */
export class GrpcAnswer {
  readonly events: GrpcEvents;
  readonly #end: (outcome: GrpcOutcome) => void;
  readonly #reader = new MessageReader();
  #httpStatus = 0;
  #trailers: HeaderList | undefined;
  /** The node's last word, which waits for messages that have not been handed on. */
  #ending: (() => void) | undefined;
  #isPaused = false;
  #isStopped = false;

  constructor(events: GrpcEvents, end: (outcome: GrpcOutcome) => void) {
    this.events = events;
    this.#end = end;
  }

  /** Nothing has come yet. */
  get isSilent(): boolean {
    return this.#httpStatus === 0;
  }

  /** @param flags of the frame */
  head(headers: IncomingHttpHeaders, flags: number): void {
    if (this.#isStopped) return;
    const list = listOf(headers);
    if (list === undefined) return this.#tooMuchMetadata();
    this.#httpStatus = Number(headers[":status"] ?? 0);
    if ((flags & END_STREAM) !== 0) {
      this.#trailers = list;
      if (list.has("grpc-status")) this.events.initialMetadata(new HeaderList());
      return;
    }
    if (this.#httpStatus !== 200) return this.#end(outcomeOfHttp(this.#httpStatus));
    const type = list.get("content-type") ?? "";
    if (!/^application\/grpc(?:$|[+; ])/i.test(type)) {
      const message = "the node's answer is no gRPC: its content-type is another";
      return this.#end({ code: GrpcCode.Unknown, message });
    }
    this.events.initialMetadata(list);
  }

  data(chunk: Uint8Array, stream: ClientHttp2Stream): void {
    if (this.#isStopped) return;
    if (this.isSilent) {
      return this.#end({ code: GrpcCode.Internal, message: "the node has sent no head" });
    }
    this.#reader.push(chunk);
    if (!this.#isPaused) this.#handOn(stream);
  }

  trailers(headers: IncomingHttpHeaders): void {
    if (this.#isStopped) return;
    const list = listOf(headers);
    if (list === undefined) this.#tooMuchMetadata();
    else this.#trailers = list;
  }

  /** No more messages. Without trailers the code of the stream's close tells what it was. */
  end(): void {
    if (this.#trailers === undefined) return;
    this.#finish(() => this.#judge());
  }

  /** @param isLost the connection has gone with it */
  closed(errorCode: number, isLost: boolean): void {
    this.#finish(() => {
      if (this.#trailers !== undefined) this.#judge();
      else if (isLost) this.#end({ code: GrpcCode.Unavailable, message: LOST });
      else if (errorCode !== 0) this.#end(outcomeOfReset(errorCode));
      else
        this.#end({ code: GrpcCode.Unknown, message: "the node has ended without a grpc-status" });
    });
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #handOn(stream: ClientHttp2Stream): void {
    const startedMs = performance.now();
    for (;;) {
      if (this.#isStopped) return;
      const message = this.#reader.next();
      if (message === undefined) break;
      if (typeof message === "string") return this.#end(PROBLEMS[message]);
      this.events.message(message);
      const spentMs = performance.now() - startedMs;
      if (spentMs < LIMITS.queueTurnMsMax) continue;
      this.#isPaused = true;
      stream.pause();
      deadlines.arm(spentMs, () => this.#goOn(stream));
      return;
    }
    const ending = this.#ending;
    this.#ending = undefined;
    ending?.();
  }

  #goOn(stream: ClientHttp2Stream): void {
    if (this.#isStopped) return;
    this.#isPaused = false;
    this.#handOn(stream);
    if (!this.#isPaused) stream.resume();
  }

  #finish(ending: () => void): void {
    if (this.#isStopped) return;
    if (this.#isPaused) this.#ending = ending;
    else ending();
  }

  #judge(): void {
    const trailers = this.#trailers ?? new HeaderList();
    const outcome = outcomeOf(trailers) ?? this.#withoutStatus();
    if (outcome.code === GrpcCode.Ok && !this.#reader.isEmpty) {
      return this.#end({ code: GrpcCode.Internal, message: "the last message is cut off" });
    }
    this.events.trailingMetadata(trailers);
    this.#end(outcome);
  }

  #withoutStatus(): GrpcOutcome {
    if (this.#httpStatus !== 200) return outcomeOfHttp(this.#httpStatus);
    return { code: GrpcCode.Unknown, message: "the node's trailers have no grpc-status" };
  }

  #tooMuchMetadata(): void {
    const message = `the node has sent more than ${LIMITS.grpcMetadataBytesMax} bytes of metadata`;
    this.#end({ code: GrpcCode.ResourceExhausted, message });
  }
}

const END_STREAM = 1;

const LOST = "the connection to the node was lost";

const PROBLEMS: Readonly<Record<FrameProblem, GrpcOutcome>> = {
  compressed: {
    code: GrpcCode.Internal,
    message: "the node has compressed a message, which it was not asked to",
  },
  malformed: { code: GrpcCode.Internal, message: "the node has sent bytes that are no message" },
  "too long": {
    code: GrpcCode.ResourceExhausted,
    message: `the node has sent a message of more than ${LIMITS.grpcMessageBytesMax} bytes`,
  },
};

/** @returns undefined above LIMITS.grpcMetadataBytesMax */
function listOf(headers: IncomingHttpHeaders): HeaderList | undefined {
  const list = new HeaderList();
  let byteLength = 0;
  for (const [name, given] of Object.entries(headers)) {
    if (name.startsWith(":") || given === undefined) continue;
    for (const value of Array.isArray(given) ? given : [given]) {
      byteLength += name.length + value.length;
      list.append(name, value);
    }
  }
  return byteLength > LIMITS.grpcMetadataBytesMax ? undefined : list;
}
