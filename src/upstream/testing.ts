import type { Socket, TCPSocketListener } from "bun";
import { Cancellation } from "../base/cancellation.ts";
import { GatewayError } from "../base/errors.ts";
import type { NodeConfig, TimeoutConfig, UpstreamConfig } from "../config/config.ts";
import type { Body } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { ForwardOptions, UpstreamRequest } from "./message.ts";
import { NodePools } from "./node-pools.ts";
import { Upstream } from "./upstream.ts";

/** What a node does with one connection; it ends quietly when the gateway closes it. */
export type Script = (peer: Peer) => Promise<void> | void;

class PeerClosed extends Error {}

/** A node that speaks raw bytes, so that it can do what no server library does. */
export class RawNode implements Disposable {
  readonly peers: Peer[] = [];
  /** What went wrong in a script; thrown by dispose, so that no expectation in it is lost. */
  readonly #errors: unknown[] = [];
  readonly #listener: TCPSocketListener<Peer>;

  constructor(script: Script, options: { port?: number } = {}) {
    this.#listener = Bun.listen<Peer>({
      hostname: "127.0.0.1",
      port: options.port ?? 0,
      socket: {
        open: (socket) => {
          const peer = new Peer(socket);
          socket.data = peer;
          this.peers.push(peer);
          this.#run(script, peer).catch((error: unknown) => this.#errors.push(error));
        },
        data: (socket, chunk) => socket.data.onData(chunk),
        drain: (socket) => socket.data.onChange(),
        close: (socket) => socket.data.onClose(),
        error: (_socket, error) => void this.#errors.push(error),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  config(weight = 1): NodeConfig {
    return tcpNode(this.port, weight);
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  async #run(script: Script, peer: Peer): Promise<void> {
    try {
      await script(peer);
    } catch (error) {
      if (!(error instanceof PeerClosed)) throw error;
    }
  }
}

/** The node's end of one connection. */
export class Peer {
  /** Bytes that came from the gateway. */
  receivedBytes = 0;
  /** Bytes that the kernel took from the node. */
  sentBytes = 0;
  closed = false;
  /** Received and not yet consumed by receives(), as latin-1. */
  unread = "";
  readonly #socket: Socket<Peer>;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket<Peer>) {
    this.#socket = socket;
  }

  /** Waits for `text`; consumes and returns everything up to its end. */
  async receives(text: string): Promise<string> {
    await this.#until(() => this.unread.includes(text));
    const end = this.unread.indexOf(text) + text.length;
    const taken = this.unread.slice(0, end);
    this.unread = this.unread.slice(end);
    return taken;
  }

  /** Waits for a request head; returns it. */
  head(): Promise<string> {
    return this.receives("\r\n\r\n");
  }

  /** Waits for `count` bytes; consumes and returns them. */
  async bytes(count: number): Promise<string> {
    await this.#until(() => this.unread.length >= count);
    const taken = this.unread.slice(0, count);
    this.unread = this.unread.slice(count);
    return taken;
  }

  /** @param content text is latin-1 */
  async send(content: string | Uint8Array): Promise<void> {
    let rest: Uint8Array = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    for (;;) {
      const taken = Math.max(0, this.#socket.write(rest));
      this.sentBytes += taken;
      if (taken === rest.byteLength) return;
      rest = rest.subarray(taken);
      await this.#next();
    }
  }

  /** One byte each turn of the event loop, so that they arrive one by one. */
  async sendSlowly(content: string): Promise<void> {
    for (const char of content) {
      await this.send(char);
      await Bun.sleep(1);
    }
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves when the gateway has closed. */
  async gone(): Promise<void> {
    while (!this.closed) await this.#changed.promise;
  }

  onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.byteLength;
    this.unread += Buffer.from(chunk).toString("latin1");
    this.onChange();
  }

  onClose(): void {
    this.closed = true;
    this.onChange();
  }

  onChange(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#next();
  }

  async #next(): Promise<void> {
    if (!this.closed) await this.#changed.promise;
    if (this.closed) throw new PeerClosed();
  }
}

