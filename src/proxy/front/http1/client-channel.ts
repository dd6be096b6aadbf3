import type { Http1Bounds } from "./bounds.ts";
import { type ConnectionEnds, endsOf } from "./http1-incoming.ts";
import type { Ends, Scheme } from "./http1-incoming.ts";
import { Input } from "./input.ts";
import { LazyDeadline } from "../../../base/lazy-deadline.ts";
import { Output } from "./output.ts";

/** What is needed of Bun's socket. */
export type ClientSocket = Pick<
  Bun.Socket<unknown>,
  "write" | "end" | "terminate" | "shutdown" | "pause" | "resume"
> &
  Ends;

export interface ChannelOwner {
  /** The client has sent nothing for as long as expect() allowed. */
  onReceiveMissed(): void;
  /** The client has taken nothing for `sendIdleMs` although something waits. */
  onSendMissed(): void;
  /** A write has failed: the client is gone, and a paused socket would never tell. */
  onGone(): void;
}

/**
 * A client's socket with its buffers and deadlines: bytes both ways, and no idea what they mean.
 *
 *   socket ──data──▶ input (paused above receiveBufferBytes)
 *   socket ◀─write── output (drain() when the client has read)
 */
export class ClientChannel {
  readonly input = new Input();
  readonly output: Output;
  readonly ends: ConnectionEnds;
  readonly #socket: ClientSocket;
  readonly #bounds: Http1Bounds;
  readonly #receiveDeadline: LazyDeadline;
  readonly #sendDeadline: LazyDeadline;
  #paused = false;
  #ended = false;
  /** Output.sentBytes when the client's FIN came. */
  #sentBytesAtEnd = 0;
  #lingeredBytes = 0;

  constructor(socket: ClientSocket, scheme: Scheme, bounds: Http1Bounds, owner: ChannelOwner) {
    this.#socket = socket;
    this.#bounds = bounds;
    this.ends = endsOf(socket, scheme);
    // Later, since whoever writes is in the middle of something.
    this.output = new Output(socket, () => queueMicrotask(() => owner.onGone()));
    this.#receiveDeadline = new LazyDeadline(() => owner.onReceiveMissed());
    this.#sendDeadline = new LazyDeadline(() => owner.onSendMissed());
  }

  /** The client has sent its FIN: what is in the input is all there will be. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Nothing has gone to the client since its FIN, so that a reset could tell whether it reads. */
  get silentSinceEnd(): boolean {
    return this.output.sentBytes === this.#sentBytesAtEnd && this.output.waitingBytes === 0;
  }

  onEnd(): void {
    this.#ended = true;
    this.#sentBytesAtEnd = this.output.sentBytes;
  }

  /** The system takes bytes again. @returns false when it has not taken all */
  drain(): boolean {
    const { sentBytes } = this.output;
    this.output.drain();
    if (this.output.waitingBytes === 0) {
      this.#sendDeadline.clear();
      return true;
    }
    if (this.output.sentBytes > sentBytes) this.block();
    return false;
  }

  /** Something waits in the output: the client has `sendIdleMs` to take a byte of it. */
  block(): void {
    this.#sendDeadline.set(this.#bounds.sendIdleMs);
  }

  /** @param afterMs until onReceiveMissed(); Infinity: never. Replaces what was expected before. */
  expect(afterMs: number): void {
    if (afterMs === Infinity) this.#receiveDeadline.clear();
    else this.#receiveDeadline.set(afterMs);
  }

  /** The same without a look at the clock: see LazyDeadline.setAbout(). */
  expectAbout(afterMs: number): void {
    this.#receiveDeadline.setAbout(afterMs);
  }

  /** Holds the client back while too much waits in the input, which has changed. */
  balance(): void {
    const { receiveBufferBytes } = this.#bounds;
    if (this.#paused) {
      if (this.input.length > receiveBufferBytes / 2) return;
      this.#paused = false;
      this.#socket.resume();
    } else if (this.input.length > receiveBufferBytes) {
      this.#paused = true;
      this.#socket.pause();
    }
  }

  /** Sends our FIN; the client may still send. */
  shutdown(): void {
    this.#socket.shutdown();
  }

  /** Sends our FIN and reads on for a while, so that no reset overtakes what was sent. */
  linger(): void {
    this.#lingeredBytes = this.input.clear();
    this.balance();
    this.shutdown();
    this.expect(this.#bounds.lingerMs);
  }

  /** @param byteLength of what has come since and is dropped */
  lingersTooLong(byteLength: number): boolean {
    this.#lingeredBytes += byteLength;
    return this.#lingeredBytes > this.#bounds.lingerBytesMax;
  }

  /**
   * end: both ways; what the client still sends is answered with a reset, what was written arrives.
   * reset: at once, so that what was cut off never looks complete. gone: the socket is closed.
   */
  close(how: "end" | "reset" | "gone"): void {
    this.#receiveDeadline.close();
    this.#sendDeadline.close();
    this.input.clear();
    this.output.clear();
    if (how === "end") this.#socket.end();
    else if (how === "reset") this.#socket.terminate();
  }
}
