import { LIMITS } from "../../base/limits.ts";
import type { BodyWindow } from "../../filter/filter.ts";
import { concat } from "../../http/body.ts";

const EMPTY = new Uint8Array(0);

/**
 * A body as a guest reads and writes it.
 *
 *   source   ├── read ──┼──────────┤   what the message has brought; every read goes on from there
 *   written  ├── 1 ──┼── 2 ──┤         takes its place when the guest has returned
 */
export class GuestBody {
  #readAt = 0;
  #written: Uint8Array[] | undefined;
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
    if (this.#writtenBytes + bytes.byteLength > LIMITS.guestBytesMax) return false;
    this.#written ??= [];
    if (bytes.byteLength > 0) this.#written.push(new Uint8Array(bytes));
    this.#writtenBytes += bytes.byteLength;
    return true;
  }

  /** All that has been written, once; undefined: nothing has. */
  take(): Uint8Array | undefined {
    const written = this.#written;
    if (written === undefined) return undefined;
    const bytes = concat(written, this.#writtenBytes);
    this.#written = undefined;
    this.#writtenBytes = 0;
    return bytes;
  }
}

/** Bytes that lie still, to be read like a body. */
export function windowOf(bytes: Uint8Array): BodyWindow {
  return {
    length: bytes.byteLength,
    read: (start, lengthMax) => bytes.subarray(start, start + lengthMax),
    splice: () => {},
  };
}
