import { assert } from "../../base/assert.ts";
import { LIMITS } from "../../base/limits.ts";

/** What a full queue holds back. */
export interface FlowSource {
  pause(): void;
  resume(): void;
}

/**
 * Bytes that were received and not read yet, of a response body or of a tunnel.
 *
 *   socket ──push()──▶ │ chunk │ chunk │ ──read()──▶ reader
 *                      above 256 KiB: pause()    below half of it: resume()
 *
 * One chunk may overshoot the limit (Bun reads up to 512 KiB at once).
 */
export class ReceiveQueue {
  /** Of the source while it may send; undefined once it has ended. */
  #source: FlowSource | undefined;
  #chunks: Uint8Array[] = [];
  /** Index of the next chunk in #chunks. */
  #next = 0;
  #bytes = 0;
  #full = false;
  #error: unknown;
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(source: FlowSource) {
    this.#source = source;
  }

  push(chunk: Uint8Array): void {
    assert(this.#source !== undefined, "Cannot push into a queue that has ended");
    if (this.#waiting !== undefined) {
      this.#waiting.resolve(chunk);
      this.#waiting = undefined;
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    const count = this.#chunks.length - this.#next;
    if (this.#bytes > LIMITS.receiveBufferBytes || count > LIMITS.receiveChunksMax) {
      this.#full = true;
      this.#source.pause();
    }
  }

  /** No more will come; what waits can still be read. */
  end(): void {
    this.#source = undefined;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** Breaks the stream: the reader gets what waits, then the error, however often it asks. */
  fail(error: unknown): void {
    this.#source = undefined;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** Drops what waits. */
  clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#bytes = 0;
  }

  /** @throws what fail() was given */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    assert(this.#waiting === undefined, "Cannot read twice at once");
    if (this.#next < this.#chunks.length) return this.#take();
    if (this.#error !== undefined) throw this.#error;
    if (this.#source === undefined) return undefined;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #take(): Uint8Array {
    const chunk = this.#chunks[this.#next++] as Uint8Array;
    this.#bytes -= chunk.byteLength;
    if (this.#next === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#next = 0;
    }
    const count = this.#chunks.length - this.#next;
    const low =
      this.#bytes <= LIMITS.receiveBufferBytes / 2 && count <= LIMITS.receiveChunksMax / 2;
    if (this.#full && low) {
      this.#full = false;
      this.#source?.resume();
    }
    return chunk;
  }
}
