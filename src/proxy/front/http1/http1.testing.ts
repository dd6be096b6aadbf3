/** What the tests of this front share: fronts with a handler, and a client of raw bytes. */
import { MemoryBody } from "../../../http/body.ts";
import type { Body } from "../../../http/body.ts";
import { HeaderList } from "../../../http/headers.ts";
import { toGatewayError } from "../../../base/errors.ts";
import { type Answer, type Front, type FrontOptions, type Incoming, promised } from "../front.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import type { Http1Bounds } from "./bounds.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOwner } from "./connection.ts";
import { startHttp1Front } from "./http1-front.ts";

/** What a front's handler does in these tests. */
export type Answering = (incoming: Incoming) => Promise<Answer>;

export function answer(body: string | Body | undefined, change: Partial<Answer> = {}): Answer {
  return {
    status: 200,
    headers: new HeaderList(),
    body: typeof body === "string" ? new MemoryBody(Buffer.from(body, "latin1")) : body,
    tunnel: undefined,
    tunnelIdleMs: 0,
    close: false,
    ...change,
  };
}

/** The code of what went wrong, as a gateway would tell it. */
export function refuse(error: unknown): Answer {
  const { status, code } = toGatewayError(error);
  return answer(code, { status });
}

export function startFront(
  answering: Answering,
  bounds: Partial<Http1Bounds> = {},
  tls?: FrontOptions["tls"],
): Front {
  const options = {
    host: "127.0.0.1",
    port: 0,
    reusePort: false,
    tls,
    handle: promised(answering),
    refuse,
  };
  return startHttp1Front(options, bounds);
}

/** Chunks that are there one after the other; undefined ends it, an Error breaks it. */
export class QueueBody implements Body {
  readonly length: number | undefined;
  trailers: HeaderList | undefined;
  cancelledWith: unknown;
  isCancelled = false;
  isEnded = false;
  #queue: (Uint8Array | Error | undefined)[] = [];
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(length?: number) {
    this.length = length;
  }

  push(chunk: string | Error | undefined): void {
    const item = typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#queue.push(item);
    else if (item instanceof Error) waiting.reject(item);
    else {
      this.isEnded = item === undefined;
      waiting.resolve(item);
    }
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#queue.length > 0) {
      const item = this.#queue.shift();
      if (item instanceof Error) throw item;
      this.isEnded = item === undefined;
      return item;
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  cancel(reason: unknown): void {
    this.isCancelled = true;
    this.cancelledWith = reason;
    this.#waiting?.resolve(undefined);
  }
}

/** A client that sends what it is told to and keeps what it gets. */
export class RawClient {
  /** All that has been received, latin-1. */
  text = "";
  bytes = 0;
  /** Set when nothing more can come. */
  over: "end" | "reset" | undefined;
  /** Counts received bytes, and keeps none: for big answers. */
  counts = false;
  #socket: Bun.Socket | undefined;
  #changed = Promise.withResolvers<void>();
  #unsent = Buffer.alloc(0);

  /** @param tls once its handshake is through, or has failed */
  static async open(port: number, tls?: Bun.TLSOptions): Promise<RawClient> {
    const client = new RawClient();
    const secured = Promise.withResolvers<void>();
    client.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      ...(tls === undefined ? {} : { tls }),
      socket: {
        handshake: () => secured.resolve(),
        data: (_, chunk) => client.#onData(chunk),
        drain: () => client.#flush(),
        end: () => client.#onOver("end"),
        error: () => client.#onOver("reset"),
        close: (_, error) => client.#onOver(error === undefined ? "end" : "reset"),
      },
    });
    if (tls !== undefined) await secured.promise;
    return client;
  }

  /** @returns bytes that could not be sent yet */
  send(data: string | Uint8Array): number {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#flush();
    return this.#unsent.length;
  }

  get unsent(): number {
    return this.#unsent.length;
  }

  /** Our FIN; what is received still counts. */
  finish(): void {
    this.#socket?.shutdown();
  }

  /** Closes both ways, as a browser's tab does. */
  close(): void {
    this.#socket?.end();
  }

  /** RST. */
  abort(): void {
    this.#socket?.terminate();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Waits until it holds; fails when the connection is over and it does not. */
  async until(holds: (client: RawClient) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.over !== undefined) {
        throw new Error(`Cannot wait: the connection is over (${this.over}) after ${this.text}`);
      }
      await this.#changed.promise;
    }
  }

  /** Waits for the end. @returns all that was received */
  async end(): Promise<string> {
    await this.until((client) => client.over !== undefined);
    return this.text;
  }

  /** Waits for `count` whole answers with Content-Length. @returns them */
  async answers(count: number): Promise<ParsedAnswer[]> {
    await this.until(() => parseAnswers(this.text).length >= count);
    return parseAnswers(this.text);
  }

  #flush(): void {
    if (this.#unsent.length === 0) return;
    const sent = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(sent, 0));
    this.#notify();
  }

  #onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (!this.counts) this.text += chunk.toString("latin1");
    this.#notify();
  }

  #onOver(how: "end" | "reset"): void {
    this.over ??= how;
    this.#notify();
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
  }
}

