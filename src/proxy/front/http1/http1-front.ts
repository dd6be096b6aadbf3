import { GatewayError, messageOf } from "../../../base/errors.ts";
import { LiveTable } from "../../../base/live-table.ts";
import { log } from "../../../base/log.ts";
import type { Front, FrontOptions } from "../front.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import type { Http1Bounds } from "./bounds.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOwner } from "./connection.ts";
import { Farewell } from "./farewell.ts";
import { Handshake } from "./handshake.ts";
import { renderHead } from "./response-head.ts";
import { TlsSocket } from "./tls-socket.ts";

/**
 * The front that speaks HTTP/1.1 itself, on Bun.listen: the target is raw, header lines keep their
 * order, spelling and repeats, every method may have a body and trailers, streamed answers keep a
 * known Content-Length, pipelined requests are answered in order, and what is malformed is answered
 * before the connection is closed. No HTTP/2, and TLS with one certificate, as Bun.listen has it.
 * @throws Error when it cannot listen, or with certificates that are not one
 */
export function startHttp1Front(options: FrontOptions, bounds: Partial<Http1Bounds> = {}): Front {
  return new Http1Front(options, { ...HTTP1_BOUNDS, ...bounds });
}

class Http1Front implements Front, ConnectionOwner {
  readonly host: string;
  readonly port: number;
  readonly options: FrontOptions;
  readonly bounds: Http1Bounds;
  readonly #listener: Bun.TCPSocketListener<SocketUser | undefined>;
  readonly #connections = new LiveTable<Connection>();
  #nextNumber = 0;
  /** Connections to be. */
  readonly #handshakes = new LiveTable<Handshake>();
  #nextHandshake = 0;
  /** Connections that were. */
  readonly #farewells = new LiveTable<Farewell>();
  #nextFarewell = 0;
  #inFlight = 0;
  #draining = false;
  #stopped = false;
  /** Waits for the last connection, since no new one is taken. */
  #emptied: PromiseWithResolvers<void> | undefined;

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

  retire(): Promise<void> {
    if (this.#emptied === undefined) {
      this.#emptied = Promise.withResolvers();
      this.#listener.stop();
      this.#settle();
    }
    return this.#emptied.promise;
  }

  stop(): Promise<void> {
    this.drain();
    const emptied = this.retire();
    if (!this.#stopped) {
      this.#stopped = true;
      for (const handshake of this.#handshakes.values()) handshake.close();
      for (const connection of this.#connections.values()) connection.closeIfIdle();
    }
    return emptied;
  }

  close(): void {
    void this.stop();
    for (const connection of this.#connections.values()) connection.close();
    for (const farewell of this.#farewells.values()) farewell.close();
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
    const count = this.#connections.size + this.#handshakes.size;
    if (count === 0) this.#emptied?.resolve();
  }

  get #size(): number {
    return this.#connections.size + this.#handshakes.size + this.#farewells.size;
  }

  #listenOptions(): Bun.TCPSocketListenOptions<SocketUser | undefined> {
    const listenOptions = {
      hostname: this.options.host,
      port: this.options.port,
      // Not in the types, but obeyed: measured with two processes on Bun 1.4.5.
      reusePort: this.options.reusePort,
      // What a client's FIN means is decided by its connection.
      allowHalfOpen: true,
      ...tlsOf(this.options.tls),
      socket: {
        open: (socket: ServerSocket) => this.#open(socket),
        handshake: (socket: ServerSocket, success: boolean) => this.#onHandshake(socket, success),
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
    if (this.#size >= this.bounds.connectionsMax) this.#turnAway(socket);
    else if (this.options.tls === undefined) this.#take(socket);
    else this.#shakeHands(socket);
  }

  #take(socket: ServerSocket): void {
    const isSecure = this.options.tls !== undefined;
    const client = isSecure ? new TlsSocket(socket, () => this.#bidFarewell(socket)) : socket;
    const connection = new Connection(client, this);
    connection.number = this.#connections.free(this.#nextNumber);
    this.#nextNumber = connection.number + 1;
    socket.data = connection;
    this.#connections.set(connection.number, connection);
  }

  #shakeHands(socket: ServerSocket): void {
    if (this.#handshakes.size >= this.bounds.handshakesMax) {
      socket.terminate();
      return;
    }
    const number = this.#handshakes.free(this.#nextHandshake);
    this.#nextHandshake = number + 1;
    const handshake = new Handshake(socket, this.bounds.handshakeMs, () => {
      this.#handshakes.delete(number, handshake);
      this.#settle();
    });
    socket.data = handshake;
    this.#handshakes.set(number, handshake);
  }

  #bidFarewell(socket: ServerSocket): void {
    const number = this.#farewells.free(this.#nextFarewell);
    this.#nextFarewell = number + 1;
    const farewell = new Farewell(socket, this.bounds.sendIdleMs, () => {
      this.#farewells.delete(number, farewell);
    });
    socket.data = farewell;
    this.#farewells.set(number, farewell);
  }

  /** @param success else the socket is closed next */
  #onHandshake(socket: ServerSocket, success: boolean): void {
    const handshake = socket.data;
    if (!success || !(handshake instanceof Handshake) || handshake.isOver) return;
    this.#take(socket); // First, so that it is not the last one that has gone.
    handshake.onClose();
  }

  /** Head and FIN at once: whoever is one too many gets no connection to hold. */
  #turnAway(socket: ServerSocket): void {
    if (this.options.tls !== undefined) {
      socket.terminate(); // There is no key yet to say anything with.
      return;
    }
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

/** What a socket is at, from its first to its last event. */
type SocketUser = Connection | Handshake | Farewell;
type ServerSocket = Bun.Socket<SocketUser | undefined>;

/** @throws Error when there is another number of certificates than one */
function tlsOf(certificates: FrontOptions["tls"]): { tls?: Bun.TLSOptions } {
  if (certificates === undefined) return {};
  const [certificate] = certificates;
  if (certificate === undefined || certificates.length > 1) {
    throw new Error(
      `Cannot have ${certificates.length} certificates on the front http1: it has one`,
    );
  }
  const { cert, key } = certificate;
  // As on the wire: a length before each name. Who offers others alone is refused.
  const ALPNProtocols = Buffer.from("\x08http/1.1", "latin1");
  const tls = { cert, key, minVersion: TLS_1_2, ALPNProtocols };
  return { tls };
}

/** In the types it is a name, but only the number is obeyed: measured on Bun 1.4.5. */
const TLS_1_2 = 0x0303;
