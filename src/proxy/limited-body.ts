import { GatewayError } from "../base/errors.ts";
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";

/** A request body of unknown length that is refused as soon as it has become too long. */
export class LimitedBody implements Body {
  readonly length: number | undefined;
  readonly #inner: Body;
  readonly #bytesMax: number;
  /** Bytes that have been read. */
  bytes = 0;

  /** @param bytesMax limits.request_body of the configuration */
  constructor(inner: Body, bytesMax: number) {
    if (inner.length !== undefined && inner.length > bytesMax)
      throw tooLarge(inner.length, bytesMax);
    this.#inner = inner;
    this.length = inner.length;
    this.#bytesMax = bytesMax;
  }

  get trailers(): HeaderList | undefined {
    return this.#inner.trailers;
  }

  get givesBuffer(): boolean {
    return this.#inner.givesBuffer === true;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const chunk = this.#inner.read();
    return chunk instanceof Promise
      ? chunk.then((settled) => this.#count(settled))
      : this.#count(chunk);
  }

  cancel(reason: unknown): void {
    this.#inner.cancel(reason);
  }

  #count(chunk: Uint8Array | undefined): Uint8Array | undefined {
    if (chunk === undefined) return undefined;
    this.bytes += chunk.byteLength;
    if (this.bytes <= this.#bytesMax) return chunk;
    this.#inner.cancel("too large");
    throw tooLarge(this.bytes, this.#bytesMax);
  }
}

function tooLarge(bytes: number, bytesMax: number): GatewayError {
  return new GatewayError(
    "REQUEST_BODY_TOO_LARGE",
    `Cannot take a request body of ${bytes} bytes or more: the limit is ${bytesMax} ` +
      "(limits.request_body)",
  );
}
