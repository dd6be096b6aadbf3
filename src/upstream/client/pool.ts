import { deadlines, type Deadline } from "../../base/deadlines.ts";
import { GatewayError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { Connection, type ConnectionOwner, type ConnectTarget } from "./connection.ts";

export interface PoolOptions {
  readonly target: ConnectTarget;
  /** Of the node as the operator wrote it, for messages. */
  readonly address: string;
  /** Idle connections kept; LIMITS.idleConnectionsPerNode is the default of the YAML key. */
  readonly idleMax: number;
  /** ms that a connection may be idle; 0: for ever. */
  readonly idleMs: number;
  /** Exchanges on one connection before it is closed. */
  readonly exchangesMax: number;
}

/**
 * The connections of one worker to one node.
 *
 *   connect() ──▶ connecting ──▶ used ◀──takeIdle()── idle │ oldest … newest │
 *                     └─ nobody waits any more ─▶ released()─▲
 *
 * The newest idle connection is taken first: it is the least likely to be stale, and those that are
 * not needed age at the bottom until they are closed.
 */
export class NodePool implements ConnectionOwner {
  readonly address: string;
  readonly #options: PoolOptions;
  readonly #idle: Connection[] = [];
  /** Those that wait for a connection that is being opened. */
  readonly #connecting = new Map<Connection, Connecting>();
  /** Connections that are open or being opened. */
  #connections = 0;
  #sweep: Deadline | undefined;
  #retired = false;

  constructor(options: PoolOptions) {
    this.address = options.address;
    this.#options = options;
  }

  /** Open connections and those that are being opened. */
  get connections(): number {
    return this.#connections;
  }

  get idle(): number {
    return this.#idle.length;
  }

  takeIdle(): Connection | undefined {
    return this.#idle.pop();
  }

  /**
   * Opens a connection.
   * @param connectMs 0: no deadline
   * @throws GatewayError UPSTREAM_OVERLOADED
   */
  connect(connectMs: number): Connecting {
    if (this.#connections >= LIMITS.connectionsPerNodeMax) {
      const what = `Cannot connect to ${this.address}: ${this.#connections} connections of this`;
      const limit = `worker are open, and the limit is ${LIMITS.connectionsPerNodeMax}`;
      throw new GatewayError("UPSTREAM_OVERLOADED", `${what} ${limit}`);
    }
    this.#connections++;
    const connecting = new Connecting(this.address, connectMs);
    const connection = new Connection(this);
    this.#connecting.set(connection, connecting);
    connection.connect(this.#options.target);
    return connecting;
  }

  /** No configuration names the node any more: closes what is idle, and the rest after its use. */
  retire(): void {
    this.#retired = true;
    this.#sweep?.cancel();
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** @internal ConnectionOwner */
  opened(connection: Connection): void {
    const connecting = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    // A connection that comes too late for the one that asked serves somebody else.
    if (!connecting?.succeed(connection)) this.released(connection, true);
  }

  connectFailed(connection: Connection, cause: unknown): void {
    this.#connections--;
    const connecting = this.#connecting.get(connection);
    this.#connecting.delete(connection);
    connecting?.fail(cause);
  }

  released(connection: Connection, reusable: boolean): void {
    const { idleMax, exchangesMax } = this.#options;
    const wanted = reusable && !this.#retired && connection.exchanges < exchangesMax;
    if (!wanted || this.#idle.length >= idleMax || !connection.isOpen) {
      connection.close();
      return;
    }
    // While the sweep waits its wheel turns, and some ms sooner or later do no harm.
    const sweeps = this.#sweep !== undefined;
    connection.idleSinceMs = sweeps ? deadlines.tickedMs : performance.now();
    this.#idle.push(connection);
    if (!sweeps) this.#armSweep(connection);
  }

  closed(connection: Connection): void {
    this.#connections--;
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** One deadline for the whole pool, for the connection that has been idle longest. */
  #armSweep(oldest: Connection): void {
    const { idleMs } = this.#options;
    if (idleMs === 0) return;
    const leftMs = Math.max(0, oldest.idleSinceMs + idleMs - performance.now());
    this.#sweep = deadlines.arm(leftMs, () => this.#closeExpired(idleMs));
  }

  #closeExpired(idleMs: number): void {
    this.#sweep = undefined;
    const expiredSinceMs = performance.now() - idleMs;
    for (let oldest = this.#idle[0]; oldest !== undefined; oldest = this.#idle[0]) {
      if (oldest.idleSinceMs > expiredSinceMs) {
        this.#armSweep(oldest);
        return;
      }
      this.#idle.shift();
      oldest.close();
    }
  }
}

/** Somebody who waits for a connection. */
export class Connecting {
  readonly #opened = Promise.withResolvers<Connection>();
  readonly #startedMs = performance.now();
  readonly #address: string;
  readonly #deadline: Deadline | undefined;
  #waiting = true;

  constructor(address: string, connectMs: number) {
    this.#address = address;
    if (connectMs === 0) return;
    this.#deadline = deadlines.arm(connectMs, () => {
      const what = `Cannot connect to ${address} within the connect timeout of ${connectMs} ms`;
      this.abort(new GatewayError("UPSTREAM_CONNECT_TIMEOUT", what));
    });
  }

  /** @throws GatewayError (rejects with it) */
  get connection(): Promise<Connection> {
    return this.#opened.promise;
  }

  /** Waits no longer. A pending connect cannot be called off: the pool takes what comes of it. */
  abort(error: GatewayError): void {
    if (!this.#stopWaiting()) return;
    this.#opened.reject(error);
  }

  /** @returns false when nobody waits any more @internal */
  succeed(connection: Connection): boolean {
    if (!this.#stopWaiting()) return false;
    this.#opened.resolve(connection);
    return true;
  }

  /** @internal */
  fail(cause: unknown): void {
    const { code, syscall } = cause as { code?: string; syscall?: string };
    const elapsedMs = Math.round(performance.now() - this.#startedMs);
    const why = `${code ?? messageOf(cause)} after ${elapsedMs} ms`;
    const what = `Cannot connect to ${this.#address}: ${why}`;
    const fault = syscall === "getaddrinfo" ? "UPSTREAM_RESOLVE_FAILED" : "UPSTREAM_CONNECT_FAILED";
    this.abort(new GatewayError(fault, what, { cause }));
  }

  #stopWaiting(): boolean {
    const waiting = this.#waiting;
    this.#waiting = false;
    this.#deadline?.cancel();
    return waiting;
  }
}
