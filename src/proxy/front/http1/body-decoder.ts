import { GatewayError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { concat } from "../../../http/body.ts";
import { ROLE } from "../../../http/header-name.ts";
import { HeaderList } from "../../../http/headers.ts";
import type { Http1Bounds } from "./bounds.ts";
import { appendHeaderLine } from "./header-line.ts";
import type { Input } from "./input.ts";
import type { BodyFraming } from "./request-head.ts";

/** Finds the bytes of one body in an Input, and never takes one that lies behind it. */
export interface BodyDecoder {
  /** Nothing of the body is left in the input. */
  readonly done: boolean;
  /** bytes that are certain to follow; a chunked body may have more. */
  readonly left: number;
  readonly trailers: HeaderList | undefined;
  /** @see Body.givesBuffer */
  readonly givesBuffer: boolean;
  /**
   * The next bytes; undefined at the end, or when they have not arrived.
   * @throws GatewayError REQUEST_MALFORMED, REQUEST_HEADERS_TOO_LARGE (trailers)
   */
  next(input: Input): Uint8Array | undefined;
}

export function decoderFor(framing: Exclude<BodyFraming, 0>, bounds: Http1Bounds): BodyDecoder {
  return framing === "chunked" ? new ChunkedDecoder(bounds) : new LengthDecoder(framing);
}

class LengthDecoder implements BodyDecoder {
  left: number;
  readonly trailers = undefined;
  givesBuffer = false;

  constructor(length: number) {
    this.left = length;
  }

  get done(): boolean {
    return this.left === 0;
  }

  next(input: Input): Uint8Array | undefined {
    if (this.left === 0) return undefined;
    const bytes = input.take(this.left);
    this.left -= bytes?.length ?? 0;
    this.givesBuffer = input.tookLast;
    return bytes;
  }
}

/** Pieces below this are joined, so that a body of one-byte chunks is not one call a byte. */
const SMALL_BYTES = 1024;
const JOINED_BYTES_MAX = 16 * 1024;

/**
 *   size ─▶ data ─▶ data-end ─▶ size … ─▶ size 0 ─▶ trailers ─▶ done
 *
 * @see RFC 9112 section 7.1
 */
class ChunkedDecoder implements BodyDecoder {
  readonly #bounds: Http1Bounds;
  #state: "size" | "data" | "data-end" | "trailers" | "done" = "size";
  left = 0;
  givesBuffer = false;
  #extensionBytes = 0;
  #trailers: HeaderList | undefined;
  #trailerBytes = 0;

  constructor(bounds: Http1Bounds) {
    this.#bounds = bounds;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  get trailers(): HeaderList | undefined {
    return this.#trailers;
  }

  next(input: Input): Uint8Array | undefined {
    const first = this.#piece(input);
    this.givesBuffer = input.tookLast;
    if (first === undefined || first.length >= SMALL_BYTES || input.length === 0) return first;
    const pieces = [first];
    let total = first.length;
    while (total < JOINED_BYTES_MAX) {
      const piece = this.#piece(input);
      if (piece === undefined) break;
      pieces.push(piece);
      total += piece.length;
    }
    return pieces.length === 1 ? first : concat(pieces, total);
  }

  #piece(input: Input): Uint8Array | undefined {
    for (;;) {
      switch (this.#state) {
        case "size": {
          if (!input.nextLine(LIMITS.requestChunkLineBytesMax)) return undefined;
          this.left = this.#parseSize(input.line);
          this.#state = this.left === 0 ? "trailers" : "data";
          break;
        }
        case "data": {
          const bytes = input.take(this.left);
          if (bytes === undefined) return undefined;
          this.left -= bytes.length;
          if (this.left === 0) this.#state = "data-end";
          return bytes;
        }
        case "data-end": {
          if (!input.nextLine(0)) return undefined;
          if (input.lineLength > 0) throw malformed("a chunk that is longer than its size");
          this.#state = "size";
          break;
        }
        case "trailers":
          if (!this.#trailer(input)) return undefined;
          break;
        case "done":
          return undefined;
      }
    }
  }

  #parseSize(line: string): number {
    const found = line.length > LIMITS.requestChunkLineBytesMax ? null : CHUNK_SIZE.exec(line);
    const digits = found?.[1] ?? "";
    const size = Number.parseInt(digits, 16);
    if (!Number.isSafeInteger(size)) {
      throw malformed(`chunk size ${JSON.stringify(line.slice(0, 40))}`);
    }
    this.#extensionBytes += line.length - digits.length;
    if (this.#extensionBytes > LIMITS.requestChunkExtensionBytesMax) {
      throw malformed(
        `more than ${LIMITS.requestChunkExtensionBytesMax} bytes of chunk extensions`,
      );
    }
    return size;
  }

  /** @returns false when the line has not arrived */
  #trailer(input: Input): boolean {
    const { requestHeaderBytesMax, requestHeadersMax } = this.#bounds;
    const left = requestHeaderBytesMax - this.#trailerBytes;
    if (!input.nextLine(Math.max(left, 0))) return false;
    if (input.lineLength === 0) {
      this.#state = "done";
      return true;
    }
    const trailers = (this.#trailers ??= new HeaderList());
    if (input.lineLength > left || trailers.size === requestHeadersMax) {
      throw new GatewayError(
        "REQUEST_HEADERS_TOO_LARGE",
        `Cannot take trailers over ${requestHeaderBytesMax} bytes or ${requestHeadersMax} lines`,
      );
    }
    this.#trailerBytes += input.lineLength + CRLF_BYTES;
    if ((appendHeaderLine(input, trailers) & OF_THE_HEAD) !== 0) {
      throw malformed(`trailer ${trailers.nameAt(trailers.size - 1)}: it belongs into the head`);
    }
    return true;
  }
}

const CRLF_BYTES = 2;
/** What frames a message, routes it or manages its connection. */
const OF_THE_HEAD =
  ROLE.host |
  ROLE.contentLength |
  ROLE.transferEncoding |
  ROLE.connection |
  ROLE.expect |
  ROLE.te |
  ROLE.upgrade;

/** Up to 16 digits, then extensions, which nobody reads; RFC 9112 lets blanks precede a ";". */
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\u0020-\u007e\u0080-\u00ff]*)?$/;

function malformed(what: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot decode ${what}`);
}
