import type { HeaderList } from "./headers.ts";

/**
 * A stream of body bytes, pulled by its reader: a reader that does not pull holds the sender back.
 *
 *   source (socket, filter, memory) ──read()──▶ filter ──read()──▶ sink (socket)
 *
 * Why pull and not push: back-pressure, order and errors need no protocol of their own. `read()`
 * may answer without a promise when bytes are there already, which is most of the time.
 */
export interface Body {
  /** Total length in bytes when it is known before the first byte, else undefined. */
  readonly length: number | undefined;

  /** Trailer lines; complete once read() has answered undefined. */
  readonly trailers: HeaderList | undefined;

  /**
   * The buffer of the chunk that was handed out last is the reader's as a whole: a head can be
   * written in front of the chunk, and it can be freed once the reader is done with this chunk and
   * with those before it, which may lie in the same one. Left out, or false: there may be other
   * views of it.
   */
  readonly givesBuffer?: boolean;

  /**
   * The next chunk (never empty), or undefined at the end and ever after. The reader owns the
   * chunk. One read at a time.
   * @throws GatewayError (or rejects with one) when the stream breaks
   */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>;

  /**
   * In the place of the first read(), for a body that lies in one buffer: where it lies there. All
   * of the buffer is the reader's: a head can be written in front of it. Left out, or undefined:
   * read() has it.
   */
  readInPlace?(): ByteRange | undefined;

  /** The reader wants no more; idempotent, also after the end. Pending reads answer undefined. */
  cancel(reason: unknown): void;
}

/** Bytes of a buffer, from `start` to before `end`. */
export interface ByteRange {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A body whose bytes are all there. */
export class MemoryBody implements Body {
  readonly length: number;
  readonly trailers: HeaderList | undefined;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array, trailers?: HeaderList) {
    this.length = bytes.byteLength;
    this.trailers = trailers;
    this.#bytes = bytes.byteLength > 0 ? bytes : undefined;
  }

  read(): Uint8Array | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }

  cancel(): void {
    this.#bytes = undefined;
  }
}

/**
 * Reads a body to its end.
 * @param bytesMax more than this cancels the body and answers undefined
 * @param mayKeep asked for each piece; its no does the same
 */
export async function collect(
  body: Body,
  bytesMax: number,
  mayKeep: (bytes: number) => boolean = () => true,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = await body.read();
    if (chunk === undefined) break;
    total += chunk.byteLength;
    if (total > bytesMax || !mayKeep(chunk.byteLength)) {
      body.cancel(`more than ${bytesMax} bytes, or than there is room for`);
      return undefined;
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : concat(chunks, total);
}

/** @param total sum of the chunks' lengths in bytes */
export function concat(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const joined = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}
