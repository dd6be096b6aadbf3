import { deadlines, type Deadline } from "../base/deadlines.ts";
import { GatewayError, messageOf, toGatewayError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { isIdempotent } from "../http/method.ts";
import type { Balancer } from "./balancer/balancer.ts";
import type { Connection } from "./client/connection.ts";
import { Exchange, type ExchangeObserver, type Received } from "./client/exchange.ts";
import type { Connecting, NodePool } from "./client/pool.ts";
import type { ConnectionTunnel } from "./client/tunnel.ts";
import type {
  FailedAttempt,
  ForwardOptions,
  UpstreamRequest,
  UpstreamResponse,
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
  readonly #request: UpstreamRequest;
  readonly #resendable: ResendableBody | undefined;
  readonly #totalDeadline: Deadline | undefined;
  readonly #ignoreCancellation: () => void;
  /** What is under way and would have to be aborted. */
  #active: Connecting | Exchange | ConnectionTunnel | undefined;
  /** Set by the total deadline or the cancellation: no more attempts. */
  #stopped: GatewayError | undefined;

  constructor(destination: Destination, request: UpstreamRequest, options: ForwardOptions) {
    this.#destination = destination;
    this.#options = options;
    if (request.body !== undefined && isIdempotent(request.method)) {
      this.#resendable = new ResendableBody(request.body);
      this.#request = { ...request, body: this.#resendable };
    } else {
      this.#request = request;
    }
    const { totalMs } = options.timeout;
    this.#totalDeadline =
      totalMs > 0 ? deadlines.arm(totalMs, () => this.#totalTimedOut(totalMs)) : undefined;
    this.#ignoreCancellation = options.cancellation.onCancel((reason) => this.#cancelled(reason));
  }

  /** Once. @throws GatewayError (rejects with it) when no node has answered */
  async run(): Promise<UpstreamResponse> {
    const { balancer, retries } = this.#destination;
    const tried: PooledNode[] = [];
    let failed = NONE_FAILED;
    for (;;) {
      if (this.#stopped !== undefined) throw this.#giveUp(this.#stopped);
      const node = balancer.pick(tried);
      if (node === undefined) throw this.#giveUp(failed.at(-1)?.error ?? this.#noNode());
      tried.push(node);
      const result = await this.#attempt(node);
      if (!(result instanceof AttemptFailure)) {
        const { status, headers, body, tunnel } = result;
        return { status, headers, body, tunnel, node: node.config, failed };
      }
      failed = [...failed, { node: node.config, error: result.error }];
      this.#logFailure(node, result.error, failed.length);
      if (failed.length > retries || !this.#mayGoOn(result)) throw this.#giveUp(result.error);
    }
  }

  /** @internal ExchangeObserver: the node is done with a response that was handed out. */
  exchangeEnded(): void {
    this.#totalDeadline?.cancel();
    this.#ignoreCancellation();
    this.#request.body?.cancel("the exchange with the upstream has ended");
  }

  /** Never rejects. A connection that went stale while it was idle costs no attempt. */
  async #attempt(node: PooledNode): Promise<Received | AttemptFailure> {
    let connection = node.pool.takeIdle();
    for (;;) {
      const reused = connection !== undefined;
      try {
        connection ??= await this.#connect(node.pool);
      } catch (error) {
        return new AttemptFailure(toGatewayError(error), 0, 0, true);
      }
      const exchange = this.#exchangeOn(connection, node);
      try {
        const received = await exchange.run();
        if (received.tunnel !== undefined) this.#enterTunnel(received.tunnel);
        return received;
      } catch (error) {
        const failure = this.#failureOf(exchange, toGatewayError(error));
        if (!reused || !isStale(failure) || !this.#mayGoOn(failure)) return failure;
        connection = undefined;
      }
    }
  }

  async #connect(pool: NodePool): Promise<Connection> {
    const connecting = pool.connect(this.#options.timeout.connectMs);
    this.#active = connecting;
    const connection = await connecting.connection;
    // Stopped after the connection was handed over and before this could go on.
    if (this.#stopped === undefined) return connection;
    pool.released(connection, true);
    throw this.#stopped;
  }

  #exchangeOn(connection: Connection, { host, pool }: PooledNode): Exchange {
    const { timeout } = this.#options;
    const request = host === undefined ? this.#request : { ...this.#request, authority: host };
    const options = { request, timeout, address: pool.address, observer: this };
    const exchange = new Exchange(connection, options);
    this.#active = exchange;
    return exchange;
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

  #totalTimedOut(totalMs: number): void {
    const what = `Cannot finish ${this.#what()} within the total timeout of ${totalMs} ms`;
    this.#stop(new GatewayError("UPSTREAM_TOTAL_TIMEOUT", what));
  }

  #cancelled(reason: unknown): void {
    const what = `Cancelled ${this.#what()}`;
    this.#stop(
      reason instanceof GatewayError
        ? reason
        : new GatewayError("CLIENT_GONE", `${what}: ${messageOf(reason)}`, { cause: reason }),
    );
  }

  #what(): string {
    return `${this.#request.method} to upstream "${this.#destination.upstreamId}"`;
  }

  /** Ends what never got a response. @returns the error, to be thrown */
  #giveUp(error: unknown): unknown {
    this.exchangeEnded();
    return error;
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
