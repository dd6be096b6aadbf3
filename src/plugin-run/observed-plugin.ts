import type {
  BodyWindow,
  Direction,
  FilterExchange,
  FilterHost,
  HttpFilter,
  LocalReply,
  Plugin,
  PropertyValue,
} from "../filter/filter.ts";
import type { GatewayError } from "../base/errors.ts";
import type { HeaderList } from "../http/headers.ts";
import type { RunClock } from "./run-clock.ts";

/** A plugin whose exchanges live in the run's time. */
export function inRunTime(plugin: Plugin, clock: RunClock): Plugin {
  return {
    name: plugin.name,
    callbacks: plugin.callbacks,
    failOpen: plugin.failOpen,
    createFilter: (host: FilterHost): HttpFilter | Promise<HttpFilter> =>
      plugin.createFilter(new TimedHost(host, clock)),
    close: () => plugin.close(),
  };
}

class TimedHost implements FilterHost {
  readonly exchange: FilterExchange;
  readonly #inner: FilterHost;

  constructor(inner: FilterHost, clock: RunClock) {
    this.#inner = inner;
    this.exchange = new TimedExchange(inner.exchange, clock);
  }

  body(direction: Direction): BodyWindow | undefined {
    return this.#inner.body(direction);
  }

  setBody(direction: Direction, bytes: Uint8Array, trailers?: HeaderList): void {
    this.#inner.setBody(direction, bytes, trailers);
  }

  resume(direction: Direction): void {
    this.#inner.resume(direction);
  }

  localReply(reply: LocalReply): boolean {
    return this.#inner.localReply(reply);
  }

  reset(): void {
    this.#inner.reset();
  }

  fail(error: GatewayError): void {
    this.#inner.fail(error);
  }
}

/** Times are the run's; all else is the exchange's own. */
class TimedExchange implements FilterExchange {
  readonly #inner: FilterExchange;
  readonly #clock: RunClock;
  readonly #startedNs: bigint;

  constructor(inner: FilterExchange, clock: RunClock) {
    this.#inner = inner;
    this.#clock = clock;
    this.#startedNs = clock.timeNs;
  }

  get request() {
    return this.#inner.request;
  }

  get response() {
    return this.#inner.response;
  }

  get requestTrailers(): HeaderList | undefined {
    return this.#inner.requestTrailers;
  }

  get responseTrailers(): HeaderList | undefined {
    return this.#inner.responseTrailers;
  }

  addTrailers(direction: Direction): HeaderList {
    return this.#inner.addTrailers(direction);
  }

  isHeadMutable(direction: Direction): boolean {
    return this.#inner.isHeadMutable(direction);
  }

  getProperty(path: readonly string[]): PropertyValue | undefined {
    const name = path.join(".");
    if (name === "request.time") return this.#startedNs;
    if (name === "request.duration") return this.#clock.timeNs - this.#startedNs;
    return this.#inner.getProperty(path);
  }

  clearRoute(): void {
    this.#inner.clearRoute();
  }

  setProperty(path: readonly string[], value: string | Uint8Array, readOnly?: boolean): boolean {
    return this.#inner.setProperty(path, value, readOnly);
  }
}
