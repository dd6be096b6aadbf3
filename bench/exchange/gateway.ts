import { drainMicrotasks } from "bun:jsc";
import { join } from "node:path";
import { startPlugin } from "../../src/abi/proxy-wasm/plugin.ts";
import { FakePluginHost, TEST_SETTINGS } from "../../src/abi/proxy-wasm/testing.ts";
import type { Plugin } from "../../src/filter/filter.ts";
import { handle } from "../../src/proxy/exchange.ts";
import { HTTP1_BOUNDS } from "../../src/proxy/front/http1/bounds.ts";
import type { ClientSocket } from "../../src/proxy/front/http1/client-channel.ts";
import { Connection } from "../../src/proxy/front/http1/connection.ts";
import type { DataPlane, ServedRoute } from "../../src/proxy/served.ts";
import { buildRouter } from "../../src/router/router.ts";
import { NodePools } from "../../src/upstream/node-pools.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import { loadModule } from "../../src/wasm/module.ts";

/**
 * Everything of the gateway between two sockets, and sockets that cost nothing: what is left is the
 * price of our own code.
 */
export class SocketlessGateway {
  /** Bytes that clients have got. */
  sentBytes = 0;
  readonly #request: Buffer;
  readonly #response: Buffer;
  readonly #asked: NodeSocket[] = [];
  readonly #clients: Connection[] = [];

  private constructor(plane: DataPlane, clients: number, request: string, response: string) {
    this.#request = Buffer.from(request, "latin1");
    this.#response = Buffer.from(response, "latin1");
    for (let n = 0; n < clients; n++) this.#clients.push(this.#client(plane));
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
    const real = Bun.connect;
    const fake = async (given: { data: unknown; socket: NodeHandlers }): Promise<NodeSocket> => {
      const socket = new NodeSocket(given.data, given.socket, gateway.#asked);
      given.socket.open(socket);
      return socket;
    };
    Bun.connect = fake as unknown as typeof Bun.connect;
    // Each opens the connection that it will use again.
    await gateway.#turn();
    Bun.connect = real;
    return gateway;
  }

  /** One exchange of every client; all are asked before the first is answered. */
  turn(): void {
    for (const client of this.#clients) {
      client.onData(this.#request);
      drainMicrotasks();
    }
    this.#answer();
  }

  async #turn(): Promise<void> {
    for (const client of this.#clients) client.onData(this.#request);
    while (this.#asked.length < this.#clients.length) await Bun.sleep(1);
    this.#answer();
  }

  #answer(): void {
    const asked = this.#asked.splice(0);
    for (const { handlers, self } of asked) {
      // The receiver owns what it gets.
      handlers.data(self, this.#response.slice());
      drainMicrotasks();
    }
  }

  #client(plane: DataPlane): Connection {
    const socket: ClientSocket = {
      write: (bytes: Uint8Array, offset = 0, length = bytes.length - offset) => {
        this.sentBytes += length;
        return length;
      },
      end: () => 0,
      terminate() {},
      shutdown() {},
      pause() {},
      resume() {},
      remoteAddress: "127.0.0.1",
      remotePort: 40_000,
      localAddress: "127.0.0.1",
      localPort: 9080,
    };
    return new Connection(socket, {
      options: {
        host: "",
        port: 0,
        reusePort: false,
        handle: (incoming) => handle(plane, incoming),
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
  }
}

interface NodeHandlers {
  open(socket: NodeSocket): void;
  data(socket: NodeSocket, chunk: Uint8Array): void;
}

class NodeSocket {
  readonly data: unknown;
  readonly handlers: NodeHandlers;
  readonly #asked: NodeSocket[];

  constructor(data: unknown, handlers: NodeHandlers, asked: NodeSocket[]) {
    this.data = data;
    this.handlers = handlers;
    this.#asked = asked;
  }

  get self(): NodeSocket {
    return this;
  }

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    this.#asked.push(this);
    return length;
  }

  pause(): void {}
  resume(): void {}
  terminate(): void {}
}

function newPlane(plugins: readonly Plugin[]): DataPlane {
  const node = {
    kind: "tcp",
    host: "127.0.0.1",
    port: 1,
    address: "127.0.0.1:1",
    weight: 1,
  } as const;
  const timeout = { connectMs: 60_000, sendMs: 60_000, readMs: 60_000, totalMs: 0, idleMs: 60_000 };
  const upstream = new Upstream(
    {
      id: "node",
      type: "roundrobin",
      nodes: [node],
      timeout,
      retries: 1,
      passHost: "pass",
      upstreamHost: undefined,
      keepalive: { size: 320, idleMs: 60_000, requests: 1_000_000_000 },
    },
    new NodePools({ resolveBuiltin: () => ({ host: "127.0.0.1", port: 1 }) }),
  );
  const value: ServedRoute = { id: "all", upstream, timeout, plugins };
  return {
    inFlight: 0,
    draining: false,
    current: {
      number: 1,
      limits: {
        requestTargetBytes: 8192,
        requestHeaderBytes: 32_768,
        requestBodyBytes: 1_000_000,
        filterBufferBytes: 1_000_000,
        exchangesInFlight: 20_000,
      },
      router: buildRouter([
        { id: "all", uris: ["/*"], hosts: [], methods: [], priority: 0, value },
      ]),
      enter() {},
      leave() {},
    },
  };
}

/** @param path below test/guests; adds a header each way */
export async function addHeader(
  path: string,
  instances: "shared" | "per_request",
): Promise<Plugin> {
  const bytes = await Bun.file(join(import.meta.dir, "../../test/guests", path)).bytes();
  const { memoryPages } = TEST_SETTINGS.limits;
  const host = new FakePluginHost();
  host.configuration = new TextEncoder().encode("x-tenant: blue");
  const module = loadModule(bytes, { memoryPages, fuel: false });
  return startPlugin(module, host, { ...TEST_SETTINGS, instances });
}
