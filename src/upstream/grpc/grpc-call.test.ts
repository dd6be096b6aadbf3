/** Calls to servers of another library, in processes of their own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GrpcServer, startGrpcServer } from "../../../test/support/grpc-server.ts";
import { LIMITS } from "../../base/limits.ts";
import type { NodeConfig } from "../../config/config.ts";
import { HeaderList } from "../../http/headers.ts";
import { closedPort, nodePools, tcpNode, until, upstreamConfig } from "../testing.ts";
import { Upstream } from "../upstream.ts";
import type { GrpcCall } from "./grpc-call.ts";
import { GrpcCode } from "./grpc-status.ts";

let server: GrpcServer;
beforeAll(async () => {
  server = await startGrpcServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe("GrpcCall", () => {
  test("brings metadata, message, trailers and status of a unary call, in order", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Unary", { metadata: [["X-Ask", "why"]] });
    call.send(Buffer.from("hello"), true);
    expect(log).toEqual([]); // Nothing comes from inside.
    await ended;
    expect(log).toEqual(["initial x-told=why", "message hello", "trailing x-end=trailer", "0 OK"]);
  });

  test("streams from the server", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Many");
    call.send(Buffer.from("3"), true);
    await ended;
    expect(messages(log)).toEqual(["m0", "m1", "m2"]);
    expect(log.at(-1)).toBe("0 OK");
  });

  test("streams to the server, messages before and after the connection is there", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Sum");
    expect(call.send(Buffer.alloc(10), false)).toBe("sent");
    expect(call.send(new Uint8Array(), false)).toBe("sent");
    await until(() => call.unsentBytes === 0);
    expect(call.send(Buffer.alloc(5), true)).toBe("sent");
    expect(call.send(Buffer.alloc(5), false)).toBe("ended");
    await ended;
    expect(messages(log)).toEqual(["15"]);
  });

  test("streams both ways, and its own end leaves the other side open", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Chat");
    call.send(Buffer.from("a"), false);
    await until(() => messages(log).length === 1);
    call.send(Buffer.from("b"), false);
    call.finish();
    await ended;
    expect(messages(log)).toEqual(["re:a", "re:b"]);
    expect(log.at(-1)).toBe("0 OK");
  });

  test("takes a message as long as the limit both ways", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Unary");
    call.send(Buffer.alloc(LIMITS.grpcMessageBytesMax, "x"), true);
    await ended;
    expect(log.at(-1)).toBe("0 OK");
    expect(messages(log)[0]).toHaveLength(LIMITS.grpcMessageBytesMax);
  });

  test("sends many long messages at once on its connection", async () => {
    const { begin } = open(server.port);
    const all = Array.from({ length: 8 }, () => begin("Unary", { timeoutMs: 30_000 }));
    for (const { call } of all) call.send(Buffer.alloc(LIMITS.grpcMessageBytesMax), true);
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(Array(8).fill("0 OK"));
  });

  test("shares one connection, and waits for room on it when the node sets a bound", async () => {
    await using small = await startGrpcServer({ streamsMax: 2 });
    const { begin } = open(small.port);
    const hanging = [begin("Hang"), begin("Hang"), begin("Unary")];
    for (const { call } of hanging) call.send(Buffer.from("x"), true);
    await small.printed("hang", 2);
    expect(small.lines).not.toContain("unary 1");
    hanging[0]?.call.cancel();
    await hanging[2]?.ended;
    expect(hanging[2]?.log.at(-1)).toBe("0 OK");
    hanging[1]?.call.cancel();
  });

  test("gives each owner a connection: nobody waits for another one's streams", async () => {
    await using small = await startGrpcServer({ streamsMax: 2 });
    const { begin } = open(small.port);
    const hanging = [1, 2, 3].map(() => begin("Hang", { owner: "one" }));
    for (const { call } of hanging) call.send(Buffer.from("x"), true);
    await small.printed("hang", 2);
    expect(await answered(begin("Unary", { owner: "two" }))).toBe("0 OK");
    for (const { call } of hanging) call.cancel();
  });

  test("hands thousands of messages on without keeping others from their turn", async () => {
    const { begin } = open(server.port);
    let turns = 0;
    const { call, log, ended } = begin("Many", { busyMs: 1 });
    call.send(Buffer.from("200"), true);
    const ticker = setInterval(() => turns++, 1);
    await ended;
    clearInterval(ticker);
    expect(messages(log)).toHaveLength(200);
    expect(messages(log).at(-1)).toBe("m199");
    expect(turns).toBeGreaterThan(5);
  });

  test("tries another node when there is no connection to the first", async () => {
    const { begin } = open([closedPort(), server.port], 1);
    expect(await answered(begin("Unary"))).toBe("0 OK");
    expect(await answered(begin("Unary"))).toBe("0 OK");
  });

  test("reaches a node on a unix socket", async () => {
    const path = join(tmpdir(), `grpc-${process.pid}-${Date.now()}.sock`);
    const node = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/grpc" });
      response.write(Buffer.from("\0\0\0\0\x02hi"));
      response.addTrailers({ "grpc-status": "0" });
      response.end();
    });
    await new Promise<void>((resolve) => node.listen(path, resolve));
    const { begin } = open([], 0, [{ kind: "unix", path, address: `unix:${path}`, weight: 1 }]);
    const { log, call, ended } = begin("Unary");
    call.send(new Uint8Array(), true);
    await ended;
    expect(messages(log)).toEqual(["hi"]);
    node.close();
  });

  test("makes a new connection when the node has come back", async () => {
    const first = await startGrpcServer();
    const { port } = first;
    const { begin } = open(port);
    expect(await answered(begin("Unary"))).toBe("0 OK");
    await first[Symbol.asyncDispose]();
    expect(await answered(begin("Unary"))).toStartWith(`${GrpcCode.Unavailable} `);
    await using again = await startGrpcServer({ port });
    expect(await answered(begin("Unary"))).toBe("0 OK");
    expect(again.lines).toEqual(["unary 1"]);
  });

  test("closes the connection when its upstream is released, after the last stream", async () => {
    const { begin, upstream, pools } = open(server.port);
    const { call, ended, log } = begin("Chat");
    call.send(Buffer.from("a"), false);
    await until(() => messages(log).length === 1);
    upstream.release();
    expect(pools.size).toBe(0);
    call.send(Buffer.from("b"), true);
    await ended;
    expect(messages(log)).toEqual(["re:a", "re:b"]);
    expect(await answered(begin("Unary"))).toBe(
      `${GrpcCode.Unavailable} the upstream has no node that could be asked`,
    );
  });
});

describe("GrpcCall errors", () => {
  test("brings status and message of the server, decoded", async () => {
    const { begin } = open(server.port);
    const { log, call, ended } = begin("Fail");
    call.send(Buffer.from("7 nö, 100 % no"), true);
    await ended;
    expect(messages(log)).toEqual([]);
    expect(log.at(-1)).toBe("7 nö, 100 % no");
  });

  test("tells of an unknown method", async () => {
    const { begin } = open(server.port);
    expect(await answered(begin("Nope"))).toStartWith(`${GrpcCode.Unimplemented} `);
  });

  test("ends at its deadline, and the server learns of it", async () => {
    const { begin } = open(server.port);
    const before = server.lines.filter((line) => line === "cancelled").length;
    expect(await answered(begin("Hang", { timeoutMs: 150 }))).toStartWith(
      `${GrpcCode.DeadlineExceeded} `,
    );
    await server.printed("cancelled", before + 1);
  });

  test("is silent after cancel(), and the server learns of it", async () => {
    const { begin } = open(server.port);
    const before = server.lines.filter((line) => line === "cancelled").length;
    const { log, call } = begin("Chat");
    call.send(Buffer.from("a"), false);
    await until(() => messages(log).length === 1);
    call.cancel();
    call.cancel();
    expect(call.send(Buffer.from("b"), false)).toBe("ended");
    const seen = log.length;
    await server.printed("cancelled", before + 1);
    expect(log).toHaveLength(seen);
  });

  test("can be cancelled before there is a connection", async () => {
    const { begin } = open(server.port);
    const { call, log } = begin("Unary");
    call.send(Buffer.from("a"), true);
    call.cancel();
    expect(await answered(begin("Unary"))).toBe("0 OK");
    expect(log).toEqual([]);
  });

  test("ends as unavailable when the server dies in the middle", async () => {
    await using mortal = await startGrpcServer();
    const { begin } = open(mortal.port);
    const { log, call, ended } = begin("Die");
    call.send(Buffer.from("x"), true);
    await ended;
    expect(messages(log)).toEqual(["last words"]);
    expect(log.at(-1)).toBe(`${GrpcCode.Unavailable} the connection to the node was lost`);
  });

  test("ends as unavailable when nobody listens, and says who", async () => {
    const port = closedPort();
    const { begin } = open(port);
    const end = await answered(begin("Unary"));
    expect(end).toStartWith(`${GrpcCode.Unavailable} Cannot begin HTTP/2 with 127.0.0.1:${port}: `);
    expect(end).toContain("ECONNREFUSED");
  });

  test("refuses what a slow reader would leave waiting here", async () => {
    const { begin } = open(server.port);
    const { call, log, ended } = begin("Sum", { metadata: [["x-wait", "300"]] });
    const message = Buffer.alloc(LIMITS.grpcUnsentBytesMax / 4);
    let sent = 0;
    while (call.send(message, false) === "sent") sent++;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(4);
    expect(call.unsentBytes).toBeGreaterThan(0);
    await until(() => call.unsentBytes === 0);
    expect(call.send(message, true)).toBe("sent");
    await ended;
    expect(messages(log)).toEqual([String((sent + 1) * message.byteLength)]);
  });
});

describe("GrpcCall errors of messages of nothing", () => {
  test.each(["before there is a connection", "to a node that does not read"])(
    "refuses millions of them %s: each is an object here",
    async (when) => {
      const { begin } = open(server.port);
      const { call } = begin("Sum", { metadata: [["x-wait", "10000"]] });
      if (when !== "before there is a connection") {
        const fill = Buffer.alloc(LIMITS.grpcUnsentBytesMax / 2);
        call.send(fill, false);
        await server.printed("sum");
      }
      let sent = 0;
      while (call.send(new Uint8Array(), false) === "sent") sent++;
      expect(sent).toBeGreaterThan(1000);
      expect(sent).toBeLessThan(30_000);
      call.cancel();
    },
  );
});

interface Begun {
  readonly log: string[];
  readonly call: GrpcCall;
  /** Resolves with the last line. */
  readonly ended: Promise<string>;
}

