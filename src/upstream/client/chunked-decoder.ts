import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { readLatin1 } from "../../http/latin1.ts";
import type { BodyDecoder } from "./body-decoder.ts";
import { badResponse, parseFieldLines } from "./syntax.ts";

/**
 * Decoder of the chunked transfer coding, in place.
 *
 *   received  │ 5 CR LF │ hello │ CR LF 6 CR LF │ world! │ CR LF 0 CR LF CR LF │ surplus
 *   decoded             │ hello   world! │
 *
 * Why in place: the payloads of one received buffer are moved together, so a node that sends
 * one-byte chunks costs no object for each of them, and a reader gets one chunk per receive.
 */
const CR = 0x0d;
const LF = 0x0a;

/** Hex digits of a chunk size: 2^52 - 1 is the largest and exact as a number. */
const SIZE_DIGITS_MAX = 13;

type State = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailers" | "end";

export class ChunkedDecoder implements BodyDecoder {
  payloadStart = 0;
  payloadEnd = 0;
  consumed = 0;
  readonly trailers = new HeaderList();

  #state: State = "size";
  #size = 0;
  #sizeDigits = 0;
  #extensionBytes = 0;
  #trailerBytes: number[] = [];

  get done(): boolean {
    return this.#state === "end";
  }

  decode(bytes: Uint8Array, start: number): void {
    let at = start;
    let to = start;
    this.payloadStart = start;
    while (at < bytes.byteLength && this.#state !== "end") {
      if (this.#state !== "data") {
        this.#step(bytes[at] as number);
        at++;
        continue;
      }
      const length = Math.min(this.#size, bytes.byteLength - at);
      if (to === start) {
        // The first payload stays where it is; the others move up to it.
        this.payloadStart = at;
        to = at;
      } else {
        bytes.copyWithin(to, at, at + length);
      }
      to += length;
      at += length;
      this.#size -= length;
      if (this.#size === 0) this.#state = "data-cr";
    }
    this.payloadEnd = Math.max(to, this.payloadStart);
    this.consumed = at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        this.#stepSize(byte);
        return;
      case "extension":
        this.#stepExtension(byte);
        return;
      case "size-lf":
        expect(byte, LF, "a chunk size line");
        this.#state = this.#size === 0 ? "trailers" : "data";
        return;
      case "data-cr":
        expect(byte, CR, "a chunk's data");
        this.#state = "data-lf";
        return;
      case "data-lf":
        expect(byte, LF, "a chunk's data");
        this.#size = 0;
        this.#sizeDigits = 0;
        this.#extensionBytes = 0;
        this.#state = "size";
        return;
      case "trailers":
        this.#stepTrailers(byte);
        return;
      case "data":
      case "end":
    }
  }

  #stepSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#sizeDigits > SIZE_DIGITS_MAX)
        throw badResponse("a chunk size has too many digits");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#sizeDigits === 0) throw badResponse(`a chunk size begins with ${shown(byte)}`);
    if (byte === CR) this.#state = "size-lf";
    else if (byte === 0x3b) this.#state = "extension";
    else throw badResponse(`a chunk size is followed by ${shown(byte)}`);
  }

  #stepExtension(byte: number): void {
    if (byte === CR) {
      this.#state = "size-lf";
      return;
    }
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) {
      throw badResponse(`a chunk extension holds ${shown(byte)}`);
    }
    const bytesMax = LIMITS.chunkExtensionBytesMax;
    if (++this.#extensionBytes > bytesMax) {
      throw badResponse(`a chunk has more than ${bytesMax} bytes of extensions`);
    }
  }

  #stepTrailers(byte: number): void {
    const bytes = this.#trailerBytes;
    const bytesMax = LIMITS.responseTrailerBytesMax;
    if (bytes.length === bytesMax) throw badResponse(`its trailers exceed ${bytesMax} bytes`);
    if (byte === LF && bytes.at(-1) !== CR)
      throw badResponse("a trailer line ends in LF without CR");
    bytes.push(byte);
    if (byte !== LF) return;
    if (bytes.length === 2 || bytes.at(-3) === LF) this.#finish(Uint8Array.from(bytes));
  }

  #finish(section: Uint8Array): void {
    const lines = readLatin1(section, 0, section.byteLength - 2);
    parseFieldLines(lines, 0, this.trailers, LIMITS.responseHeadersMax);
    for (const key of ["content-length", "transfer-encoding", "host"]) {
      if (this.trailers.has(key)) throw badResponse(`its trailers hold "${key}"`);
    }
    this.#trailerBytes = [];
    this.#state = "end";
  }
}

function expect(byte: number, wanted: number, after: string): void {
  if (byte !== wanted) throw badResponse(`${after} is followed by ${shown(byte)} instead of CR LF`);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function shown(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
