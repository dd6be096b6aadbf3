import type { GatewayError } from "../base/errors.ts";
import type { HeaderList } from "../http/headers.ts";
import type { GuestTrace } from "./guest-trace.ts";

/**
 * The seam between the proxy and plugins: the proxy drives an HttpFilter and knows no Wasm, an ABI
 * implements one and knows no sockets.
 *
 *   generation ──owns──▶ Plugin ──createFilter(host)──▶ HttpFilter      one per exchange
 *   proxy      ──owns──▶ FilterHost                                     one per filter and exchange
 *
 * Rules for both sides:
 * - Callbacks are synchronous and come in the order of an exchange's life; none comes after
 * onEnd().
 * - A filter is never called from inside one of its own calls to the host: resume(), localReply()
 *   and reset() only note what is wanted, the chain acts when the callback has returned.
 * - A callback that throws has failed. The chain applies the plugin's policy: `closed` answers 503,
 *   `open` goes on without this filter. Neither side calls a failed filter again, onEnd() included.
 */
export interface HttpFilter {
  /** @param endOfStream no body and no trailers follow */
  onRequestHeaders(endOfStream: boolean): Action;
  /** @param byteLength bytes in FilterHost.body("request"): held back so far and the new chunk */
  onRequestBody(byteLength: number, endOfStream: boolean): Action;
  onRequestTrailers(): Action;
  onResponseHeaders(endOfStream: boolean): Action;
  onResponseBody(byteLength: number, endOfStream: boolean): Action;
  onResponseTrailers(): Action;
  /** The exchange is over (last byte sent, or given up): write logs, free the context. */
  onEnd(): void;
}

/**
 * continue      go on with the next filter
 * pause         on headers: nothing follows until resume(); on a body: the bytes are kept, the next
 *               callback sees them together with the new ones, and resume() or a later continue
 *               lets go
 * pause-stream  on headers: they wait, and this filter gets the body meanwhile; its first continue
 *               on the body or the trailers, or resume(), lets go of headers and body. A message
 *               without a body, and a filter without callbacks for it, wait for resume(). On a body
 *               it is a pause
 */
export type Action = "continue" | "pause" | "pause-stream";

export type Direction = "request" | "response";

/** Bits of Plugin.callbacks. */
export const CALLBACK = {
  requestHeaders: 1,
  requestBody: 2,
  requestTrailers: 4,
  responseHeaders: 8,
  responseBody: 16,
  responseTrailers: 32,
} as const;

/** One configured plugin of a generation on one worker. */
export interface Plugin {
  readonly name: string;
  /** Which CALLBACKs its filters want; the others are never called and cost nothing. */
  readonly callbacks: number;
  /** What a failed filter means: true skips it, false answers 503. */
  readonly failOpen: boolean;
  /**
   * @returns a promise when the exchange has to wait for its turn
   * @throws when there can be no filter, as does the promise; counts as a failed filter
   */
  createFilter(host: FilterHost): HttpFilter | Promise<HttpFilter>;
  /** How it does; undefined when it has no guests. */
  readonly status?: PluginStatus;
  /** The generation is gone: stop timers, cancel call-outs, free the guest. Idempotent. */
  close(): void;
}

/** For operators: how the guests of a plugin do on one worker. Plain data. */
export interface PluginStatus {
  readonly name: string;
  readonly breaker: "closed" | "open" | "half-open";
  /** How often it has opened. */
  readonly breakerOpened: number;
  /** Failures by kind: trap, deadline, fuel, … */
  readonly failures: Readonly<Record<string, number>>;
  /** Guests that were replaced because their memory had grown. */
  readonly recycled: number;
  /** Of a pool: sandboxes that serve, that are ready, and exchanges that wait for one. */
  readonly sandboxes:
    | { readonly busy: number; readonly idle: number; readonly waiting: number }
    | undefined;
  /** What the guests count themselves, in the order of definition. */
  readonly metrics: readonly PluginMetric[];
}

