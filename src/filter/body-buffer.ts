import { freeBuffer } from "../base/free-buffer.ts";
import { concat } from "../http/body.ts";
import type { BodyWindow } from "./filter.ts";

/**
 * The body bytes that one filter holds: appended by the chain, looked at and spliced by the guest.
 */
export class BodyBuffer implements BodyWindow {
  #chunks: Uint8Array[] = [];
  /** Chunks whose buffers are ours when we are done with them. */
  #owned: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer of what take() would hand over holds nothing else. */
  get isOwned(): boolean {
    return this.#chunks.length > 1 || this.#owned.length > 0;
  }

  /** @param isOwned the chunk's buffer is ours when we are done with it and with those before it */
  append(chunk: Uint8Array, isOwned = false): void {
    this.#chunks.push(chunk);
    if (isOwned) this.#owned.push(chunk);
    this.#length += chunk.byteLength;
  }

  read(start: number, lengthMax: number): Uint8Array {
    const bytes = this.#joined();
    const from = Math.min(start, bytes.byteLength);
    return bytes.subarray(from, Math.min(bytes.byteLength, from + lengthMax));
  }

  splice(start: number, length: number, bytes: Uint8Array): void {
    const old = this.#joined();
    const from = Math.min(start, old.byteLength);
    const to = Math.min(old.byteLength, from + length);
    const parts = [old.subarray(0, from), bytes, old.subarray(to)];
    this.#length = from + bytes.byteLength + (old.byteLength - to);
    this.#replace(concat(parts, this.#length));
  }

  /** Hands everything over and is empty afterwards; undefined when there is nothing. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const bytes = this.#joined();
    this.#chunks = [];
    this.#owned = [];
    this.#length = 0;
    return bytes;
  }

  #joined(): Uint8Array {
    if (this.#chunks.length !== 1) this.#replace(concat(this.#chunks, this.#length));
    return this.#chunks[0] as Uint8Array;
  }

  /** @param copy of all that is wanted of the chunks */
  #replace(copy: Uint8Array): void {
    for (const chunk of this.#owned) freeBuffer(chunk);
    this.#chunks = [copy];
    this.#owned = [copy];
  }
}
