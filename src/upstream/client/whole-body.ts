import type { Body, ByteRange } from "../../http/body.ts";
import type { HeaderList } from "../../http/headers.ts";

/** Payloads up to this many bytes are copied: a copy is cheaper than a view, and keeps no chunk. */
const COPY_BYTES_MAX = 4096;

/** Bytes of a received chunk, as a reader gets them. */
export function cut(chunk: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length === chunk.byteLength) return chunk;
  return length <= COPY_BYTES_MAX ? chunk.slice(start, end) : chunk.subarray(start, end);
}

/** A response body that has come with its head, to its last byte. */
export class WholeBody implements Body, ByteRange {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly trailers: HeaderList | undefined;
  readonly givesBuffer = true;
  #taken: boolean;

  /** @param buffer the body's alone: what is before `start` has been read, and nothing follows */
  constructor(buffer: Uint8Array, start: number, end: number, trailers: HeaderList | undefined) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.trailers = trailers;
    this.#taken = start === end;
  }

  get length(): number {
    return this.end - this.start;
  }

  read(): Uint8Array | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    return cut(this.buffer, this.start, this.end);
  }

  readInPlace(): ByteRange | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    return this;
  }

  cancel(): void {
    this.#taken = true;
  }
}