/** A metric that a plugin has defined; name and type together name it. */
export interface PluginMetric {
  /** As the guest wrote it: any text. */
  readonly name: string;
  readonly type: PluginMetricType;
  /** Counter: total. Gauge: current, may be negative. Histogram: sum of what was recorded. */
  readonly value: bigint;
  /** Histogram: how many values were recorded; else 0. */
  readonly count: number;
}

export type PluginMetricType = "counter" | "gauge" | "histogram";

/** What a filter sees of its exchange and may ask for. */
export interface FilterHost {
  readonly exchange: FilterExchange;
  /**
   * Bytes that this filter holds in that direction; undefined outside its body callbacks and
   * pauses.
   */
  body(direction: Direction): BodyWindow | undefined;
  /**
   * From inside this filter's headers callback: gives the message this body in place of its own,
   * for the filters that follow. What the message brought is not read, and its trailers are gone.
   * In body callbacks there is BodyWindow.splice().
   * @param trailers that go behind it; looked at when the callback has returned
   */
  setBody(direction: Direction, bytes: Uint8Array, trailers?: HeaderList): void;
  /** Ends this filter's pause; without a pause nothing happens. */
  resume(direction: Direction): void;
  /** Answers in the upstream's place. The first reply wins; false when there was one already, or
   * when
   * the response has been sent. */
  localReply(reply: LocalReply): boolean;
  /** Breaks the exchange off: the client's stream is reset. */
  reset(): void;
  /**
   * The filter has failed outside its callbacks (its guest was stopped by another exchange's call):
   * a pause ends, and the plugin's policy applies. It is not called again, onEnd() included.
   */
  fail(error: GatewayError): void;
}

/** The part of an exchange that all its filters share. */
export interface FilterExchange {
  readonly request: RequestHead;
  /** undefined until the upstream, or a local reply, has answered. */
  readonly response: ResponseHead | undefined;
  readonly requestTrailers: HeaderList | undefined;
  readonly responseTrailers: HeaderList | undefined;
  /**
   * The trailers of the message, made when it has none; for the callback that brings its end, and
   * for a message that has a body.
   */
  addTrailers(direction: Direction): HeaderList;
  /** False once the head has left: a change would reach nobody. */
  isHeadMutable(direction: Direction): boolean;
  /** @param path segments, for example ["request", "headers", "accept"] */
  getProperty(path: readonly string[]): PropertyValue | undefined;
  /**
   * The request's head has changed, or the filter says so: a route is chosen again when the filters
   * of the present one have seen the head. What matches no route any more keeps its own.
   */
  clearRoute(): void;
  /**
   * Kept for the exchange, readable by every later filter under the same path.
   * @param readOnly it keeps this value
   * @returns false when it keeps an earlier one
   */
  setProperty(path: readonly string[], value: string | Uint8Array, readOnly?: boolean): boolean;
}

/**
 * A property before an ABI encodes it: strings are latin-1, bigint a 64-bit integer (times and
 * durations in ns), number a double.
 */
export type PropertyValue = string | bigint | number | boolean | Uint8Array | HeaderList;

/** `headers` never holds Host: that is `authority`. Filters may change every field. */
export interface RequestHead {
  method: string;
  /** "http" or "https": how the client came in. */
  scheme: string;
  authority: string;
  /** Path and query as they are forwarded, starting with "/" (or "*" for OPTIONS). */
  target: string;
  readonly headers: HeaderList;
}

export interface ResponseHead {
  /** 200 to 599. */
  status: number;
  readonly headers: HeaderList;
}

/** Body bytes that a filter may look at and splice while it holds them. */
export interface BodyWindow {
  /** bytes */
  readonly length: number;
  /** Borrowed bytes from `start`, at most `lengthMax`; shorter, or empty, past the end. */
  read(start: number, lengthMax: number): Uint8Array;
  /** Replaces `length` bytes at `start` (both clamped to the window) with a copy of `bytes`. */
  splice(start: number, length: number, bytes: Uint8Array): void;
}

export interface LocalReply {
  status: number;
  headers: HeaderList;
  body: Uint8Array;
  trailers?: HeaderList | undefined;
  /** For the access log and `response.code_details`; never sent. */
  details: string;
}

