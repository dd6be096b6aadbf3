import type { Socket, TCPSocketListener } from "bun";

/** What a node does with a request; called when its head is complete, the body may still come. */
export type Behaviour = (call: NodeCall) => void | Promise<void>;

const HEAD_END = "\r\n\r\n";

/**
 * An HTTP/1.1 node on a raw socket: it keeps every request as it came over the wire and answers
 * with the very bytes that a test tells it. Nothing is corrected, in neither direction.
 *
 *   gateway ──bytes──▶ NodeConnection ──head──▶ NodeCall ──▶ behaviour of its path
 */
export class ScriptedNode implements Disposable {
  /** Every request so far, over all connections, in order. */
  readonly calls: NodeCall[] = [];
  /** Connections accepted so far. */
  connections = 0;
  readonly #listener: TCPSocketListener<NodeConnection | undefined>;
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #otherwise: Behaviour;
  #watchers: (() => void)[] = [];

  /** @param otherwise for paths that on() was not told about */
  constructor(otherwise: Behaviour = (call) => call.reply("200 OK", [], `node:${call.target}`)) {
    this.#otherwise = otherwise;
    this.#listener = Bun.listen<NodeConnection | undefined>({
      hostname: "127.0.0.1",
      port: 0,
      data: undefined,
      socket: {
        open: (socket) => {
          this.connections++;
          socket.data = new NodeConnection(socket as unknown as Socket, this);
        },
        data: (socket, bytes) => socket.data?.receive(Buffer.from(bytes)),
        drain: (socket) => socket.data?.drained(),
        end: (socket) => socket.data?.ended(),
        close: (socket) => socket.data?.ended(),
        error: (socket) => socket.data?.ended(),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** @param path without the query; a second call replaces the first */
  on(path: string, behaviour: Behaviour): void {
    this.#behaviours.set(path, behaviour);
  }

  callsTo(path: string): NodeCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  /** The request with that number to that path; waits for it. */
  async call(path: string, number = 0): Promise<NodeCall> {
    for (;;) {
      const found = this.callsTo(path)[number];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }

  /** @internal */
  took(call: NodeCall): void {
    this.calls.push(call);
    void (this.#behaviours.get(call.path) ?? this.#otherwise)(call);
    for (const wake of this.#watchers.splice(0)) wake();
  }
}

/** One request at a node. */
export class NodeCall {
  readonly method: string;
  readonly target: string;
  /** Header lines, as they came. */
  readonly lines: readonly string[];
  readonly connection: NodeConnection;
  /** Body so far, chunking taken off. */
  body: Buffer = Buffer.alloc(0);
  /** Trailer lines, as they came. */
  readonly trailers: string[] = [];
  complete = false;

  constructor(head: string, connection: NodeConnection) {
    const [line = "", ...lines] = head.split("\r\n");
    [this.method = "", this.target = ""] = line.split(" ");
    this.lines = lines;
    this.connection = connection;
  }

  get path(): string {
    return this.target.split("?")[0] ?? "";
  }

  /** Values of all lines of that name, in order. */
  all(name: string): string[] {
    const start = `${name.toLowerCase()}:`;
    return this.lines
      .filter((line) => line.toLowerCase().startsWith(start))
      .map((line) => line.slice(start.length).trim());
  }

  /** undefined when there is no such line. */
  header(name: string): string | undefined {
    const values = this.all(name);
    return values.length === 0 ? undefined : values.join(" | ");
  }

  /** The whole body. @throws when the connection ends before it */
  async whole(): Promise<Buffer> {
    await this.connection.until(() => this.complete);
    return this.body;
  }

  /** Waits until the body so far holds the text. */
  async bodyHas(text: string): Promise<void> {
    await this.connection.until(() => this.body.includes(text));
  }

  /** Resolves when the gateway has closed this call's connection. */
  gone(): Promise<void> {
    return this.connection.gone.promise;
  }

  /**
   * Bytes as they are; latin-1. Resolves when the system has taken them, or the connection is gone.
   */
  write(bytes: string | Uint8Array): Promise<void> {
    return this.connection.write(bytes);
  }

  /** A whole response with Content-Length, once the request has come to its end. */
  async reply(status: string, lines: readonly string[], body: string | Uint8Array): Promise<void> {
    await this.connection.until(() => this.complete).catch(() => {});
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    const all = [...lines, `Content-Length: ${bytes.byteLength}`];
    const head = `HTTP/1.1 ${status}\r\n${all.map((line) => `${line}\r\n`).join("")}\r\n`;
    await this.write(Buffer.concat([Buffer.from(head, "latin1"), bytes]));
  }

  /** Closes the connection in order. */
  end(): void {
    this.connection.end();
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    this.connection.reset();
  }
}

type Reading = "head" | "length" | "size" | "chunk" | "chunk-end" | "trailers";

class NodeConnection {
  readonly gone = Promise.withResolvers<void>();
  readonly #socket: Socket;
  readonly #node: ScriptedNode;
  #input: Buffer = Buffer.alloc(0);
  #reading: Reading = "head";
  #left = 0;
  #call: NodeCall | undefined;
  #isGone = false;
  #watchers: (() => void)[] = [];
  #drain: (() => void) | undefined;

  constructor(socket: Socket, node: ScriptedNode) {
    this.#socket = socket;
    this.#node = node;
  }

  receive(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    while (this.#step());
    this.#notify();
  }

  drained(): void {
    this.#drain?.();
  }

  ended(): void {
    this.#isGone = true;
    this.gone.resolve();
    this.#drain?.();
    this.#notify();
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    let rest = Buffer.from(bytes as string, "latin1");
    while (!this.#isGone) {
      rest = rest.subarray(Math.max(0, this.#socket.write(rest)));
      if (rest.length === 0) return;
      await new Promise<void>((resolve) => (this.#drain = resolve));
    }
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.terminate();
  }

  /** Resolves when the condition holds. @throws when the connection ends first */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#isGone) throw new Error("Cannot wait longer: the gateway closed the connection");
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Takes one piece off the input. @returns false when more bytes are needed */
  #step(): boolean {
    if (this.#reading === "head") return this.#readHead();
    if (this.#reading === "length" || this.#reading === "chunk") return this.#readBytes();
    const line = this.#takeLine();
    if (line === undefined) return false;
    if (this.#reading === "size") {
      this.#left = Number.parseInt(line, 16);
      this.#reading = this.#left === 0 ? "trailers" : "chunk";
    } else if (this.#reading === "chunk-end") {
      this.#reading = "size";
    } else if (line === "") {
      this.#finish();
    } else {
      this.#call?.trailers.push(line);
    }
    return true;
  }

  #readHead(): boolean {
    const end = this.#input.indexOf(HEAD_END);
    if (end < 0) return false;
    const call = new NodeCall(this.#input.subarray(0, end).toString("latin1"), this);
    this.#input = this.#input.subarray(end + HEAD_END.length);
    this.#call = call;
    this.#left = Number(call.header("content-length") ?? 0);
    this.#reading = call.header("transfer-encoding") === undefined ? "length" : "size";
    if (this.#reading === "length" && this.#left === 0) this.#finish();
    this.#node.took(call);
    return true;
  }

  #readBytes(): boolean {
    const call = this.#call;
    const bytes = this.#input.subarray(0, this.#left);
    if (call === undefined || bytes.length === 0) return false;
    call.body = Buffer.concat([call.body, bytes]);
    this.#input = this.#input.subarray(bytes.length);
    this.#left -= bytes.length;
    if (this.#left > 0) return true;
    if (this.#reading === "chunk") this.#reading = "chunk-end";
    else this.#finish();
    return true;
  }

  #takeLine(): string | undefined {
    const end = this.#input.indexOf("\r\n");
    if (end < 0) return undefined;
    const line = this.#input.subarray(0, end).toString("latin1");
    this.#input = this.#input.subarray(end + 2);
    return line;
  }

  #finish(): void {
    if (this.#call !== undefined) this.#call.complete = true;
    this.#reading = "head";
  }

  #notify(): void {
    for (const wake of this.#watchers.splice(0)) wake();
  }
}
