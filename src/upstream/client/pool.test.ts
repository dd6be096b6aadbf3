import { networkInterfaces } from "node:os";
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  always,
  closedPort,
  failure,
  forwardOptions,
  OK,
  RawNode,
  textOf,
  until,
  upstreamRequest,
} from "../testing.ts";
import type { Body } from "../../http/body.ts";
import { Exchange } from "./exchange.ts";
import { NodePool, type PoolOptions } from "./pool.ts";
import type { ResponseHead } from "./response-head.ts";

function poolTo(port: number, changes: Partial<PoolOptions> = {}): NodePool {
  return new NodePool({
    target: { host: "127.0.0.1", port },
    address: `127.0.0.1:${port}`,
    idleMax: 10,
    idleMs: 0,
    exchangesMax: 1000,
    ...changes,
  });
}

/** One exchange, on an idle connection if there is one. */
async function exchange(pool: NodePool): Promise<void> {
  const connection = pool.takeIdle() ?? (await pool.connect(0).connection);
  const { timeout } = forwardOptions();
  const { promise, resolve, reject } = Promise.withResolvers<Body | undefined>();
  const observer = {
    timeout,
    exchangeAnswered: (_head: ResponseHead, body: Body | undefined) => resolve(body),
    exchangeFailed: (_exchange: Exchange, error: GatewayError) => reject(error),
    exchangeEnded: () => {},
  };
  new Exchange(connection, upstreamRequest(), pool.address, observer).run(performance.now());
  expect(await textOf(await promise)).toBe("ok");
}

/** Containers are often without. */
function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((at) => at.address === "::1"),
  );
}

/**
 * A node that is stopped like a process that hangs: the kernel accepts connections for it until its
 * queue is full, and then drops every attempt without an answer.
 */
class StoppedNode implements AsyncDisposable {
  readonly port: number;
  readonly #child: Bun.Subprocess;

  private constructor(child: Bun.Subprocess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<StoppedNode> {
    const script = `
      const socket = { data() {} };
      const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
      process.send(listener.port);`;
    const port = Promise.withResolvers<number>();
    const child = Bun.spawn({
      cmd: [process.execPath, "-e", script],
      ipc: (message: number) => port.resolve(message),
    });
    const node = new StoppedNode(child, await port.promise);
    child.kill("SIGSTOP");
    return node;
  }

  wake(): void {
    this.#child.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

describe("NodePool connect()", () => {
  test("opens connections over TCP, by name, by IPv6 literal and over unix sockets", async () => {
    const file = `/tmp/sluice-pool-${process.pid}.sock`;
    const targets = [
      { listen: { hostname: "127.0.0.1", port: 0 }, host: "127.0.0.1" },
      { listen: { hostname: "localhost", port: 0 }, host: "localhost" },
      ...(hasIpv6() ? [{ listen: { hostname: "::1", port: 0 }, host: "::1" }] : []),
      { listen: { unix: file } },
      { listen: { unix: `\0sluice-pool-${process.pid}` } },
    ];
    for (const { listen, host } of targets) {
      using server = Bun.serve({
        ...(listen as { unix: string }),
        fetch: () => new Response("ok"),
      });
      const target =
        host === undefined ? { unix: listen.unix } : { host, port: server.port as number };
      const pool = poolTo(0, { target });
      await exchange(pool);
      expect(pool.idle).toBe(1);
      pool.retire();
    }
  });

  test("adopts a connection that comes after its deadline", async () => {
    await using node = await StoppedNode.start();
    const pool = poolTo(node.port);
    let connections = 0;
    let error;
    // Fills the kernel's queue; the one that does not fit any more hangs.
    for (; error === undefined && connections < 5000; connections++) {
      error = await pool.connect(100).connection.then(
        () => undefined,
        (reason: unknown) => reason,
      );
    }
    expect(error).toMatchObject({ code: "UPSTREAM_CONNECT_TIMEOUT" });
    expect((error as Error).message).toContain(`127.0.0.1:${node.port}`);
    expect((error as Error).message).toContain("connect timeout of 100 ms");
    expect(pool.connections).toBe(connections);
    expect(pool.idle).toBe(0);
    node.wake();
    await until(() => pool.idle === 1);
    expect(pool.connections).toBe(connections);
    pool.retire();
  });

  test("adopts a connection whose asker gave up before it was there", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port);
    const connecting = pool.connect(0);
    connecting.abort(new GatewayError("CLIENT_GONE", "gone"));
    expect((await failure(connecting.connection)).code).toBe("CLIENT_GONE");
    await until(() => pool.idle === 1);
    await exchange(pool);
    expect(node.peers.length).toBe(1);
  });
});

describe("NodePool connect() errors", () => {
  test("UPSTREAM_CONNECT_FAILED when nobody listens names node and reason", async () => {
    const port = closedPort();
    const pool = poolTo(port);
    const error = await failure(pool.connect(1000).connection);
    expect(error.code).toBe("UPSTREAM_CONNECT_FAILED");
    expect(error.message).toContain(`Cannot connect to 127.0.0.1:${port}: ECONNREFUSED after`);
    expect(pool.connections).toBe(0);
  });

  test.each([
    ["a unix socket that is not there", { unix: "/tmp/no/such.sock" }, "ENOENT"],
    ["a unix path that is too long", { unix: `/tmp/${"x".repeat(200)}` }, "EINVAL"],
    ["an empty host", { host: "", port: 80 }, "ERR_INVALID_ARG_TYPE"],
  ])("UPSTREAM_CONNECT_FAILED for %s", async (_what, target, reason) => {
    const pool = poolTo(0, { target });
    const error = await failure(pool.connect(0).connection);
    expect(error.code).toBe("UPSTREAM_CONNECT_FAILED");
    expect(error.message).toContain(reason);
    expect(pool.connections).toBe(0);
  });

  test("UPSTREAM_RESOLVE_FAILED for a name that does not exist", async () => {
    const pool = poolTo(0, { target: { host: "no-such-host.invalid", port: 80 } });
    const error = await failure(pool.connect(0).connection);
    expect(error.code).toBe("UPSTREAM_RESOLVE_FAILED");
    expect(error.message).toContain("ENOTFOUND");
  });

  test("UPSTREAM_OVERLOADED above the most connections, and not for good", async () => {
    const port = closedPort();
    const pool = poolTo(port);
    const { connectionsPerNodeMax } = LIMITS;
    const pending = Array.from({ length: connectionsPerNodeMax }, () => pool.connect(0).connection);
    expect(() => pool.connect(0)).toThrow(`limit is ${connectionsPerNodeMax}`);
    await Promise.allSettled(pending);
    expect(pool.connections).toBe(0);
    expect((await failure(pool.connect(0).connection)).code).toBe("UPSTREAM_CONNECT_FAILED");
  });
});

describe("NodePool idle connections", () => {
  test("are used again, the newest first", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port);
    await Promise.all([exchange(pool), exchange(pool), exchange(pool)]);
    expect(pool.idle).toBe(3);
    const newest = pool.takeIdle();
    newest?.use({ received: () => {}, drained: () => {}, disconnected: () => {} });
    newest?.release(true);
    expect(pool.takeIdle()).toBe(newest as NonNullable<typeof newest>);
  });

