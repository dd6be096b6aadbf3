import type { Plugin } from "../../src/filter/filter.ts";
import type { DataPlane, ServedRoute } from "../../src/proxy/served.ts";
import { buildRouter } from "../../src/router/router.ts";
import { NodePools } from "../../src/upstream/node-pools.ts";
import { Upstream } from "../../src/upstream/upstream.ts";

export const NODE = {
  kind: "tcp",
  host: "127.0.0.1",
  port: 1,
  address: "127.0.0.1:1",
  weight: 1,
} as const;

export const KEEPALIVE = { size: 320, idleMs: 60_000, requests: 1_000_000_000 };

const TIMEOUT = { connectMs: 60_000, sendMs: 60_000, readMs: 60_000, totalMs: 0, idleMs: 60_000 };

/** One route for everything, to one node, with the limits that a gateway has by default. */
export function newPlane(plugins: readonly Plugin[]): DataPlane {
  const upstream = new Upstream(
    {
      id: "node",
      type: "roundrobin",
      nodes: [NODE],
      timeout: TIMEOUT,
      retries: 1,
      passHost: "pass",
      upstreamHost: undefined,
      keepalive: KEEPALIVE,
    },
    new NodePools({ resolveBuiltin: () => ({ host: "127.0.0.1", port: 1 }) }),
  );
  const value: ServedRoute = { id: "all", upstream, timeout: TIMEOUT, plugins };
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