/** proxy_log levels, in their numeric order. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "critical";
export const LOG_LEVELS: readonly LogLevel[] = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
  "critical",
];

/** What the gateway lends to one configured plugin, outside any exchange. */
export interface PluginHost {
  readonly name: string;
  /** Bytes that `proxy_on_configure` reads. */
  readonly configuration: Uint8Array;
  readonly vmConfiguration: Uint8Array;
  readonly rootId: string;
  /** Names the VM in the scope of shared data. */
  readonly vmId: string;
  /** Environment that the YAML grants; never the process's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly failOpen: boolean;
  /** Whether ticks are due here and now: under `tick: leader` on one worker only. */
  readonly mayTick: boolean;
  readonly logLevel: LogLevel;
  log(level: LogLevel, message: string): void;
  /**
   * Sends an HTTP request to an upstream, or to an address. `done` is called once, later, never
   * from inside this call, and not after cancel().
   */
  callOut(
    request: CallOutRequest,
    done: (outcome: CallOutOutcome) => void,
  ): CallOut | CallOutRefusal;
  /**
   * Begins a gRPC call or stream to an upstream, or to an address. Its events come later, never
   * from inside this call, and not after cancel().
   */
  grpc(request: GrpcRequest, events: GrpcEvents): GrpcStream | CallOutRefusal;
  /** Whether it may find queues of that VM id by their names. */
  mayFindQueues(vmId: string): boolean;
  /**
   * A property of the gateway, not of an exchange.
   * @param name segments joined by "."
   * @returns undefined when the gateway has none of that name
   */
  gatewayProperty(name: string): PropertyValue | typeof DENIED | undefined;
  /** For the log: what was denied, and the words of YAML that would grant it. */
  explainDenied(use: DeniedUse, name: string): string;
  /** Looks on at everything that its guests do; a gateway has none. */
  readonly trace?: GuestTrace;
}

/** In place of a value that is not granted; no value can be taken for it. */
export const DENIED: unique symbol = Symbol("denied");

/** What YAML grants by name, called as there: `allow.http_call`, and so on. */
export type DeniedUse = "http_call" | "queues" | "properties";

export interface CallOutRequest {
  /** Id of a configured upstream, or host:port. */
  upstream: string;
  method: string;
  authority: string;
  target: string;
  headers: HeaderList;
  body: Uint8Array;
  trailers: HeaderList;
  /** ms; 0 stands for the gateway's own bound. */
  timeoutMs: number;
}

/** The answer, or why there is none. */
export type CallOutOutcome =
  | { status: number; headers: HeaderList; body: Uint8Array; trailers: HeaderList | undefined }
  | { error: string };

export interface CallOut {
  cancel(): void;
}

/** unknown: no such upstream; denied: `allow.http_call` does not name it; overloaded: too many. */
export type CallOutRefusal = "unknown" | "denied" | "overloaded";

export interface GrpcRequest {
  /** Id of a configured upstream, or host:port. */
  upstream: string;
  /** "/package.Service/Method" */
  path: string;
  metadata: HeaderList;
  /** The one message of a call; undefined: a stream, whose messages are sent one by one. */
  message: Uint8Array | undefined;
  /** ms; 0 stands for the gateway's own bound for a call, and for none for a stream. */
  timeoutMs: number;
}

/** What a call or stream brings, in this order; `closed` comes once and last. */
export interface GrpcEvents {
  initialMetadata(metadata: HeaderList): void;
  /** The receiver owns the bytes. */
  message(message: Uint8Array): void;
  trailingMetadata(metadata: HeaderList): void;
  /** `code` is gRPC's: of the node, or 1, 2, 4, 8, 12, 13, 14, 16 for what happened on the way. */
  closed(outcome: { readonly code: number; readonly message: string }): void;
}

export interface GrpcStream {
  /** Bytes of messages that the node has not taken. */
  readonly unsentBytes: number;
  /**
   * @param end nothing follows from this side
   * @returns full: too much is unsent, and nothing has happened; ended: this side is closed
   */
  send(message: Uint8Array, end: boolean): "sent" | "full" | "ended";
  /** Nothing follows from this side; the answer may still come. */
  finish(): void;
  cancel(): void;
}
