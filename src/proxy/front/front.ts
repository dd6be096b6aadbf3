import type { Cancellation } from "../../base/cancellation.ts";
import type { Body } from "../../http/body.ts";
import type { HeaderList } from "../../http/headers.ts";
import type { Tunnel } from "../../upstream/message.ts";

/**
 * A front speaks HTTP with clients and hands each request to the gateway as an Incoming; what comes
 * back is an Answer that it writes to the client. Fronts know no routes and no filters.
 *
 *   client ──▶ front ──Incoming──▶ handle()      front ──pulls──▶ Incoming.body is pulled by others
 *   client ◀── front ◀──Answer──── handle()      front ◀──pulls── Answer.body
 *
 * What a front checks is the protocol's own syntax and framing; what a request line or a header
 * means (authority, target, methods, limits of the configuration) is checked behind it, once.
 */
export interface Front {
  /** Where it listens, the port that the system chose included. */
  readonly host: string;
  readonly port: number;
  /** Requests that have not been answered to the end, upgraded connections included. */
  readonly inFlight: number;
  /** From now on every answer closes its connection, so that clients go elsewhere. Idempotent. */
  drain(): void;
  /**
   * Takes no new connection; those that live go on, as far as the front can leave them alone.
   * Resolves when the last one is closed. Idempotent.
   */
  retire(): Promise<void>;
  /** Takes no new connection, closes idle ones; resolves when nothing is in flight. Idempotent. */
  stop(): Promise<void>;
  /** Closes everything at once. Idempotent. */
  close(): void;
}

export interface FrontOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Several processes share the port; the kernel spreads connections over them. */
  readonly reusePort: boolean;
  /** TLS with one of these, the first where no name fits; left out: cleartext. At least one. */
  readonly tls?: readonly FrontCertificate[] | undefined;
  readonly handle: Handler;
  /** A request that never became an Incoming: its answer. */
  readonly refuse: (error: unknown) => Answer;
}

export interface FrontCertificate {
  /** Names that it is shown for, exact or "*.example.com". */
  readonly snis: readonly string[];
  /** PEM; a chain follows its certificate. */
  readonly cert: string;
  /** PEM, secret. */
  readonly key: string;
}

/** Tells the asker what to answer: once, and never before it has returned. */
export type Handler = (incoming: Incoming, asker: Asker) => void;

/** Whoever waits for an answer. It is told by a call, since each promise costs 0.2 µs or more. */
export interface Asker {
  /** Failures of a request are answers too. */
  onAnswer(answer: Answer): void;
  /** In onAnswer()'s place: a fault of the handler's own. */
  onFailure(error: unknown): void;
}

/** A handler of one that answers with a promise. */
export function promised(answer: (incoming: Incoming) => Promise<Answer>): Handler {
  return (incoming, asker) => {
    answer(incoming).then(
      (given) => asker.onAnswer(given),
      (error: unknown) => asker.onFailure(error),
    );
  };
}

/** A handler's answer, for who waits with a promise. */
export function answerOf(handle: Handler, incoming: Incoming): Promise<Answer> {
  return new Promise((onAnswer, onFailure) => handle(incoming, { onAnswer, onFailure }));
}

export interface Incoming {
  /** As sent; any token. */
  readonly method: string;
  /** Request target as this front knows it: raw, or an absolute URL that the front has built. */
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly scheme: "http" | "https";
  /** As received, Host and hop-by-hop lines included; framing has been checked by the front. */
  readonly headers: HeaderList;
  /** undefined when the request has none. Errors are GatewayErrors. */
  readonly body: Body | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Counts the connections of the process; missing where the front does not see them. */
  readonly connectionId?: bigint;
  /** The client asks for this protocol ("websocket"), and the front can switch to it. */
  readonly upgrade: string | undefined;
  /** Cancelled when the client is gone before its answer was sent to the end. */
  readonly cancellation: Cancellation;
}

export interface Answer {
  /** 200 to 599; 101 with a tunnel. */
  readonly status: number;
  /** Without framing and hop-by-hop lines, except Content-Length where the body's length is not
   * the message's (HEAD, 304). */
  readonly headers: HeaderList;
  /**
   * The front reads it to its end or cancels it, always one of both. When read() fails after the
   * head has left, the front resets the connection: a broken body never looks complete.
   */
  readonly body: Body | undefined;
  /** With status 101: the node's side of the upgraded connection. */
  readonly tunnel: Tunnel | undefined;
  /** ms without a byte after which an upgraded connection is closed; 0: never. */
  readonly tunnelIdleMs: number;
  /** The connection is not used again: its state is unknown, or the client has to go. */
  readonly close: boolean;
}
