import type { Socket } from "bun";
import type { Tunnel } from "../../src/upstream/message.ts";

/** A Tunnel over a plain TCP connection, with back-pressure both ways: for tests of its users. */
export class TcpTunnel implements Tunnel {
  #socket: Socket | undefined;
  readonly #chunks: Uint8Array[] = [];
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;
  closes = 0;

  static async connect(port: number): Promise<TcpTunnel> {
    const tunnel = new TcpTunnel();
    tunnel.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, bytes) => tunnel.#received(new Uint8Array(bytes)),
        drain: () => tunnel.#flush(),
        end: () => tunnel.#finish(),
        close: () => tunnel.#finish(),
        error: () => tunnel.#finish(),
      },
    });
    return tunnel;
  }

  read(): Promise<Uint8Array | undefined> {
    this.#socket?.resume();
    const chunk = this.#chunks.shift();
    if (chunk !== undefined || this.#ended) return Promise.resolve(chunk);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Puts bytes back: the next read() answers them. */
  unread(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#chunks.unshift(bytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new Error("Cannot write: the connection is closed");
    this.#rest = bytes;
    this.#writer = Promise.withResolvers();
    const { promise } = this.#writer;
    this.#flush();
    await promise;
  }

  close(): void {
    this.closes++;
    this.#socket?.end();
    this.#finish();
  }

  #received(bytes: Uint8Array): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      reader.resolve(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#socket?.pause();
  }

  #flush(): void {
    if (this.#writer === undefined) return;
    this.#rest = this.#rest.subarray(this.#socket?.write(this.#rest) ?? 0);
    if (this.#rest.byteLength > 0) return;
    this.#writer.resolve();
    this.#writer = undefined;
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader?.resolve(undefined);
    this.#writer?.reject(new Error("Cannot write: the connection was closed"));
  }
}
