import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { LIMITS } from "../base/limits.ts";
import type { Config } from "../config/config.ts";
import { parseConfig } from "../config/load.ts";
import { filesAt } from "../config/plugin-files.ts";
import type { CallOutOutcome, CallOutRequest, GrpcEvents, GrpcRequest } from "../filter/filter.ts";
import { HeaderList } from "../http/headers.ts";
import { always, nodePools, OK, RawNode, until } from "../upstream/testing.ts";
import { Upstream } from "../upstream/upstream.ts";
import { AddressUpstreams } from "./address-upstreams.ts";
import { createPluginHost, type Surroundings, type VisibleGeneration } from "./plugin-host.ts";

describe("createPluginHost()", () => {
  test("sends a call to a granted address that is no upstream", async () => {
    using node = new RawNode(always(OK));
    const { host, addresses } = open(`{ http_call: ["*.example:*", "localhost:${node.port}"] }`);
    const outcome = await host.call(`localhost:${node.port}`);
    expect(Buffer.from((outcome as { body: Uint8Array }).body).toString()).toBe("ok");
    expect(node.peers).toHaveLength(1);
    expect(addresses.size).toBe(1);
  });

  test("sends a call to a granted upstream", async () => {
    using node = new RawNode(always(OK));
    const { host } = open("{ http_call: [auth] }", node.port);
    expect(await host.call("auth")).toMatchObject({ status: 200 });
  });

  test("lends a namespace of its own, or the one that is named", () => {
    expect(open("{}").host.vmId).toBe("waf");
    const { host } = open("{ shared_data: team, queues: [found] }");
    expect(host.vmId).toBe("team");
    expect(["team", "found", "waf", ""].map((id) => host.mayFindQueues(id))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test("tells the line where the plugin stands now, not where it stood at its start", () => {
    const { host, serve } = open("{}");
    expect(host.explainDenied("http_call", "auth")).toEndWith("(gateway.yaml:3)");
    serve(configOf(`\n\n\n${yamlOf("{}")}`), 2);
    expect(host.explainDenied("http_call", "auth")).toEndWith("(gateway.yaml:6)");
  });

  test("tells the generation that serves, to whom it is granted", () => {
    const { host, serve } = open("{ properties: [gateway.generation] }");
    expect(host.gatewayProperty("gateway.generation")).toBe(1n);
    serve(configOf(yamlOf("{}")), 5);
    expect(host.gatewayProperty("gateway.generation")).toBe(5n);
  });
});

describe("createPluginHost() with gRPC", () => {
  test("ends what it cannot connect, and gives its place and its address back", async () => {
    using node = new RawNode(always(OK));
    const { host, addresses } = open('{ http_call: [auth, "127.0.0.1:*"] }', node.port);
    for (const target of ["auth", `127.0.0.1:${node.port}`]) {
      const { promise, resolve: done } = Promise.withResolvers<{ code: number }>();
      const stream = host.grpc(grpcTo(target, undefined), { ...UNHEARD, closed: done });
      expect(stream).toBeObject();
      expect((await promise).code).toBe(14);
    }
    expect(addresses.size).toBe(1);
    const all = () =>
      Array.from({ length: LIMITS.grpcStreamsMax + 1 }, () =>
        host.grpc(grpcTo("auth", undefined), UNHEARD),
      );
    for (let round = 0; round < 2; round++) {
      const streams = all();
      expect(streams.pop()).toBe("overloaded");
      for (const stream of streams) {
        if (typeof stream === "string") throw new Error(stream);
        stream.cancel();
        stream.cancel();
      }
    }
  });

  test("refuses what is not granted, and what is not there", () => {
    const { host } = open("{ http_call: [other, 127.0.0.1:1] }");
    const targets = ["auth", "127.0.0.1:2", "nope", "route:inline", ""];
    expect(targets.map((target) => host.grpc(grpcTo(target, new Uint8Array()), UNHEARD))).toEqual([
      "denied",
      "denied",
      "unknown",
      "unknown",
      "unknown",
    ]);
  });
});

const UNHEARD: GrpcEvents = {
  initialMetadata: () => {},
  message: () => {},
  trailingMetadata: () => {},
  closed: () => {},
};

function grpcTo(upstream: string, message: Uint8Array | undefined): GrpcRequest {
  return { upstream, path: "/a.B/C", metadata: new HeaderList(), message, timeoutMs: 1000 };
}

describe("createPluginHost() errors", () => {
  test("refuses what is not granted, and what is not there, before anything is sent", () => {
    using node = new RawNode(always(OK));
    const { host, addresses } = open("{ http_call: [other, 127.0.0.1:1] }", node.port);
    expect(host.call("auth")).toBe("denied");
    expect(host.call(`127.0.0.1:${node.port}`)).toBe("denied");
    expect(host.call(`localhost:${node.port}`)).toBe("denied");
    expect(host.call("nope")).toBe("unknown");
    expect(host.call("route:inline")).toBe("unknown");
    expect([node.peers.length, addresses.size]).toEqual([0, 0]);
  });

  test("lets all its guests together keep no more bytes waiting than the limit", async () => {
    using node = new RawNode((peer) => peer.gone());
    const { host } = open("{ http_call: [auth] }", node.port);
    const send = (request: CallOutRequest) => host.callOut(request, () => {});
    const large = LIMITS.callOutBytesInFlightMax - 1000;
    const first = send({ ...requestTo("auth"), body: new Uint8Array(large) });
    expect(first).toBeObject();
    const lines = HeaderList.from([["x", "y".repeat(1000)]]);
    for (const more of [{ headers: lines }, { trailers: lines }, { body: new Uint8Array(1001) }]) {
      expect(send({ ...requestTo("auth"), ...more })).toBe("overloaded");
    }
    if (typeof first !== "string") first.cancel();
    await until(() => typeof send({ ...requestTo("auth"), headers: lines }) !== "string");
  });

  test("keeps no more of the answers than the limit, and gives the room back", async () => {
    const longest = LIMITS.callOutBodyBytesMax;
    let mayEnd = false;
    using node = new RawNode(async (peer) => {
      for (;;) {
        await peer.head();
        await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${longest}\r\n\r\n`);
        await peer.send("x".repeat(longest - 1));
        await until(() => mayEnd || peer.closed);
        await peer.send("x");
      }
    });
    const { host } = open("{ http_call: [auth] }", node.port, 20_000);
    const fitting = LIMITS.callOutBytesInFlightMax / longest;
    const calls = Array.from({ length: fitting + 1 }, async () => host.call("auth"));
    expect(await Promise.race(calls)).toEqual({ error: expect.stringContaining("no more fit") });
    mayEnd = true;
    expect(await Promise.all(calls)).toContainEqual(expect.objectContaining({ status: 200 }));
    const later = await Promise.all(Array.from({ length: fitting }, async () => host.call("auth")));
    expect(later.map((each) => typeof each === "object" && "status" in each)).not.toContain(false);
  });

  test("gives an address back when its call has failed or was cancelled", async () => {
    const { host, addresses } = open('{ http_call: ["127.0.0.1:*"] }');
    expect(await host.call("127.0.0.1:1")).toMatchObject({ error: expect.any(String) });
    const seen: unknown[] = [];
    for (let port = 1; port <= LIMITS.addressUpstreamsMax + 1; port++) {
      const call = host.callOut(requestTo(`127.0.0.1:${port}`), (outcome) => seen.push(outcome));
      if (typeof call === "string") seen.push(call);
      else call.cancel();
    }
    // All but the last found a place; the cancelled ones are given back only a moment later.
    expect(seen).toEqual(["overloaded"]);
    await until(() => host.call("127.0.0.1:2") !== "overloaded");
    expect(addresses.size).toBeLessThanOrEqual(LIMITS.addressUpstreamsMax);
  });
});

function requestTo(upstream: string, timeoutMs = 1000): CallOutRequest {
  const headers = new HeaderList();
  const trailers = new HeaderList();
  const body = new Uint8Array();
  const rest = { method: "GET", authority: "a.test", target: "/", timeoutMs };
  return { upstream, headers, trailers, body, ...rest };
}

function yamlOf(allow: string, port = 1): string {
  return `wasm:
  plugins:
    - { name: waf, file: waf.wasm, allow: ${allow} }
upstreams:
  - { id: auth, nodes: { "127.0.0.1:${port}": 1 } }
  - { id: other, nodes: { "127.0.0.1:1": 1 } }
routes:
  - { id: inline, uri: /, upstream: { nodes: { "127.0.0.1:1": 1 } } }
`;
}

function configOf(text: string): Config {
  const outcome = parseConfig(text, {
    file: "gateway.yaml",
    env: {},
    cores: 1,
    bundledPlugins: new Map(),
    pluginFiles: filesAt([resolve("waf.wasm"), resolve("plugins/found.wasm")]),
  });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.config;
}

/** A plugin's host in a worker that serves the generation 1. @param allow YAML */
function open(allow: string, port?: number, timeoutMs?: number) {
  const config = configOf(yamlOf(allow, port));
  const pools = nodePools();
  const upstreams = new Map(config.upstreams.map((each) => [each.id, new Upstream(each, pools)]));
  let serving: VisibleGeneration = { number: 1, config, upstreams };
  const addresses = new AddressUpstreams(pools);
  const around: Surroundings = {
    generationSince: (number) => (serving.number >= number ? serving : undefined),
    upstream: (id) => upstreams.get(id),
    addresses,
    isLeader: false,
  };
  const settings = config.plugins.find(({ name }) => name === "waf");
  if (settings?.position === undefined) throw new Error("no plugin");
  const use = { name: "waf", config: "", native: false, position: settings.position };
  const host = createPluginHost(settings, use, 1, around);
  return {
    addresses,
    serve: (next: Config, number: number): void => {
      serving = { number, config: next, upstreams };
    },
    host: Object.assign(host, {
      call(target: string): Promise<CallOutOutcome> | string {
        const { promise, resolve: done } = Promise.withResolvers<CallOutOutcome>();
        const call = host.callOut(requestTo(target, timeoutMs), done);
        return typeof call === "string" ? call : promise;
      },
    }),
  };
}
