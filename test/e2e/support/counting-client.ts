import type { Socket } from "bun";
import { PATIENCE_MS } from "./gateway.ts";

/**
 * A connection for bodies that are too large to keep: what comes is counted, what goes is made as
 * it is taken, and the test decides how fast it reads.
 *
 *   const client = await CountingClient.open(port, "GET /stream-bytes/1073741824 HTTP/1.1\r\n…");
 *   await client.untilReceived(1000);
 *   client.pause();
 */
export class CountingClient {
  /** Bytes received, the head of the response included. */
  receivedBytes = 0;
  /** Bytes of send() that the system has taken. */
  sentBytes = 0;
  /** The other side has ended, or broken, the connection. */
  ended = false;
  /** The first 16 KiB received, latin-1: the head of the response, and what fits behind it. */
  start = "";
  #socket: Socket | undefined;
  #leftBytes = 0;
  #watchers: (() => void)[] = [];

  /** Connects and sends the request. @param request latin-1 */
  static async open(port: number, request: string): Promise<CountingClient> {
    const client = new CountingClient();
    client.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, bytes) => client.#take(bytes),
        drain: () => client.#flush(),
        end: () => client.#end(),
        close: () => client.#end(),
        error: () => client.#end(),
      },
    });
    client.#socket.write(Buffer.from(request, "latin1"));
    return client;
  }

  /** Sends that many zeros as fast as they are taken. Resolves when the last one is. */
  async send(bytes: number): Promise<void> {
    this.#leftBytes += bytes;
    this.#flush();
    await this.#until(() => this.#leftBytes === 0, "everything was sent");
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#socket?.terminate();
    this.#end();
  }

  /** @throws when the connection ends before, or no byte comes for PATIENCE_MS */
  async untilReceived(bytes: number): Promise<void> {
    await this.#until(() => this.receivedBytes >= bytes, `${bytes} bytes came`);
  }

  /** Waits until what has come so far matches. */
  async untilStart(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.start), `${String(pattern)} came`);
  }

  /** Waits as long as there is progress. */
  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.ended) throw new Error(`The connection ended before ${what}: ${this.#state()}`);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const late = setTimeout(() => resolve(false), PATIENCE_MS);
      this.#watchers.push(() => resolve(true));
      const isAlive = await promise;
      clearTimeout(late);
      if (!isAlive) throw new Error(`Nothing happens before ${what}: ${this.#state()}`);
    }
  }

  #state(): string {
    return `${this.receivedBytes} bytes received, ${this.sentBytes} sent`;
  }

  #take(bytes: Uint8Array): void {
    this.receivedBytes += bytes.byteLength;
    const room = 16 * 1024 - this.start.length;
    if (room > 0) this.start += Buffer.from(bytes.subarray(0, room)).toString("latin1");
    this.#notify();
  }

  #flush(): void {
    while (this.#leftBytes > 0) {
      const zeros = ZEROS.subarray(0, Math.min(ZEROS.length, this.#leftBytes));
      const taken = Math.max(0, this.#socket?.write(zeros) ?? 0);
      this.#leftBytes -= taken;
      this.sentBytes += taken;
      if (taken < zeros.length) break;
    }
    this.#notify();
  }

  #end(): void {
    this.ended = true;
    this.#notify();
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

const ZEROS = new Uint8Array(256 * 1024);
