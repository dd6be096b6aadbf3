import type { Cancellation } from "../base/cancellation.ts";
import type { NodeConfig, TimeoutConfig } from "../config/config.ts";
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";

/** What the proxy asks an upstream to send; the client adds framing, and nothing else. */
export interface UpstreamRequest {
  readonly method: string;
  /** Written into the request line as it is. */
  readonly target: string;
  /** Value of the Host line, which is written first. */
  readonly authority: string;
  /** Without Host, framing (Content-Length, Transfer-Encoding) and hop-by-hop lines. */
  readonly headers: HeaderList;
  /** undefined: no body, no framing line. A body without a length is sent chunked. */
  readonly body: Body | undefined;
  /** Protocol to upgrade to ("websocket"): adds the Connection and Upgrade lines. */
  readonly upgrade: string | undefined;
}

export interface ForwardOptions {
  readonly timeout: TimeoutConfig;
  readonly cancellation: Cancellation;
  /** ms of performance.now(); when the request came, for who knows: a look costs 0.15 µs. */
  readonly startedMs?: number | undefined;
}

export interface UpstreamResponse {
  /** 200 to 599, or 101 with a tunnel. */
  readonly status: number;
  /** As received, framing lines and hop-by-hop lines included. */
  readonly headers: HeaderList;
  /** undefined when there can be none (HEAD, 204, 304, 101). Its errors are GatewayErrors. */
  readonly body: Body | undefined;
  /** After a 101: the raw connection. */
  readonly tunnel: Tunnel | undefined;
  readonly node: NodeConfig;
  /** Attempts that failed before this one, oldest first. */
  readonly failed: readonly FailedAttempt[];
}

/** Who waits for a response; told by a call, since a promise costs as much as parsing a head. */
export interface ResponseObserver {
  /** Once, when the response's head is here; must not throw. */
  responded(response: UpstreamResponse): void;
  /**
   * Once, in responded()'s place: a GatewayError of the last attempt. It may be called before the
   * call that sends has returned, and by whoever cancels.
   */
  failed(error: unknown): void;
}

export interface FailedAttempt {
  readonly node: NodeConfig;
  readonly error: unknown;
}

/** A raw connection after an upgrade: bytes both ways, with back-pressure. */
export interface Tunnel {
  /** Next bytes (never empty), undefined when the other side has ended. One read at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the connection can take more. @throws GatewayError when it is broken */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes at once, both ways; idempotent. */
  close(): void;
}
