import { deadlines, type Deadline } from "../base/deadlines.ts";
import { GatewayError, messageOf, toGatewayError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { NodeConfig, TimeoutConfig } from "../config/config.ts";
import type { Body } from "../http/body.ts";
import { isIdempotent } from "../http/method.ts";
import type { Balancer } from "./balancer/balancer.ts";
import type { Connection } from "./client/connection.ts";
import { Exchange, type ExchangeObserver } from "./client/exchange.ts";
import type { Connecting, NodePool } from "./client/pool.ts";
import type { ResponseHead } from "./client/response-head.ts";
import { starts } from "./client/start-queue.ts";
import type { ConnectionTunnel } from "./client/tunnel.ts";
import type {
  FailedAttempt,
  ForwardOptions,
  ResponseObserver,
  UpstreamRequest,
} from "./message.ts";
import { ResendableBody } from "./resendable-body.ts";
import { AttemptFailure, isStale, maySendAgain } from "./retry.ts";

/** A node and the connections to it. */
export interface PooledNode {
  readonly config: NodeConfig;
  readonly weight: number;
  readonly pool: NodePool;
  /** Host line towards it; undefined: the request's own. */
  readonly host: string | undefined;
}

/** What a request needs to know of the upstream that it is forwarded to. */
export interface Destination {
  readonly upstreamId: string;
  readonly balancer: Balancer<PooledNode>;
  /** More attempts after the first. */
  readonly retries: number;
}

const NONE_FAILED: readonly FailedAttempt[] = [];
const NONE_TRIED: readonly PooledNode[] = [];

/**
 * One request on its way: attempts until one answers, and after that whatever may still end it.
 *
 *   pick node ─▶ connection ─▶ exchange ─▶ response ─▶ body … last byte
 *       ▲            └── fails ───┴─▶ may be sent again?
 *       └──────────── yes ───────────────┘
 *   total deadline and cancellation hold from the pick to the last byte
 */
export class Forwarding implements ExchangeObserver {
  readonly #destination: Destination;
  readonly #options: ForwardOptions;
  readonly #observer: ResponseObserver;
  readonly #request: UpstreamRequest;
  readonly #resendable: ResendableBody | undefined;
  readonly #totalDeadline: Deadline | undefined;
  #tried: readonly PooledNode[] = NONE_TRIED;
  #failed = NONE_FAILED;
  /** Of the current attempt. */
  #node: PooledNode | undefined;
  /** Its connection has served before. */
  #reused = false;
  /** What is under way and would have to be aborted. */
  #active: Connecting | Exchange | ConnectionTunnel | undefined;
  /** Set by the total deadline or the cancellation: no more attempts. */
  #stopped: GatewayError | undefined;

  constructor(
    destination: Destination,
    request: UpstreamRequest,
    options: ForwardOptions,
    observer: ResponseObserver,
  ) {
    this.#destination = destination;
    this.#options = options;
    this.#observer = observer;
    if (request.body !== undefined && isIdempotent(request.method)) {
      this.#resendable = new ResendableBody(request.body);
      this.#request = { ...request, body: this.#resendable };
    } else {
      this.#request = request;
    }
    const { totalMs } = options.timeout;
    this.#totalDeadline = totalMs > 0 ? this.#armTotal(totalMs) : undefined;
    options.cancellation.listen(this);
  }

  /** Once. */
  run(): void {
    this.#begin(this.#options.startedMs);
  }

  /** @internal ExchangeObserver */
  exchangeAnswered(
    { status, headers }: ResponseHead,
    body: Body | undefined,
    tunnel: ConnectionTunnel | undefined,
  ): void {
    if (tunnel !== undefined) this.#enterTunnel(tunnel);
    const node = (this.#node as PooledNode).config;
    this.#observer.responded({ status, headers, body, tunnel, node, failed: this.#failed });
  }

  /** A connection that went stale while it was idle costs no attempt. */
  exchangeFailed(exchange: Exchange, error: GatewayError): void {
    const failure = this.#failureOf(exchange, error);
    const node = this.#node as PooledNode;
    if (this.#reused && isStale(failure) && this.#mayGoOn(failure)) {
      this.#reused = false;
      this.#connect(node);
    } else {
      this.#attemptFailed(node, failure);
    }
  }

  /** @internal ExchangeObserver */
  get timeout(): TimeoutConfig {
    return this.#options.timeout;
  }

  /** The node is done with a response that was handed out. */
  exchangeEnded(): void {
    this.#totalDeadline?.cancel();
    this.#options.cancellation.ignore(this);
    this.#request.body?.cancel("the exchange with the upstream has ended");
  }

  /** @internal for the cancellation */
  cancelled(reason: unknown): void {
    const what = `Cancelled ${this.#what()}`;
    this.#stop(
      reason instanceof GatewayError
        ? reason
        : new GatewayError("CLIENT_GONE", `${what}: ${messageOf(reason)}`, { cause: reason }),
    );
  }

  /** The next attempt, if there is a node for it. */
  #begin(startedMs?: number): void {
    if (this.#stopped !== undefined) {
      this.#giveUp(this.#stopped);
      return;
    }
    const node = this.#destination.balancer.pick(this.#tried);
    if (node === undefined) {
      this.#giveUp(this.#failed.at(-1)?.error ?? this.#noNode());
      return;
    }
    this.#node = node;
    const connection = node.pool.takeIdle();
    this.#reused = connection !== undefined;
    if (connection === undefined) this.#connect(node);
    else this.#exchangeOn(connection, node, startedMs);
  }

  #connect(node: PooledNode): void {
    try {
      const connecting = node.pool.connect(this.#options.timeout.connectMs);
      this.#active = connecting;
      connecting.connection.then(
        (connection) => this.#connected(connection, node),
        (error: unknown) => this.#connectFailed(node, error),
      );
    } catch (error) {
      this.#connectFailed(node, error);
    }
  }

  #connected(connection: Connection, node: PooledNode): void {
    if (this.#stopped === undefined) {
      this.#exchangeOn(connection, node);
      return;
    }
    // Stopped after the connection was handed over and before this could go on.
    node.pool.released(connection, true);
    this.#connectFailed(node, this.#stopped);
  }

  #connectFailed(node: PooledNode, error: unknown): void {
    this.#attemptFailed(node, new AttemptFailure(toGatewayError(error), 0, 0, true));
  }

  #attemptFailed(node: PooledNode, failure: AttemptFailure): void {
    const { error } = failure;
    this.#tried = [...this.#tried, node];
    this.#failed = [...this.#failed, { node: node.config, error }];
    this.#logFailure(node, error, this.#failed.length);
    const isLast = this.#failed.length > this.#destination.retries;
    if (isLast || !this.#mayGoOn(failure)) this.#giveUp(error);
    else this.#begin();
  }

  #exchangeOn(connection: Connection, { host, pool }: PooledNode, startedMs?: number): void {
    const request = host === undefined ? this.#request : { ...this.#request, authority: host };
    const exchange = new Exchange(connection, request, pool.address, this, startedMs);
    this.#active = exchange;
    starts.add(exchange);
  }

  #enterTunnel(tunnel: ConnectionTunnel): void {
    this.#active = tunnel;
    this.#totalDeadline?.cancel();
    if (this.#stopped !== undefined) tunnel.abort(this.#stopped);
  }

  #failureOf(exchange: Exchange, error: GatewayError): AttemptFailure {
    // Nothing to send again, not begun, or short enough to have been kept.
    const whole = this.#request.body === undefined || !exchange.bodyStarted;
    const bodyIsWhole = whole || this.#resendable?.rewind() === true;
    return new AttemptFailure(error, exchange.sentBytes, exchange.receivedBytes, bodyIsWhole);
  }

  #mayGoOn(failure: AttemptFailure): boolean {
    return this.#stopped === undefined && maySendAgain(this.#request.method, failure);
  }

  #stop(error: GatewayError): void {
    this.#stopped = error;
    this.#active?.abort(error);
  }

  #armTotal(totalMs: number): Deadline {
    return deadlines.arm(totalMs, () => this.#totalTimedOut(totalMs));
  }

  #totalTimedOut(totalMs: number): void {
    const what = `Cannot finish ${this.#what()} within the total timeout of ${totalMs} ms`;
    this.#stop(new GatewayError("UPSTREAM_TOTAL_TIMEOUT", what));
  }

  #what(): string {
    return `${this.#request.method} to upstream "${this.#destination.upstreamId}"`;
  }

  /** Ends what never got a response. */
  #giveUp(error: unknown): void {
    this.exchangeEnded();
    this.#observer.failed(error);
  }

  #noNode(): GatewayError {
    const what = `Cannot pick a node of upstream "${this.#destination.upstreamId}"`;
    return new GatewayError("UPSTREAM_NO_NODE", `${what}: it has none with a weight above 0`);
  }

  #logFailure(node: PooledNode, error: GatewayError, attempt: number): void {
    if (!log.enabled("debug")) return;
    const { upstreamId } = this.#destination;
    const fields = { upstream: upstreamId, node: node.config.address, attempt, code: error.code };
    log.debug("attempt at an upstream failed", { ...fields, error });
  }
}
