import { deadlines, type Deadline } from "../../base/deadlines.ts";
import { GatewayError, messageOf } from "../../base/errors.ts";
import type { Tunnel } from "../message.ts";
import type { Connection, ConnectionUser } from "./connection.ts";
import { ReceiveQueue } from "./receive-queue.ts";

export interface TunnelOptions {
  /** Of the node, for messages. */
  readonly address: string;
  /** ms without a byte in either direction; 0: none. */
  readonly idleMs: number;
  /** Called once when the connection is gone. */
  readonly onEnd: () => void;
}

/** The raw connection after a 101. */
export class ConnectionTunnel implements Tunnel, ConnectionUser {
  readonly #connection: Connection;
  readonly #options: TunnelOptions;
  readonly #queue: ReceiveQueue;
  /** The rest of one write that the socket did not take whole. */
  #pending: Uint8Array | undefined;
  #written: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #error: GatewayError | undefined;
  #activeMs = performance.now();
  #idleDeadline: Deadline | undefined;

  constructor(connection: Connection, options: TunnelOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#queue = new ReceiveQueue(connection);
    if (options.idleMs > 0) this.#armIdle(options.idleMs);
  }

  // An async function, so that an error is always a rejection.
  async read(): Promise<Uint8Array | undefined> {
    return await this.#queue.read();
  }

  /** One write at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw this.#error ?? this.#failure("it is closed");
    this.#pending = bytes;
    this.#flush();
    if (this.#pending === undefined) return;
    this.#written = Promise.withResolvers();
    await this.#written.promise;
  }

  close(): void {
    this.#end(undefined);
  }

  /** Closes it because of an error, which read() and write() reject with. @internal */
  abort(error: GatewayError): void {
    this.#end(error);
  }

  /** @internal ConnectionUser */
  received(chunk: Uint8Array): void {
    this.#activeMs = performance.now();
    this.#queue.push(chunk);
  }

  drained(): void {
    if (this.#pending === undefined) return;
    this.#flush();
    if (this.#pending !== undefined) return;
    this.#written?.resolve();
    this.#written = undefined;
  }

  disconnected(cause: Error | undefined): void {
    this.#end(cause && this.#failure(messageOf(cause), cause));
  }

  #flush(): void {
    const pending = this.#pending as Uint8Array;
    const taken = this.#connection.write(pending);
    if (taken > 0) this.#activeMs = performance.now();
    this.#pending = taken < pending.byteLength ? pending.subarray(taken) : undefined;
  }

  #end(error: GatewayError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#idleDeadline?.cancel();
    this.#connection.close();
    if (error === undefined) this.#queue.end();
    else this.#queue.fail(error);
    this.#pending = undefined;
    this.#written?.reject(error ?? this.#failure("it was closed"));
    this.#options.onEnd();
  }

  /** One deadline for many bytes: it looks when it fires how long the last one is ago. */
  #armIdle(afterMs: number): void {
    this.#idleDeadline = deadlines.arm(afterMs, () => {
      const { idleMs } = this.#options;
      const leftMs = this.#activeMs + idleMs - performance.now();
      if (leftMs > 0) this.#armIdle(leftMs);
      else this.#end(this.#timedOut(idleMs));
    });
  }

  #timedOut(idleMs: number): GatewayError {
    const what = `Cannot keep the tunnel to ${this.#options.address}`;
    const limit = `no byte either way within the idle timeout of ${idleMs} ms`;
    return new GatewayError("UPSTREAM_READ_TIMEOUT", `${what}: ${limit}`);
  }

  #failure(how: string, cause?: Error): GatewayError {
    const what = `Cannot use the tunnel to ${this.#options.address}: ${how}`;
    return new GatewayError("UPSTREAM_RESET", what, { cause });
  }
}
