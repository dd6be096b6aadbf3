/** A WebSocket client that keeps what came, in order. */
export class WebSocketClient {
  readonly messages: (string | Uint8Array)[] = [];
  readonly pongs: string[] = [];
  readonly pings: string[] = [];
  readonly socket: WebSocket;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<{ code: number; reason: string }>();
  #watchers: (() => void)[] = [];
  #isClosed = false;

  constructor(url: string, protocols: string[] = [], tls: Bun.TLSOptions = {}) {
    this.socket = new WebSocket(url, { protocols, tls });
    this.socket.addEventListener("open", () => this.#opened.resolve());
    this.socket.addEventListener("message", ({ data }) => {
      this.messages.push(data as string | Uint8Array);
      this.#notify();
    });
    this.socket.addEventListener("ping", (event) => this.#control(this.pings, event));
    this.socket.addEventListener("pong", (event) => this.#control(this.pongs, event));
    this.socket.addEventListener("close", ({ code, reason }) => {
      this.#isClosed = true;
      this.#opened.reject(new Error(`closed with ${code} before it opened`));
      this.#closed.resolve({ code, reason });
      this.#notify();
    });
    this.#opened.promise.catch(() => {}); // Nobody need wait for it.
  }

  /** @param tls of a wss: URL */
  static async open(
    url: string,
    protocols: string[] = [],
    tls: Bun.TLSOptions = {},
  ): Promise<WebSocketClient> {
    const client = new WebSocketClient(url, protocols, tls);
    await client.#opened.promise;
    return client;
  }

  /** How it was closed. */
  get closed(): Promise<{ code: number; reason: string }> {
    return this.#closed.promise;
  }

  /** Resolves when the condition holds; checked whenever something arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#isClosed) throw new Error(`closed first: got ${this.messages.length} messages`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.push(resolve);
      await promise;
    }
  }

  async untilMessages(count: number): Promise<void> {
    await this.until(() => this.messages.length >= count);
  }

  #control(list: string[], event: Event): void {
    const { data } = event as MessageEvent<Uint8Array>;
    list.push(Buffer.from(data).toString());
    this.#notify();
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}
