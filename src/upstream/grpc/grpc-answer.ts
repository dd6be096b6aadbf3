import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { LIMITS } from "../../base/limits.ts";
import type { Telling, TurnTaking } from "../../base/turns.ts";
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
 * Each part is told in a turn of its own, for a chunk may hold thousands of messages, and each may
 * keep its receiver busy; when too much waits for that, the stream is paused.
 */
export class GrpcAnswer implements Telling {
  readonly events: GrpcEvents;
  readonly #end: (outcome: GrpcOutcome) => void;
  readonly #reader = new MessageReader();
  readonly #turns: TurnTaking;
  #httpStatus = 0;
  /** The head, until it has been told. */
  #initial: HeaderList | undefined;
  #trailers: HeaderList | undefined;
  /** The node's last word, which waits until all else has been told. */
  #ending: (() => void) | undefined;
  /** Bytes that have come since everything was told. */
  #heldBytes = 0;
  #paused: ClientHttp2Stream | undefined;
  #isWaiting = false;
  #isStopped = false;

  constructor(events: GrpcEvents, end: (outcome: GrpcOutcome) => void, turns: TurnTaking) {
    this.events = events;
    this.#end = end;
    this.#turns = turns;
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
      if (list.has("grpc-status")) this.#began(new HeaderList());
      return;
    }
    if (this.#httpStatus !== 200) return this.#end(outcomeOfHttp(this.#httpStatus));
    const type = list.get("content-type") ?? "";
    if (!/^application\/grpc(?:$|[+; ])/i.test(type)) {
      const message = "the node's answer is no gRPC: its content-type is another";
      return this.#end({ code: GrpcCode.Unknown, message });
    }
    this.#began(list);
  }

  data(chunk: Uint8Array, stream: ClientHttp2Stream): void {
    if (this.#isStopped) return;
    if (this.isSilent) {
      return this.#end({ code: GrpcCode.Internal, message: "the node has sent no head" });
    }
    this.#reader.push(chunk);
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes > LIMITS.grpcHeldBytesMax) {
      stream.pause();
      this.#paused = stream;
    }
    this.#wake();
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
    this.#paused?.resume(); // Else it would keep what it holds, and its end.
  }

  /** @internal Telling */
  tell(): boolean {
    this.#isWaiting = !this.#isStopped && this.#tellNext() && !this.#isStopped;
    return this.#isWaiting;
  }

  #began(initial: HeaderList): void {
    this.#initial = initial;
    this.#wake();
  }

  #finish(ending: () => void): void {
    if (this.#isStopped) return;
    this.#ending ??= ending;
    this.#wake();
  }

  #wake(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#turns.add(this);
  }

  /** @returns false when there is no more, for now */
  #tellNext(): boolean {
    const initial = this.#initial;
    if (initial !== undefined) {
      this.#initial = undefined;
      this.events.initialMetadata(initial);
      return true;
    }
    const message = this.#reader.next();
    if (message === undefined) {
      this.#toldAll();
      return false;
    }
    if (typeof message === "string") this.#end(PROBLEMS[message]);
    else this.events.message(message);
    return true;
  }

  #toldAll(): void {
    this.#heldBytes = 0;
    this.#paused?.resume();
    this.#paused = undefined;
    this.#ending?.();
    this.#ending = undefined;
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
