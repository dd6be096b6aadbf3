import type { Socket, TCPSocketListener } from "bun";

/** One connection to a RawNode: what came is kept, what goes is written whole. */
export class RawPeer {
  /** Bytes that have come. */
  receivedBytes = 0;
  /** The other side has closed, or half-closed, the connection. */
  ended = false;
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #rest: Uint8Array = new Uint8Array(0);
  #watchers: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Everything that has come. */
  get received(): Uint8Array {
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  /** Queues the bytes; they leave as fast as the other side reads. */
  write(bytes: Uint8Array | string): void {
    this.#rest = Buffer.concat([this.#rest, Buffer.from(bytes as Uint8Array)]);
    this.flush();
  }

  /** Bytes that were written and not yet taken. */
  get unsent(): number {
    return this.#rest.byteLength;
  }

  /** Resolves when the condition holds; checked whenever something happens on this connection. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.ended) throw new Error(`The connection ended first: got ${this.receivedBytes} B`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.push(resolve);
      await promise;
    }
  }

  async untilEnd(): Promise<void> {
    while (!this.ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.push(resolve);
      await promise;
    }
  }

  /** Stops reading, so that the other side is held back. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.#socket.terminate();
  }

  /** @internal */
  flush(): void {
    if (this.#rest.byteLength === 0) return;
    this.#rest = this.#rest.subarray(Math.max(0, this.#socket.write(this.#rest)));
    this.#notify();
  }

  /** @internal */
  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.receivedBytes += bytes.byteLength;
    this.#notify();
  }

  /** @internal */
  finish(): void {
    this.ended = true;
    this.#notify();
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

/** A TCP server whose connections a test drives byte by byte. */
export class RawNode {
  readonly #listener: TCPSocketListener<RawPeer | undefined>;
  readonly #peers: RawPeer[] = [];
  #waiting: ((peer: RawPeer) => void) | undefined;

  constructor() {
    this.#listener = Bun.listen<RawPeer | undefined>({
      hostname: "127.0.0.1",
      port: 0,
      data: undefined,
      socket: {
        open: (socket) => {
          const peer = new RawPeer(socket as unknown as Socket);
          socket.data = peer;
          if (this.#waiting === undefined) this.#peers.push(peer);
          else this.#waiting(peer);
          this.#waiting = undefined;
        },
        data: (socket, bytes) => socket.data?.push(new Uint8Array(bytes)),
        drain: (socket) => socket.data?.flush(),
        end: (socket) => socket.data?.finish(),
        close: (socket) => socket.data?.finish(),
        error: (socket) => socket.data?.finish(),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** The oldest connection that was not accepted yet. */
  accept(): Promise<RawPeer> {
    const peer = this.#peers.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  stop(): void {
    this.#listener.stop(true);
  }
}
