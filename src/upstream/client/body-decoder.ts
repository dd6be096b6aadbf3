import type { HeaderList } from "../../http/headers.ts";

/** Finds the bytes of one response body among those received. */
export interface BodyDecoder {
  /** After decode(): where the body's bytes stand in the buffer that was given. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** After decode(): index of the first byte that is not part of the body's message. */
  readonly consumed: number;
  /** The body is complete. */
  readonly done: boolean;
  /** Complete when `done`; undefined when the coding has none. */
  readonly trailers: HeaderList | undefined;
  /**
   * Decodes the bytes from `start` on; may overwrite the buffer.
   * @throws GatewayError UPSTREAM_BAD_RESPONSE
   */
  decode(bytes: Uint8Array, start: number): void;
}

/** A body of a known length, or (Infinity) one that lasts until the node closes. */
export class LengthDecoder implements BodyDecoder {
  payloadStart = 0;
  payloadEnd = 0;
  readonly trailers = undefined;
  /** Bytes that are still to come. */
  #missingBytes: number;

  constructor(length: number) {
    this.#missingBytes = length;
  }

  get consumed(): number {
    return this.payloadEnd;
  }

  get done(): boolean {
    return this.#missingBytes === 0;
  }

  decode(bytes: Uint8Array, start: number): void {
    const length = Math.min(this.#missingBytes, bytes.byteLength - start);
    this.#missingBytes -= length;
    this.payloadStart = start;
    this.payloadEnd = start + length;
  }
}
