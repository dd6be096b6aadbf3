import type { Socket, SocketHandler } from "bun";
import { assert } from "../../base/assert.ts";
import { LazyDeadline } from "../../base/lazy-deadline.ts";
import type { HeadText } from "../../http/head-text.ts";
import { ResponseHeadParser } from "./response-head.ts";

/** Where a connection goes to. A unix path that begins with NUL is a Linux abstract socket. */
export type ConnectTarget =
  | { readonly host: string; readonly port: number }
  | { readonly unix: string };

/** Whoever a connection works for at the moment: an exchange or a tunnel. */
export interface ConnectionUser {
  /** The receiver owns the bytes. */
  received(chunk: Uint8Array): void;
  /** The socket takes bytes again after a write that it did not take whole. */
  drained(): void;
  /** @param cause undefined when the node closed in order (FIN) */
  disconnected(cause: Error | undefined): void;
  /** Nothing has come within what expect() was told; for those who call it. */
  missed?(): void;
}

/** The pool. */
export interface ConnectionOwner {
  opened(connection: Connection): void;
  connectFailed(connection: Connection, cause: unknown): void;
  released(connection: Connection, reusable: boolean): void;
  /** Once for every connection that was opened, whoever closed it. */
  closed(connection: Connection): void;
}

/**
 * One socket to a node.
 *
 *   connecting ──opened──▶ idle ◀──use()/release()──▶ used ──▶ closed
 *
 * Why an own class around the socket: the handlers are shared by all sockets (no closures per
 * connection), and a write to a closed socket, a late event and a double close are harmless.
 */
export class Connection {
  /** Exchanges that were begun on it. */
  exchanges = 0;
  /** When it became idle, on the clock of performance.now(), give or take a tick. */
  idleSinceMs = 0;
  readonly parser = new ResponseHeadParser();

  readonly #owner: ConnectionOwner;
  #socket: Socket<Connection> | undefined;
  #user: ConnectionUser | undefined;
  /** One for all its exchanges: moving it costs less than arming one for each. */
  readonly #deadline = new LazyDeadline(() => this.#user?.missed?.());
  #paused = false;
  #wasOpened = false;

  // Chunks are typed as Buffer by Bun whatever the binary type is; they are plain Uint8Arrays.
  static readonly #handlers: SocketHandler<Connection> = {
    binaryType: "uint8array",
    open: (socket) => socket.data.#open(socket),
    data: (socket, chunk) => socket.data.#receive(chunk),
    drain: (socket) => socket.data.#user?.drained(),
    close: (socket, cause) => socket.data.#close(cause),
    // A handler above threw, which is our bug: the connection's state is unknown.
    error: (socket, cause) => socket.data.abort(cause),
  };

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
  }

  /** Begins to connect, once; the owner hears of the outcome, exactly once. */
  connect(target: ConnectTarget): void {
    this.#connect(target).catch((cause: unknown) => {
      if (!this.#wasOpened) this.#owner.connectFailed(this, cause);
    });
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Begins an exchange. */
  use(user: ConnectionUser): void {
    assert(this.#user === undefined, "Cannot use a connection that is in use");
    this.#user = user;
    this.exchanges++;
  }

  /** Hands the connection on within an exchange (upgrade). */
  changeUser(user: ConnectionUser): void {
    assert(this.#user !== undefined, "Cannot hand on a connection that is not in use");
    this.#user = user;
  }

  /** Ends an exchange. @param reusable both messages are complete and the node keeps it open */
  release(reusable: boolean): void {
    this.#user = undefined;
    this.#deadline.clear();
    if (reusable) this.resume();
    this.#owner.released(this, reusable);
  }

  /** @returns number of bytes that the socket took; 0 when it is closed */
  write(bytes: Uint8Array): number {
    return Math.max(0, this.#socket?.write(bytes) ?? 0);
  }

  /** The same for a head, which needs no buffer of its own. */
  writeHead(head: HeadText): number {
    if (head.length > SCRATCH_BYTES) return this.write(Buffer.from(String(head), "latin1"));
    const length = head.writeTo(SCRATCH, 0);
    return Math.max(0, this.#socket?.write(SCRATCH, 0, length) ?? 0);
  }

  /**
   * @param afterMs until its user is told that it has missed something; Infinity: never
   * @param nowMs of performance.now(), for who has it at hand
   */
  expect(afterMs: number, nowMs?: number): void {
    if (afterMs === Infinity) this.#deadline.clear();
    else this.#deadline.set(afterMs, nowMs);
  }

  /** Stops receiving; what is under way may still arrive. */
  pause(): void {
    if (this.#paused || this.#socket === undefined) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  /** Closes in order (FIN); idempotent. The user hears nothing. */
  close(): void {
    this.#user = undefined;
    this.#socket?.end();
  }

  /** Closes in the middle of something (RST), so that the node notices at once; idempotent. */
  terminate(): void {
    this.#user = undefined;
    this.#socket?.terminate();
  }

  /** Closes it because of an error; the user hears of it. @internal */
  abort(cause: Error): void {
    const user = this.#user;
    this.terminate();
    user?.disconnected(cause);
  }

  async #connect(target: ConnectTarget): Promise<void> {
    const shared = { data: this, socket: Connection.#handlers };
    // An invalid target makes Bun.connect throw at once: an async function turns that into a
    // rejection like any other.
    await ("unix" in target
      ? Bun.connect({ ...shared, unix: target.unix })
      : Bun.connect({ ...shared, hostname: target.host, port: target.port }));
  }

  #open(socket: Socket<Connection>): void {
    this.#socket = socket;
    this.#wasOpened = true;
    this.#owner.opened(this);
  }

  #receive(chunk: Uint8Array): void {
    // Nobody asked for these bytes: they could only be taken for a later response.
    if (this.#user === undefined) this.close();
    else this.#user.received(chunk);
  }

  #close(cause: Error | undefined): void {
    if (this.#socket === undefined) return;
    this.#socket = undefined;
    this.#deadline.close();
    const user = this.#user;
    this.#user = undefined;
    this.#owner.closed(this);
    user?.disconnected(cause);
  }
}

/** bytes; most heads fit. */
const SCRATCH_BYTES = 16 * 1024;

/** One for all connections: the system has taken from it, or not, before anybody else can write. */
const SCRATCH = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
