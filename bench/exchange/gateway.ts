import { drainMicrotasks } from "bun:jsc";
import type { Plugin } from "../../src/filter/filter.ts";
import { handle } from "../../src/proxy/exchange.ts";
import { HTTP1_BOUNDS } from "../../src/proxy/front/http1/bounds.ts";
import { Connection } from "../../src/proxy/front/http1/connection.ts";
import type { DataPlane } from "../../src/proxy/served.ts";
import { starts } from "../../src/upstream/client/start-queue.ts";
import { FakeClientSocket } from "./client-socket.ts";
import { type NodeSocket, withNodeSockets } from "./node-socket.ts";
import { newPlane } from "./plane.ts";

interface Client {
  readonly socket: FakeClientSocket;
  readonly connection: Connection;
}

/**
 * Everything of the gateway between two sockets, and sockets that cost nothing: what is left is the
 * price of our own code.
 */
export class SocketlessGateway {
  readonly #request: Buffer;
  readonly #response: Uint8Array;
  readonly #asked: NodeSocket[] = [];
  readonly #clients: Client[] = [];

  private constructor(plane: DataPlane, clients: number, request: string, response: string) {
    this.#request = Buffer.from(request, "latin1");
    // No Buffer: that would be a view when it is cut, and not what a node's socket hands over.
    this.#response = Uint8Array.from(Buffer.from(response, "latin1"));
    for (let n = 0; n < clients; n++) this.#clients.push(newClient(plane));
  }

  static async start(options: {
    readonly clients: number;
    readonly request: string;
    readonly response: string;
    readonly plugins?: readonly Plugin[];
  }): Promise<SocketlessGateway> {
    const plane = newPlane(options.plugins ?? []);
    const { clients, request, response } = options;
    const gateway = new SocketlessGateway(plane, clients, request, response);
    // Each opens the connection that it will use again.
    await withNodeSockets(gateway.#asked, () => gateway.#firstTurn());
    return gateway;
  }

  /** Bytes that clients have got. */
  get sentBytes(): number {
    return this.#clients.reduce((sum, { socket }) => sum + socket.sentBytes, 0);
  }

  /** What the last client got last, latin-1. */
  get lastAnswer(): string {
    return this.#clients.at(-1)?.socket.lastText() ?? "";
  }

  /** One exchange of every client; all are asked before the first is answered. */
  turn(): void {
    for (const { connection } of this.#clients) {
      connection.onData(this.#request);
      drainMicrotasks();
    }
    this.#answer();
  }

  async #firstTurn(): Promise<void> {
    for (const { connection } of this.#clients) connection.onData(this.#request);
    while (this.#asked.length < this.#clients.length) await Bun.sleep(1);
    this.#answer();
  }

  #answer(): void {
    starts.flush();
    const asked = this.#asked.splice(0);
    for (const socket of asked) {
      // The receiver owns what it gets.
      socket.answer(this.#response.slice());
      drainMicrotasks();
    }
  }
}

function newClient(plane: DataPlane): Client {
  const socket = new FakeClientSocket();
  const connection = new Connection(socket, {
    options: {
      host: "",
      port: 0,
      reusePort: false,
      handle: (incoming, asker) => handle(plane, incoming, asker),
      refuse: (error) => {
        throw error;
      },
    },
    bounds: HTTP1_BOUNDS,
    draining: false,
    onRequest() {},
    onRequestEnded() {},
    onClosed() {},
  });
  return { socket, connection };
}