/** A script that answers every request without a body with the same bytes. */
export function always(response: string): Script {
  return async (peer) => {
    for (;;) {
      await peer.head();
      await peer.send(response);
    }
  };
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export const NO_TIMEOUTS: TimeoutConfig = {
  connectMs: 0,
  sendMs: 0,
  readMs: 0,
  totalMs: 0,
  idleMs: 0,
};

/** A port on which nobody listens. */
export function closedPort(): number {
  using node = new RawNode(() => {});
  return node.port;
}

export function tcpNode(port: number, weight = 1): NodeConfig {
  return { kind: "tcp", host: "127.0.0.1", port, address: `127.0.0.1:${port}`, weight };
}

export function upstreamConfig(
  nodes: readonly NodeConfig[],
  changes: Partial<UpstreamConfig> = {},
): UpstreamConfig {
  return {
    id: "app",
    type: "roundrobin",
    nodes,
    timeout: NO_TIMEOUTS,
    retries: 0,
    passHost: "pass",
    upstreamHost: undefined,
    keepalive: { size: 10, idleMs: 60_000, requests: 1000 },
    ...changes,
  };
}

export function nodePools(): NodePools {
  return new NodePools({
    resolveBuiltin: (name) => {
      throw new Error(`Cannot resolve "${name}": this test has no builtin nodes`);
    },
  });
}

/** An upstream of its own pools to these nodes. */
export function upstreamTo(
  nodes: readonly (RawNode | NodeConfig)[],
  changes: Partial<UpstreamConfig> = {},
): Upstream {
  const configs = nodes.map((node) => (node instanceof RawNode ? node.config() : node));
  return new Upstream(upstreamConfig(configs, changes), nodePools());
}

export function upstreamRequest(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: "GET",
    target: "/",
    authority: "app.test",
    headers: new HeaderList(),
    body: undefined,
    upgrade: undefined,
    ...changes,
  };
}

export function forwardOptions(
  timeout: Partial<TimeoutConfig> = {},
  cancellation = new Cancellation(),
): ForwardOptions {
  return { timeout: { ...NO_TIMEOUTS, ...timeout }, cancellation };
}

/** A request body that gives what the test lets it give. */
export class ManualBody implements Body {
  readonly length: number | undefined;
  readonly trailers: HeaderList | undefined;
  cancelledWith: unknown;
  /** Bytes that were read. */
  readBytes = 0;
  readonly #ready: (Uint8Array | Error | undefined)[] = [];
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(length?: number, trailers?: HeaderList) {
    this.length = length;
    this.trailers = trailers;
  }

  /** @param chunk undefined: the end; an error: the body breaks */
  give(chunk: string | Uint8Array | Error | undefined): this {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#ready.push(bytes);
    else if (bytes instanceof Error) waiting.reject(bytes);
    else waiting.resolve(this.#count(bytes));
    return this;
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.cancelledWith !== undefined) return undefined;
    if (this.#ready.length === 0) {
      this.#waiting = Promise.withResolvers();
      return this.#waiting.promise;
    }
    const next = this.#ready.shift();
    if (next instanceof Error) throw next;
    return this.#count(next);
  }

  cancel(reason: unknown): void {
    this.cancelledWith = reason;
    this.#waiting?.resolve(undefined);
  }

  #count(bytes: Uint8Array | undefined): Uint8Array | undefined {
    this.readBytes += bytes?.byteLength ?? 0;
    return bytes;
  }
}

/** Reads a body to its end, as latin-1. */
export async function textOf(body: Body | undefined): Promise<string> {
  let all = "";
  for (;;) {
    const chunk = await body?.read();
    if (chunk === undefined) return all;
    all += Buffer.from(chunk).toString("latin1");
  }
}

/** The GatewayError that a promise rejects with. */
export async function failure(pending: Promise<unknown>): Promise<GatewayError> {
  const error = await pending.then(
    (value) => new Error(`Expected a GatewayError, but got ${String(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof GatewayError) return error;
  throw error;
}

/** Resolves when the condition holds; the test's own deadline bounds it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(1);
}
