import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ConnectTarget } from "../client/connection.ts";
import { GrpcSession, type SessionOwner } from "./grpc-session.ts";

/** Somebody who wants to open a stream. */
export interface StreamOpener {
  /** It may open one stream, now. */
  open(session: GrpcSession): void;
  /** There is no connection. */
  failed(error: GatewayError): void;
}

export interface GrpcNodeOptions {
  readonly target: ConnectTarget;
  /** Of the node as the operator wrote it, for messages. */
  readonly address: string;
  /** ms that a connection may be without streams; 0: for ever. */
  readonly idleMs: number;
}

/**
 * The HTTP/2 connection of one owner to one node: made when it is wanted, and replaced when the
 * node says GOAWAY.
 *
 *   want() ──▶ waiting │ oldest … newest │ ──room──▶ open(session)
 *                           └──no connection──▶ failed(error)
 */
export class GrpcNode implements SessionOwner {
  readonly #options: GrpcNodeOptions;
  /** In the order in which they came. */
  readonly #waiting = new Set<StreamOpener>();
  #session: GrpcSession | undefined;
  #idle: Deadline | undefined;
  #retired = false;
  /** What the last one that wanted a stream allows for a connection, in ms. */
  #connectMs = 0;

  constructor(options: GrpcNodeOptions) {
    this.#options = options;
  }

  /** True while there is a connection for more streams, or one is being made. */
  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /**
   * Calls back now, or when there is room for a stream.
   * @param connectMs 0: no deadline
   */
  want(opener: StreamOpener, connectMs: number): void {
    if (this.#waiting.size >= LIMITS.grpcWaitingMax) {
      const { address } = this.#options;
      const what = `Cannot open a stream to ${address}: ${this.#waiting.size} wait already`;
      opener.failed(new GatewayError("UPSTREAM_OVERLOADED", `${what}, which is the limit`));
      return;
    }
    this.#waiting.add(opener);
    this.#idle?.cancel();
    this.#connectMs = connectMs;
    const { target, address } = this.#options;
    this.#session ??= new GrpcSession(target, address, connectMs, this);
    this.hasRoom(this.#session);
  }

  /** It does not want to any more. */
  forget(opener: StreamOpener): void {
    this.#waiting.delete(opener);
    this.#rest();
  }

  /** No configuration names the node any more. */
  retire(): void {
    this.#retired = true;
    this.#rest();
  }

  /** @internal SessionOwner */
  hasRoom(session: GrpcSession): void {
    if (session !== this.#session) return;
    for (const opener of this.#waiting) {
      if (!session.canOpen) break;
      this.#waiting.delete(opener);
      opener.open(session);
    }
    this.#rest();
  }

  gone(session: GrpcSession, error: GatewayError): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#idle?.cancel();
    if (this.#waiting.size > 0 && !session.isBroken && session.wasUsed) {
      // It ends in order, so another one can take its place.
      const { target, address } = this.#options;
      this.#session = new GrpcSession(target, address, this.#connectMs, this);
      return;
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const opener of waiting) opener.failed(error);
  }

  /** Nobody uses the connection: it is closed after a while, or at once. */
  #rest(): void {
    const session = this.#session;
    if (session === undefined || session.streams > 0 || this.#waiting.size > 0) return;
    this.#idle?.cancel();
    const { idleMs } = this.#options;
    if (this.#retired) this.#close(session);
    else if (idleMs > 0) this.#idle = deadlines.arm(idleMs, () => this.#close(session));
  }

  #close(session: GrpcSession): void {
    if (session !== this.#session || session.streams > 0) return;
    this.#session = undefined;
    session.retire();
  }
}
