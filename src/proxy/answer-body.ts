import { GatewayError, messageOf } from "../base/errors.ts";
import type { Body, ByteRange } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Tunnel } from "../upstream/message.ts";

/** How an exchange ended: "complete", or why it broke off. */
export type Ended = "complete" | { readonly error: unknown };

/** Whose answer it is. */
export interface AnswerOwner {
  /** Called once or more; the first call counts. */
  finish(ended: Ended): void;
}

/** The last body of an exchange, on its way to the client: its end is the exchange's end. */
export class AnswerBody implements Body {
  readonly #inner: Body;
  readonly #owner: AnswerOwner;
  /** Bytes handed to the front. */
  bytes = 0;

  constructor(inner: Body, owner: AnswerOwner) {
    this.#inner = inner;
    this.#owner = owner;
  }

  get length(): number | undefined {
    return this.#inner.length;
  }

  get trailers(): HeaderList | undefined {
    return this.#inner.trailers;
  }

  get givesBuffer(): boolean {
    return this.#inner.givesBuffer === true;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    try {
      const chunk = this.#inner.read();
      return chunk instanceof Promise ? this.#settle(chunk) : this.#count(chunk);
    } catch (error) {
      this.#owner.finish({ error });
      throw error;
    }
  }

  readInPlace(): ByteRange | undefined {
    const range = this.#inner.readInPlace?.();
    if (range !== undefined) this.bytes += range.end - range.start;
    return range;
  }

  /** Only a front cancels it, and only because its client has gone. */
  cancel(reason: unknown): void {
    this.#inner.cancel(reason);
    this.#owner.finish({
      error: new GatewayError("CLIENT_GONE", `Client gone: ${messageOf(reason)}`),
    });
  }

  async #settle(pending: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    try {
      return this.#count(await pending);
    } catch (error) {
      this.#owner.finish({ error });
      throw error;
    }
  }

  #count(chunk: Uint8Array | undefined): Uint8Array | undefined {
    if (chunk === undefined) this.#owner.finish("complete");
    else this.bytes += chunk.byteLength;
    return chunk;
  }
}

/** An upgraded connection whose close is the exchange's end. */
export class AnswerTunnel implements Tunnel {
  readonly #inner: Tunnel;
  readonly #owner: AnswerOwner;

  constructor(inner: Tunnel, owner: AnswerOwner) {
    this.#inner = inner;
    this.#owner = owner;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#inner.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(bytes);
  }

  close(): void {
    this.#inner.close();
    this.#owner.finish("complete");
  }
}