export interface ParsedAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Whole answers with Content-Length, or without a body, at the start of `text`. */
export function parseAnswers(text: string): ParsedAnswer[] {
  const answers: ParsedAnswer[] = [];
  let at = 0;
  for (;;) {
    const headEnd = text.indexOf("\r\n\r\n", at);
    if (headEnd < 0) return answers;
    const head = text.slice(at, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const length = Number(/^Content-Length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const bodyAt = headEnd + 4;
    if (text.length < bodyAt + length) return answers;
    answers.push({ status, head, body: text.slice(bodyAt, bodyAt + length) });
    at = bodyAt + length;
  }
}

/** Waits for what has no event of its own, and gives up after 5 s. */
export async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > until) throw new Error("Cannot wait longer than 5 s");
    await Bun.sleep(1);
  }
}

/** Waits until it has been the same for 30 ms: nothing goes on any more. */
export async function settled(value: () => number): Promise<void> {
  let before: number | undefined;
  while (value() !== before) {
    before = value();
    await Bun.sleep(30);
  }
}

/** A socket without a system behind it: takes `room` bytes and notes what is asked of it. */
export class FakeSocket {
  readonly remoteAddress: string = "192.0.2.1";
  readonly remotePort = 1;
  readonly localAddress: string = "192.0.2.2";
  readonly localPort = 2;
  /** All that was written, latin-1. */
  sent = "";
  room = Infinity;
  /** The connection is broken: writes answer -1, as Bun's do, and no event tells of it. */
  broken = false;
  writes = 0;
  /** Calls other than write(), in order. */
  readonly calls: string[] = [];

  write(bytes: Uint8Array, byteOffset = 0, byteLength = bytes.length - byteOffset): number {
    this.writes++;
    if (this.broken) return -1;
    const taken = Math.min(this.room, byteLength);
    this.room -= taken;
    this.sent += Buffer.from(bytes.subarray(byteOffset, byteOffset + taken)).toString("latin1");
    return taken;
  }

  end(): number {
    this.calls.push("end");
    return 0;
  }

  shutdown(): void {
    this.calls.push("shutdown");
  }

  terminate(): void {
    this.calls.push("terminate");
  }

  pause(): void {
    this.calls.push("pause");
  }

  resume(): void {
    this.calls.push("resume");
  }
}

/** A connection on a FakeSocket. */
export function fakeConnection(answering: Answering, change: Partial<ConnectionOwner> = {}) {
  const socket = new FakeSocket();
  const connection = new Connection(socket, {
    options: { host: "", port: 0, reusePort: false, handle: promised(answering), refuse },
    bounds: HTTP1_BOUNDS,
    draining: false,
    onRequest: () => {},
    onRequestEnded: () => {},
    onClosed: () => {},
    ...change,
  });
  const receive = (text: string): void => connection.onData(Buffer.from(text, "latin1"));
  return { socket, connection, receive };
}

/** Lets everything happen that hangs on promises only. */
export async function microtasks(): Promise<void> {
  for (let count = 0; count < 2000; count++) await Promise.resolve();
}
