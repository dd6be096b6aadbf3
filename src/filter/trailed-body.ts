import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";

/** A body with trailers that its source did not bring: a filter has added them. */
export class TrailedBody implements Body {
  readonly trailers: HeaderList;
  readonly #source: Body;

  constructor(source: Body, trailers: HeaderList) {
    this.#source = source;
    this.trailers = trailers;
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get givesBuffer(): boolean {
    return this.#source.givesBuffer === true;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.#source.read();
  }

  cancel(reason: unknown): void {
    this.#source.cancel(reason);
  }
}
