import { LIMITS } from "../base/limits.ts";
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";

type Chunk = Uint8Array | undefined;

/**
 * A request body that can be sent again as long as it is short.
 *
 *   source │ chunk │ chunk │ … ──read()──▶ sender
 *              └── kept, up to 64 KiB; rewind() begins with them again
 *
 * Only for idempotent methods, so that most bodies are not kept at all.
 */
export class ResendableBody implements Body {
  readonly length: number | undefined;
  readonly #source: Body;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Index in #kept of the chunk to read next. */
  #next = 0;
  /** More was read than is kept. */
  #lost = false;
  #reading = false;

  constructor(source: Body) {
    this.length = source.length;
    this.#source = source;
  }

  get trailers(): HeaderList | undefined {
    return this.#source.trailers;
  }

  /** What is kept is not the reader's alone. */
  get givesBuffer(): boolean {
    return this.#lost && this.#source.givesBuffer === true;
  }

  read(): Chunk | Promise<Chunk> {
    if (this.#next < this.#kept.length) return this.#kept[this.#next++];
    const chunk = this.#source.read();
    if (this.#lost) return chunk;
    return chunk instanceof Promise ? this.#readLater(chunk) : this.#keep(chunk);
  }

  cancel(reason: unknown): void {
    this.#source.cancel(reason);
  }

  /** @returns false when the body cannot be read from its beginning again */
  rewind(): boolean {
    if (this.#lost || this.#reading) return false;
    this.#next = 0;
    return true;
  }

  async #readLater(pending: Promise<Chunk>): Promise<Chunk> {
    this.#reading = true;
    const chunk = await pending;
    this.#reading = false;
    return this.#keep(chunk);
  }

  #keep(chunk: Chunk): Chunk {
    if (chunk === undefined || this.#lost) return chunk;
    this.#keptBytes += chunk.byteLength;
    this.#lost = this.#keptBytes > LIMITS.resendBodyBytesMax;
    if (this.#lost) this.#kept.length = 0;
    else this.#kept.push(chunk);
    this.#next = this.#kept.length;
    return chunk;
  }
}
