import { describe, expect, test } from "bun:test";
import type { NodeConfig } from "../config/config.ts";
import { NodePools } from "./node-pools.ts";
import {
  always,
  forwardOptions,
  nodePools,
  OK,
  RawNode,
  tcpNode,
  textOf,
  until,
  upstreamConfig,
  upstreamRequest,
} from "./testing.ts";
import { Upstream } from "./upstream.ts";

const KEEPALIVE = { size: 10, idleMs: 60_000, requests: 1000 };

async function get(upstream: Upstream): Promise<string> {
  return textOf((await upstream.forward(upstreamRequest(), forwardOptions())).body);
}

describe("NodePools acquire()", () => {
  test("gives one pool for one node, however often and from wherever it is named", () => {
    const pools = nodePools();
    const pool = pools.acquire(tcpNode(1, 1), KEEPALIVE);
    expect(pools.acquire(tcpNode(1, 5), KEEPALIVE)).toBe(pool);
    expect(pools.size).toBe(1);
  });

  test("gives different pools for other nodes and other keepalive settings", () => {
    const pools = nodePools();
    const unix: NodeConfig = { kind: "unix", path: "/x", address: "unix:/x", weight: 1 };
    const all = [
      pools.acquire(tcpNode(1), KEEPALIVE),
      pools.acquire(tcpNode(2), KEEPALIVE),
      pools.acquire(unix, KEEPALIVE),
      pools.acquire(tcpNode(1), { ...KEEPALIVE, size: 11 }),
      pools.acquire(tcpNode(1), { ...KEEPALIVE, idleMs: 1 }),
      pools.acquire(tcpNode(1), { ...KEEPALIVE, requests: 1 }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test("asks for the place of a builtin node, once", async () => {
    const unix = `\0sluice-node-pools-${process.pid}`;
    using server = Bun.serve({ unix, fetch: () => new Response("built in") });
    const asked: string[] = [];
    const pools = new NodePools({
      resolveBuiltin: (name) => {
        asked.push(name);
        return { unix };
      },
    });
    const builtin: NodeConfig = {
      kind: "builtin",
      name: "httpbin",
      address: "builtin:httpbin",
      weight: 1,
    };
    const upstream = new Upstream(upstreamConfig([builtin]), pools);
    expect(await get(upstream)).toBe("built in");
    expect(await get(new Upstream(upstreamConfig([builtin]), pools))).toBe("built in");
    expect(asked).toEqual(["httpbin"]);
    expect(server.pendingRequests).toBe(0);
    upstream.release();
  });
});

describe("NodePools release()", () => {
  test("a reload that keeps a node keeps its connections", async () => {
    using node = new RawNode(always(OK));
    const pools = nodePools();
    const old = new Upstream(upstreamConfig([node.config()]), pools);
    await get(old);
    const fresh = new Upstream(upstreamConfig([node.config(3)], { id: "renamed" }), pools);
    old.release();
    await get(fresh);
    expect(node.peers.length).toBe(1);
    expect(node.peers[0]?.closed).toBe(false);
    fresh.release();
  });

  test("a node that nobody names any more loses its idle connections", async () => {
    using node = new RawNode(always(OK));
    const pools = nodePools();
    const upstream = new Upstream(upstreamConfig([node.config()]), pools);
    await get(upstream);
    upstream.release();
    await until(() => node.peers[0]?.closed ?? false);
    expect(pools.size).toBe(0);
  });

  test("an exchange in flight ends in peace, and its connection is closed then", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      await until(() => released);
      await peer.send("world");
    });
    let released = false;
    const pools = nodePools();
    const upstream = new Upstream(upstreamConfig([node.config()]), pools);
    const { body } = await upstream.forward(upstreamRequest(), forwardOptions());
    upstream.release();
    released = true;
    expect(await textOf(body)).toBe("helloworld");
    await node.peers[0]?.gone();
  });

  test("a node that is named again afterwards begins with a new pool", async () => {
    using node = new RawNode(always(OK));
    const pools = nodePools();
    new Upstream(upstreamConfig([node.config()]), pools).release();
    const again = new Upstream(upstreamConfig([node.config()]), pools);
    await get(again);
    await get(again);
    expect(node.peers.length).toBe(1);
  });

  test("errors: releasing twice is a bug", () => {
    const pools = nodePools();
    const upstream = new Upstream(upstreamConfig([tcpNode(1)]), pools);
    upstream.release();
    expect(() => upstream.release()).toThrow('Cannot release upstream "app" twice');
    const pool = pools.acquire(tcpNode(1), KEEPALIVE);
    pools.release(pool);
    expect(() => pools.release(pool)).toThrow("more than once");
  });
});
