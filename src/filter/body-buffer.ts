import { concat } from "../http/body.ts";
import type { BodyWindow } from "./filter.ts";

/**
 * The body bytes that one filter holds: appended by the chain, looked at and spliced by the guest.
 */
export class BodyBuffer implements BodyWindow {
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
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
    this.#chunks = [concat(parts, this.#length)];
  }

  /** Hands everything over and is empty afterwards; undefined when there is nothing. */
  take(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const bytes = this.#joined();
    this.#chunks = [];
    this.#length = 0;
    return bytes;
  }

  #joined(): Uint8Array {
    if (this.#chunks.length !== 1) this.#chunks = [concat(this.#chunks, this.#length)];
    return this.#chunks[0] as Uint8Array;
  }
}