function open(ports: number | readonly number[], retries = 0, more: readonly NodeConfig[] = []) {
  const pools = nodePools();
  const nodes = [...[ports].flat().map((port) => tcpNode(port)), ...more];
  const upstream = new Upstream(upstreamConfig(nodes, { retries }), pools);
  const begin = (
    method: string,
    options: {
      owner?: string;
      metadata?: [string, string][];
      timeoutMs?: number;
      busyMs?: number;
    } = {},
  ): Begun => {
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const { owner = "one", metadata = [], timeoutMs = 10_000, busyMs = 0 } = options;
    const request = {
      owner,
      path: `/test.Echo/${method}`,
      metadata: HeaderList.from(metadata),
      timeoutMs,
    };
    const call = upstream.openGrpc(request, {
      initialMetadata: (list) => log.push(`initial ${shown(list)}`),
      message: (bytes) => {
        for (const from = performance.now(); performance.now() - from < busyMs;);
        log.push(`message ${Buffer.from(bytes).toString()}`);
      },
      trailingMetadata: (list) => log.push(`trailing ${shown(list)}`),
      closed: ({ code, message }) => {
        log.push(`${code} ${message}`);
        resolve(`${code} ${message}`);
      },
    });
    return { log, call, ended: promise };
  };
  return { begin, upstream, pools };
}

/** Sends one message and waits for the end. */
function answered({ call, ended }: Begun): Promise<string> {
  call.send(Buffer.from("x"), true);
  return ended;
}

function messages(log: readonly string[]): string[] {
  return log.filter((line) => line.startsWith("message ")).map((line) => line.slice(8));
}

/** The lines that the tests have set. */
function shown(list: HeaderList): string {
  return [...list]
    .filter(([name]) => name.startsWith("x-"))
    .map((pair) => pair.join("="))
    .join(" ");
}
