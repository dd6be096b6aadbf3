import { GatewayError, messageOf } from "../../../base/errors.ts";
import { LiveTable } from "../../../base/live-table.ts";
import { log } from "../../../base/log.ts";
import type { Front, FrontOptions } from "../front.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import type { Http1Bounds } from "./bounds.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOwner } from "./connection.ts";
import { renderHead } from "./response-head.ts";

/**
 * The front that speaks HTTP/1.1 itself, on Bun.listen: the target is raw, header lines keep their
 * order, spelling and repeats, every method may have a body and trailers, streamed answers keep a
 * known Content-Length, pipelined requests are answered in order, and what is malformed is answered
 * before the connection is closed. No TLS, no HTTP/2.
 */
export function startHttp1Front(options: FrontOptions, bounds: Partial<Http1Bounds> = {}): Front {
  return new Http1Front(options, { ...HTTP1_BOUNDS, ...bounds });
}

class Http1Front implements Front, ConnectionOwner {
  readonly host: string;
  readonly port: number;
  readonly options: FrontOptions;
  readonly bounds: Http1Bounds;
  readonly #listener: Bun.TCPSocketListener<Connection | undefined>;
  readonly #connections = new LiveTable<Connection>();
  #nextNumber = 0;
  #inFlight = 0;
  #draining = false;
  #stopped: PromiseWithResolvers<void> | undefined;

  constructor(options: FrontOptions, bounds: Http1Bounds) {
    this.options = options;
    this.bounds = bounds;
    this.#listener = Bun.listen(this.#listenOptions());
    this.host = this.#listener.hostname;
    this.port = this.#listener.port;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get draining(): boolean {
    return this.#draining;
  }

  drain(): void {
    this.#draining = true;
  }

  stop(): Promise<void> {
    this.drain();
    if (this.#stopped === undefined) {
      this.#stopped = Promise.withResolvers();
      this.#listener.stop();
      for (const connection of this.#connections.values()) connection.closeIfIdle();
      this.#settle();
    }
    return this.#stopped.promise;
  }

  close(): void {
    void this.stop();
    for (const connection of this.#connections.values()) connection.close();
  }

  // What connections tell.

  onRequest(): void {
    this.#inFlight++;
  }

  onRequestEnded(): void {
    this.#inFlight--;
  }

  onClosed(connection: Connection): void {
    this.#connections.delete(connection.number, connection);
    this.#settle();
  }

  /** Connections that are not idle wait for an answer, or for their client to read the last one. */
  #settle(): void {
    if (this.#connections.size === 0) this.#stopped?.resolve();
  }

  #listenOptions(): Bun.TCPSocketListenOptions<Connection | undefined> {
    const listenOptions = {
      hostname: this.options.host,
      port: this.options.port,
      // Not in the types, but obeyed: measured with two processes on Bun 1.4.5.
      reusePort: this.options.reusePort,
      // What a client's FIN means is decided by its connection.
      allowHalfOpen: true,
      socket: {
        open: (socket: ServerSocket) => this.#open(socket),
        data: (socket: ServerSocket, chunk: Buffer) => socket.data?.onData(chunk),
        drain: (socket: ServerSocket) => socket.data?.onDrain(),
        end: (socket: ServerSocket) => socket.data?.onEnd(),
        close: (socket: ServerSocket) => socket.data?.onClose(),
        error: (socket: ServerSocket, error: Error) => {
          log.debug("connection of a client failed", { error: messageOf(error) });
          socket.data?.close();
        },
      },
    };
    return listenOptions;
  }

  #open(socket: ServerSocket): void {
    // One object at first: Bun gives every socket of a listener the listener's data.
    socket.data = undefined;
    if (this.#connections.size >= this.bounds.connectionsMax) {
      this.#turnAway(socket);
      return;
    }
    const connection = new Connection(socket, this);
    connection.number = this.#connections.free(this.#nextNumber);
    this.#nextNumber = connection.number + 1;
    socket.data = connection;
    this.#connections.set(connection.number, connection);
  }

  /** Head and FIN at once: whoever is one too many gets no connection to hold. */
  #turnAway(socket: ServerSocket): void {
    const what = `Cannot take a connection more: the limit is ${this.bounds.connectionsMax}`;
    const answer = this.options.refuse(new GatewayError("GATEWAY_OVERLOADED", what));
    answer.body?.cancel(what);
    const head = renderHead({
      status: answer.status,
      headers: answer.headers,
      contentLength: 0,
      chunked: false,
      connection: "close",
      upgrade: undefined,
    });
    socket.end(Buffer.from(String(head), "latin1"));
  }
}

type ServerSocket = Bun.Socket<Connection | undefined>;
