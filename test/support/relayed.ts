import type { Server } from "bun";
import { HeaderList } from "../../src/http/headers.ts";
import { webSocketHandlers } from "../../src/proxy/websocket/handlers.ts";
import { acceptHandshake, openHandshake } from "../../src/proxy/websocket/handshake.ts";
import { type RelayEnd, WebSocketRelay } from "../../src/proxy/websocket/relay.ts";
import { RawNode, type RawPeer } from "./raw-node.ts";
import { WebSocketClient } from "./web-socket-client.ts";
import { TcpTunnel } from "./tcp-tunnel.ts";

/**
 * A front with nothing but WebSockets: every upgrade is relayed to one node.
 *
 *   client ── Bun.serve ── WebSocketRelay ── TcpTunnel ── node on `nodePort`
 */
export class RelayFront {
  readonly relays: WebSocketRelay[] = [];
  readonly tunnels: TcpTunnel[] = [];
  readonly #server: Server<WebSocketRelay>;
  readonly #options: RelayFrontOptions;
  readonly #ends: RelayEnd[] = [];
  #waiting: ((end: RelayEnd) => void) | undefined;

  constructor(options: RelayFrontOptions) {
    this.#options = options;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => this.#fetch(request, server),
      websocket: webSocketHandlers,
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}/`;
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  /** How the oldest relay ended whose end was not asked for yet. */
  ended(): Promise<RelayEnd> {
    const end = this.#ends.shift();
    if (end !== undefined) return Promise.resolve(end);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** Ends that nobody has asked for. */
  get unclaimedEnds(): number {
    return this.#ends.length;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  async #fetch(request: Request, server: Server<WebSocketRelay>): Promise<Response | undefined> {
    const tunnel = await TcpTunnel.connect(this.#options.nodePort);
    this.tunnels.push(tunnel);
    const headers =
      this.#options.handshake === false
        ? ([["Sec-WebSocket-Protocol", ""]] as [string, string][])
        : await shakeHands(request, tunnel);
    const relay = new WebSocketRelay({
      tunnel,
      idleMs: this.#options.idleMs ?? 0,
      onEnd: (end) => this.#ended(end),
    });
    this.relays.push(relay);
    if (server.upgrade(request, { data: relay, headers })) return undefined;
    relay.close(1011, "the client has gone");
    return new Response("no", { status: 400 });
  }

  #ended(end: RelayEnd): void {
    if (this.#waiting === undefined) this.#ends.push(end);
    else this.#waiting(end);
    this.#waiting = undefined;
  }
}

export interface RelayFrontOptions {
  readonly nodePort: number;
  /** False: the node speaks frames from the first byte on. */
  readonly handshake?: boolean;
  readonly idleMs?: number;
}

/** Asks the node for the upgrade, as the upstream client does. */
async function shakeHands(request: Request, tunnel: TcpTunnel): Promise<[string, string][]> {
  const headers = HeaderList.from(request.headers);
  const handshake = openHandshake(request.method, headers);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await tunnel.write(Buffer.from(`GET /ws HTTP/1.1\r\n${lines}\r\n`));
  let head = Buffer.alloc(0);
  while (!head.includes("\r\n\r\n")) {
    const chunk = await tunnel.read();
    if (chunk === undefined) throw new Error(`The node ended inside its head: ${head.toString()}`);
    head = Buffer.concat([head, chunk]);
  }
  const end = head.indexOf("\r\n\r\n");
  tunnel.unread(head.subarray(end + 4));
  const [status = "", ...received] = head.subarray(0, end).toString("latin1").split("\r\n");
  if (!status.includes(" 101 ")) throw new Error(`The node does not upgrade: ${status}`);
  const pairs = received.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return acceptHandshake(handshake, HeaderList.from(pairs));
}

export interface RawPair {
  readonly client: WebSocketClient;
  readonly peer: RawPeer;
  readonly relayed: RelayFront;
}

/** A client and the node's end of its relayed connection, which the test drives byte by byte. */
export async function openRawPair(
  cleanups: (() => unknown)[],
  options: { readonly idleMs?: number } = {},
): Promise<RawPair> {
  const node = new RawNode();
  const relayed = new RelayFront({ nodePort: node.port, handshake: false, ...options });
  cleanups.push(
    () => node.stop(),
    () => relayed.stop(),
  );
  const [client, peer] = await Promise.all([WebSocketClient.open(relayed.url), node.accept()]);
  return { client, peer, relayed };
}
