import { GatewayError, messageOf } from "../../base/errors.ts";
import type { Body } from "../../http/body.ts";

/**
 * The part of a stream's reader that is used; its type differs between the DOM's, Node's and Bun's.
 */
interface Reader {
  read(): Promise<Chunk>;
  cancel(reason?: unknown): Promise<void>;
}

type Chunk = { value?: Uint8Array | undefined; done: boolean };

/**
 * A request body that Bun.serve hands over as a ReadableStream; request trailers are refused by it.
 */
export class StreamBody implements Body {
  readonly length: number | undefined;
  readonly trailers = undefined;
  readonly #reader: Reader;
  #ended = false;

  /** @param length value of Content-Length, undefined for a chunked body */
  constructor(stream: ReadableStream<Uint8Array>, length: number | undefined) {
    this.#reader = stream.getReader();
    this.length = length;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      const { value, done } = await this.#next();
      if (done) this.#ended = true;
      else if (value !== undefined && value.byteLength > 0) return value;
    }
    return undefined;
  }

  cancel(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    // The client may have gone meanwhile; nobody waits for the answer.
    this.#reader.cancel(reason).catch(() => {});
  }

  async #next(): Promise<Chunk> {
    try {
      return await this.#reader.read();
    } catch (error) {
      this.#ended = true;
      throw new GatewayError("CLIENT_GONE", `Cannot read the request body: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
