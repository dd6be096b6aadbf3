import type { Body } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { FilterChain } from "./chain.ts";
import {
  type Action,
  CALLBACK,
  type Direction,
  type FilterExchange,
  type FilterHost,
  type HttpFilter,
  type Plugin,
  type RequestHead,
  type ResponseHead,
} from "./filter.ts";

/** A filter written as an object of callbacks, for tests of the proxy and the chain. */
export type FilterCallbacks = Partial<{
  onRequestHeaders(host: FilterHost, endOfStream: boolean): Action;
  onRequestBody(host: FilterHost, byteLength: number, endOfStream: boolean): Action;
  onRequestTrailers(host: FilterHost): Action;
  onResponseHeaders(host: FilterHost, endOfStream: boolean): Action;
  onResponseBody(host: FilterHost, byteLength: number, endOfStream: boolean): Action;
  onResponseTrailers(host: FilterHost): Action;
  onEnd(host: FilterHost): void;
}>;

/** A plugin whose filters are these callbacks; it wants those that are given. */
export function pluginOf(
  name: string,
  callbacks: FilterCallbacks,
  options: { failOpen?: boolean } = {},
): Plugin {
  let wanted = 0;
  if (callbacks.onRequestHeaders) wanted |= CALLBACK.requestHeaders;
  if (callbacks.onRequestBody) wanted |= CALLBACK.requestBody;
  if (callbacks.onRequestTrailers) wanted |= CALLBACK.requestTrailers;
  if (callbacks.onResponseHeaders) wanted |= CALLBACK.responseHeaders;
  if (callbacks.onResponseBody) wanted |= CALLBACK.responseBody;
  if (callbacks.onResponseTrailers) wanted |= CALLBACK.responseTrailers;
  return {
    name,
    callbacks: wanted,
    failOpen: options.failOpen ?? false,
    createFilter: (host) => filterOf(callbacks, host),
    close: () => {},
  };
}

function filterOf(callbacks: FilterCallbacks, host: FilterHost): HttpFilter {
  return {
    onRequestHeaders: (end) => callbacks.onRequestHeaders?.(host, end) ?? "continue",
    onRequestBody: (length, end) => callbacks.onRequestBody?.(host, length, end) ?? "continue",
    onRequestTrailers: () => callbacks.onRequestTrailers?.(host) ?? "continue",
    onResponseHeaders: (end) => callbacks.onResponseHeaders?.(host, end) ?? "continue",
    onResponseBody: (length, end) => callbacks.onResponseBody?.(host, length, end) ?? "continue",
    onResponseTrailers: () => callbacks.onResponseTrailers?.(host) ?? "continue",
    onEnd: () => callbacks.onEnd?.(host),
  };
}

/** The least that a chain needs of an exchange. */
export class FakeExchange implements FilterExchange {
  readonly request: RequestHead = {
    method: "GET",
    scheme: "http",
    authority: "example.com",
    target: "/",
    headers: new HeaderList(),
  };
  response: ResponseHead | undefined;
  readonly requestTrailers = undefined;
  readonly responseTrailers = undefined;

  isHeadMutable(): boolean {
    return true;
  }

  getProperty(): undefined {
    return undefined;
  }

  setProperty(): boolean {
    return true;
  }

  clearRoute(): void {}

  /** Whose trailers they are, for tests that add some. */
  chain: Pick<FilterChain, "addTrailers"> | undefined;

  addTrailers(direction: Direction): HeaderList {
    return this.chain?.addTrailers(direction) ?? new HeaderList();
  }
}

/** The filter of a plugin for which no exchange has to wait. */
export function startFilter(plugin: Plugin, host: FilterHost): HttpFilter {
  const filter = plugin.createFilter(host);
  if (filter instanceof Promise) throw new Error(`Plugin ${plugin.name} has its exchanges wait`);
  return filter;
}

/** A body whose chunks the test hands over one by one. */
export class ManualBody implements Body {
  readonly length = undefined;
  trailers: HeaderList | undefined;
  cancelled: unknown;
  readonly #ready: (Uint8Array | undefined)[] = [];
  #waiting: ((chunk: Uint8Array | undefined) => void) | undefined;

  push(chunk: string | undefined): void {
    const next = chunk === undefined ? undefined : new TextEncoder().encode(chunk);
    if (this.#waiting === undefined) this.#ready.push(next);
    else this.#waiting(next);
    this.#waiting = undefined;
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#ready.length > 0) return Promise.resolve(this.#ready.shift());
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  cancel(reason: unknown): void {
    this.cancelled = reason;
  }
}
