import type { Body } from "../../http/body.ts";
import type { HeaderList } from "../../http/headers.ts";
import { ReceiveQueue, type FlowSource } from "./receive-queue.ts";

/** The exchange that fills a body. */
export interface BodySource extends FlowSource {
  /** A reader waits from now on: the node's time runs. */
  awaited(): void;
  /** The reader wants no more. */
  cancelled(): void;
}

/** A response body that did not arrive together with its head. */
export class ResponseBody implements Body {
  readonly length: number | undefined;
  readonly givesBuffer = true;
  #trailers: HeaderList | undefined;
  readonly #source: BodySource;
  readonly #queue: ReceiveQueue;

  constructor(source: BodySource, length: number | undefined) {
    this.length = length;
    this.#source = source;
    this.#queue = new ReceiveQueue(source);
  }

  get trailers(): HeaderList | undefined {
    return this.#trailers;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const chunk = this.#queue.read();
    if (chunk instanceof Promise) this.#source.awaited();
    return chunk;
  }

  cancel(): void {
    this.#queue.clear();
    this.#queue.end();
    this.#source.cancelled();
  }

  /** @internal for the exchange, as are the following. @param chunk alone in its buffer */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  finish(trailers: HeaderList | undefined): void {
    this.#trailers = trailers;
    this.#queue.end();
  }

  /** The node broke off: what came before can still be read, so that a client gets it too. */
  truncate(error: unknown): void {
    this.#queue.fail(error);
  }

  /** The gateway gives up: nothing more is read. */
  abort(error: unknown): void {
    this.#queue.clear();
    this.#queue.fail(error);
  }
}
