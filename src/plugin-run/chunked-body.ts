import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";

/** A body in the pieces that it was given, and trailers behind the last one. */
export class ChunkedBody implements Body {
  readonly length: number | undefined;
  readonly #trailers: HeaderList | undefined;
  #chunks: readonly Uint8Array[];

  /** @param isSized its length is told before the first byte */
  constructor(chunks: readonly Uint8Array[], trailers?: HeaderList, isSized = true) {
    this.#chunks = chunks.filter((chunk) => chunk.byteLength > 0);
    const total = this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.length = isSized && trailers === undefined ? total : undefined;
    this.#trailers = trailers;
  }

  get trailers(): HeaderList | undefined {
    return this.#chunks.length === 0 ? this.#trailers : undefined;
  }

  read(): Uint8Array | undefined {
    const [first, ...rest] = this.#chunks;
    this.#chunks = rest;
    // The reader owns it, and the options may serve for another run.
    return first === undefined ? undefined : new Uint8Array(first);
  }

  cancel(): void {
    this.#chunks = [];
  }
}
