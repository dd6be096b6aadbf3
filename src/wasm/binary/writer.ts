import { encodeU32, U32_BYTES_MAX } from "./leb128.ts";

/** A section: id, size, body. */
export function encodeSection(id: number, body: Uint8Array): Uint8Array {
  return joinBytes([Uint8Array.of(id), encodeU32(body.byteLength), body]);
}

/** A UTF-8 name with its length before it. */
export function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  return joinBytes([encodeU32(bytes.byteLength), bytes]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

/** Bytes that are written one after the other, in an array that grows. */
export class ByteWriter {
  /** Bytes written; where the next one goes. */
  length = 0;
  #bytes: Uint8Array<ArrayBuffer>;

  /** @param capacity bytes; enough for all of them saves copying */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** An unsigned LEB128. */
  u32(value: number): void {
    this.#reserve(U32_BYTES_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.length++] = rest;
  }

  /** A signed LEB128 of a number that is not negative. */
  positive(value: number): void {
    this.#reserve(U32_BYTES_MAX);
    let rest = value;
    while (rest >= 0x40) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.length++] = rest;
  }

  /** The bytes of `from` between two places. */
  copy(from: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count);
    // Below some dozen bytes a loop costs less than making a view for set().
    if (count > 48) this.#bytes.set(from.subarray(start, end), this.length);
    else for (let n = 0; n < count; n++) this.#bytes[this.length + n] = from[start + n] as number;
    this.length += count;
  }

  /** Puts the length of what was written since `start` before it, as a u32. */
  prefixLength(start: number): void {
    const length = this.length - start;
    const prefix = encodeU32(length);
    this.#reserve(prefix.byteLength);
    this.#bytes.copyWithin(start + prefix.byteLength, start, this.length);
    this.#bytes.set(prefix, start);
    this.length += prefix.byteLength;
  }

  /** What has been written, a view. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}
