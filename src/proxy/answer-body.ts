import { GatewayError, messageOf } from "../base/errors.ts";
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Tunnel } from "../upstream/message.ts";

/** How an exchange ended: "complete", or why it broke off. */
export type Ended = "complete" | { readonly error: unknown };

/** The last body of an exchange, on its way to the client: its end is the exchange's end. */
export class AnswerBody implements Body {
  readonly #inner: Body;
  readonly #onEnd: (ended: Ended) => void;
  /** Bytes handed to the front. */
  bytes = 0;

  /** @param onEnd called once or more, first call counts */
  constructor(inner: Body, onEnd: (ended: Ended) => void) {
    this.#inner = inner;
    this.#onEnd = onEnd;
  }

  get length(): number | undefined {
    return this.#inner.length;
  }

  get trailers(): HeaderList | undefined {
    return this.#inner.trailers;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    try {
      const chunk = this.#inner.read();
      return chunk instanceof Promise ? this.#settle(chunk) : this.#count(chunk);
    } catch (error) {
      this.#onEnd({ error });
      throw error;
    }
  }

  /** Only a front cancels it, and only because its client has gone. */
  cancel(reason: unknown): void {
    this.#inner.cancel(reason);
    this.#onEnd({ error: new GatewayError("CLIENT_GONE", `Client gone: ${messageOf(reason)}`) });
  }

  async #settle(pending: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    try {
      return this.#count(await pending);
    } catch (error) {
      this.#onEnd({ error });
      throw error;
    }
  }

  #count(chunk: Uint8Array | undefined): Uint8Array | undefined {
    if (chunk === undefined) this.#onEnd("complete");
    else this.bytes += chunk.byteLength;
    return chunk;
  }
}

/** An upgraded connection whose close is the exchange's end. */
export class AnswerTunnel implements Tunnel {
  readonly #inner: Tunnel;
  readonly #onEnd: (ended: Ended) => void;

  constructor(inner: Tunnel, onEnd: (ended: Ended) => void) {
    this.#inner = inner;
    this.#onEnd = onEnd;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#inner.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(bytes);
  }

  close(): void {
    this.#inner.close();
    this.#onEnd("complete");
  }
}