  test("are no more than the configured number", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port, { idleMax: 2 });
    await Promise.all([exchange(pool), exchange(pool), exchange(pool), exchange(pool)]);
    expect(pool.idle).toBe(2);
    expect(pool.connections).toBe(2);
    const none = poolTo(node.port, { idleMax: 0 });
    await exchange(none);
    expect(none.connections).toBe(0);
  });

  test("are closed after the configured number of exchanges", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port, { exchangesMax: 2 });
    for (let n = 0; n < 5; n++) await exchange(pool);
    expect(node.peers.length).toBe(3);
    await until(() => node.peers.filter((peer) => peer.closed).length === 2);
  });

  test("are closed when their time is over, the oldest first", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port, { idleMs: 60 });
    await Promise.all([exchange(pool), exchange(pool)]);
    expect(pool.idle).toBe(2);
    // One of the two is used now and then, and is therefore never idle for long.
    while (!node.peers.some((peer) => peer.closed)) {
      await exchange(pool);
      await Bun.sleep(0);
    }
    expect(pool.idle).toBe(1);
    await until(() => pool.idle === 0);
    expect(pool.connections).toBe(0);
  });

  test("that the node closes are noticed", async () => {
    for (const close of ["end", "reset"] as const) {
      using node = new RawNode(always(OK));
      const pool = poolTo(node.port);
      await exchange(pool);
      node.peers[0]?.[close]();
      await until(() => pool.idle === 0);
      expect(pool.connections).toBe(0);
    }
  });

  test("on which bytes arrive are closed: they could be taken for a later response", async () => {
    using node = new RawNode(always(OK));
    const pool = poolTo(node.port);
    await exchange(pool);
    await node.peers[0]?.send(OK);
    await until(() => pool.idle === 0);
    await node.peers[0]?.gone();
    expect(pool.connections).toBe(0);
  });

  test("are closed by retire(), and those in use when they come back", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
      await until(() => node.peers.length === 2 && node.peers.some(({ closed }) => closed));
      await peer.send("ok");
    });
    const pool = poolTo(node.port);
    const busy = exchange(pool);
    await until(() => node.peers.length === 1);
    pool.released(await pool.connect(0).connection, true);
    expect(pool.idle).toBe(1);
    pool.retire();
    expect(pool.idle).toBe(0);
    await busy;
    expect(pool.connections).toBe(0);
  });
});
