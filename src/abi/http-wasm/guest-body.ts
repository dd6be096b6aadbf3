import { LIMITS } from "../../base/limits.ts";
import type { BodyWindow } from "../../filter/filter.ts";

const EMPTY = new Uint8Array(0);

/**
 * A body as a guest reads and writes it.
 *
 *   source   ├── read ──┼──────────┤   what the message has brought; every read goes on from there
 *   written  ├── 1 ──┼── 2 ──┤         takes its place when the guest has returned
 *
 * What is written stands in one buffer: a guest may write a million bytes one by one, and a chunk
 * for each would take a hundred times their memory.
 */
export class GuestBody {
  #readAt = 0;
  /** undefined: nothing has been written; may be longer than #writtenBytes. */
  #written: Uint8Array | undefined;
  #writtenBytes = 0;

  /** The next bytes of `source`, at most `lengthMax`. @param source undefined: it has none */
  read(source: BodyWindow | undefined, lengthMax: number): { bytes: Uint8Array; eof: boolean } {
    if (source === undefined) return { bytes: EMPTY, eof: true };
    const bytes = source.read(this.#readAt, lengthMax);
    this.#readAt += bytes.byteLength;
    return { bytes, eof: this.#readAt >= source.length };
  }

  /** The next read begins at the start. */
  rewind(): void {
    this.#readAt = 0;
  }

  /** @returns false above LIMITS.guestBytesMax; nothing has been written then */
  write(bytes: Uint8Array): boolean {
    const end = this.#writtenBytes + bytes.byteLength;
    if (end > LIMITS.guestBytesMax) return false;
    const written = grown(this.#written ?? EMPTY, this.#writtenBytes, end);
    written.set(bytes, this.#writtenBytes);
    this.#written = written;
    this.#writtenBytes = end;
    return true;
  }

  /** All that has been written, once; undefined: nothing has. */
  take(): Uint8Array | undefined {
    const written = this.#written;
    if (written === undefined) return undefined;
    const bytes = written.subarray(0, this.#writtenBytes);
    this.#written = undefined;
    this.#writtenBytes = 0;
    return bytes;
  }
}

/** As it is when `end` fits; else a larger one, twice as large from the second time on. */
function grown(buffer: Uint8Array, used: number, end: number): Uint8Array {
  if (end <= buffer.byteLength) return buffer;
  const twice = Math.min(2 * buffer.byteLength, LIMITS.guestBytesMax);
  const larger = new Uint8Array(Math.max(end, twice));
  larger.set(buffer.subarray(0, used));
  return larger;
}

/** Bytes that lie still, to be read like a body. */
export function windowOf(bytes: Uint8Array): BodyWindow {
  return {
    length: bytes.byteLength,
    read: (start, lengthMax) => bytes.subarray(start, start + lengthMax),
    splice: () => {},
  };
}
