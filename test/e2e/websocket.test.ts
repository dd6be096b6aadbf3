/** WebSockets through both fronts, to a node on Bun.serve and to raw ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WebSocketClient } from "../support/web-socket-client.ts";
import { BOTH_FRONTS, FRONTS, portOf, request } from "./support/fronts.ts";
import { type Gateway, startGateway, until } from "./support/gateway.ts";
import { RawConnection } from "./support/raw-client.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const MIB = 1024 * 1024;
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${KEY}`,
];

const started = new AsyncDisposableStack();
let raw: ScriptedNode;
let gateway: Gateway;
/** What the node on Bun.serve has seen, by the query of the connection. */
const seen = new Map<string, { messages: number; close?: { code: number; reason: string } }>();

beforeAll(async () => {
  raw = started.use(new ScriptedNode());
  const echo = started.use(echoNode());
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
routes:
  - { id: raw, uri: /*, upstream: { nodes: { "${raw.address}": 1 } } }
  - { id: echo, uri: /echo, upstream: { nodes: { "127.0.0.1:${echo.port}": 1 } } }
  - { id: bin, uri: /ws, upstream: { nodes: { "builtin:httpbin": 1 } } }
  - id: idle
    uri: /idle
    upstream: { nodes: { "127.0.0.1:${echo.port}": 1 }, timeout: { idle: 300ms } }
`),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  const port = (): number => portOf(gateway, front);
  const url = (path: string): string => `ws://127.0.0.1:${port()}${path}`;

  test.each(["/echo", "/ws"])("echoes text and binary messages through %s", async (path) => {
    const client = await WebSocketClient.open(url(path));
    const sent = ["", "hello", "grüße 👋", new Uint8Array([0, 255, 128]), new Uint8Array(0)];
    client.socket.binaryType = "nodebuffer";
    for (const message of sent) client.socket.send(message);
    await client.untilMessages(sent.length);
    const got = client.messages.map((message) =>
      typeof message === "string" ? message : new Uint8Array(message),
    );
    expect(got).toEqual(sent);
    client.socket.close();
    await client.closed;
  });

  test("echoes a message of 1 MiB, and many small ones in order", async () => {
    const client = await WebSocketClient.open(url("/echo"));
    const large = "0123456789abcdef".repeat(MIB / 16);
    const small = Array.from({ length: 500 }, (_, n) => `message ${n}`);
    client.socket.send(large);
    for (const message of small) client.socket.send(message);
    await client.untilMessages(1 + small.length);
    expect(client.messages[0] === large).toBe(true);
    expect(client.messages.slice(1)).toEqual(small);
    client.socket.close();
    await client.closed;
  });

  test.each([
    [1000, "done"],
    [3001, ""],
    [4999, "own words"],
  ])("hands the client's close %i %s on to the node, behind its messages", async (code, reason) => {
    const name = `?close-${front}-${code}`;
    const client = await WebSocketClient.open(url(`/echo${name}`));
    for (let n = 0; n < 100; n++) client.socket.send("last words");
    client.socket.close(code, reason);
    expect(await client.closed).toEqual({ code, reason });
    await until(
      () => seen.get(name)?.close !== undefined,
      (isClosed) => isClosed,
    );
    expect(seen.get(name)).toEqual({ messages: 100, close: { code, reason } });
  });

  test("hands the node's close on to the client", async () => {
    const client = await WebSocketClient.open(url("/echo"));
    client.socket.send("close 4321 because");
    expect(await client.closed).toEqual({ code: 4321, reason: "because" });
  });

  test("agrees on the subprotocol that the node chooses", async () => {
    const client = await WebSocketClient.open(url("/echo"), ["first", "second"]);
    expect(client.socket.protocol).toBe("second");
    client.socket.close();
    await client.closed;
  });

  test("shows the node the client's lines, and the client the node's", async () => {
    const path = `/lines-${front}`;
    raw.on(path, (call) =>
      call.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Accept: ${accept(call.header("sec-websocket-key") ?? "")}\r\n` +
          `Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n`,
      ),
    );
    using client = await RawConnection.open(port());
    const lines = ["Authorization: Bearer x", "Cookie: c=1", "Origin: http://a.test"];
    await client.write(request(`GET ${path}?q=1`, [...UPGRADE, ...lines]));
    await client.until(/\r\n\r\n/);
    const call = await raw.call(path);
    expect(call.target).toBe(`${path}?q=1`);
    const told = ["authorization", "cookie", "origin", "connection", "upgrade"].map((name) =>
      call.header(name),
    );
    expect(told).toEqual(["Bearer x", "c=1", "http://a.test", "Upgrade", "websocket"]);
    expect(call.header("x-forwarded-for")).toBe("127.0.0.1");
    expect(client.received).toStartWith("HTTP/1.1 101 ");
    expect(client.received.toLowerCase()).toContain(
      `sec-websocket-accept: ${ACCEPT.toLowerCase()}`,
    );
    expect(client.received).toMatch(/Set-Cookie: a=1\r\n[^]*Set-Cookie: b=2\r\n/i);
    client.close();
    await call.gone();
  });

  test.each(["h2c", "foo/2", "tls/1.2"])(
    "opens no tunnel for %s: what goes through it would dodge routes and filters",
    async (protocol) => {
      const path = `/tunnel-${protocol.replaceAll("/", "-")}-${front}`;
      const reply = `HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nopen`;
      raw.on(path, (call) => call.write(reply));
      using client = await RawConnection.open(port());
      const lines = ["Connection: Upgrade, HTTP2-Settings", `Upgrade: ${protocol}`];
      await client.write(request(`GET ${path}`, [...lines, "HTTP2-Settings: AAMAAABkAAQAAP__"]));
      await client.until(/\r\n\r\n/);
      expect(client.received).toStartWith("HTTP/1.1 502 ");
      const call = await raw.call(path);
      const told = ["upgrade", "connection", "http2-settings"].map((name) => call.header(name));
      expect(told).toEqual([undefined, undefined, undefined]);
    },
  );

  test("hands on the answer of a node that does not switch", async () => {
    const path = `/refused-${front}`;
    raw.on(path, (call) => call.reply("403 Forbidden", ["X-Why: no"], "not for you"));
    using client = await RawConnection.open(port());
    await client.write(request(`GET ${path}`, UPGRADE));
    expect((await client.responses(1))[0]).toMatchObject({ status: 403, body: "not for you" });
  });

  test("answers 502 to a node that is down or breaks off, and closes nothing else", async () => {
    const path = `/broken-${front}`;
    raw.on(path, (call) => call.reset());
    using client = await RawConnection.open(port());
    await client.write(request(`GET ${path}`, UPGRADE));
    expect((await client.responses(1))[0]?.status).toBe(502);
  });

  test("ends at the node when the client breaks off, and the other way round", async () => {
    const name = `?break-${front}`;
    const gone = await WebSocketClient.open(url(`/echo${name}`));
    gone.socket.terminate();
    await until(
      () => seen.get(name)?.close !== undefined,
      (isClosed) => isClosed,
    );
    expect(seen.get(name)?.close?.code).toBe(1006);
    const other = await WebSocketClient.open(url("/echo"));
    other.socket.send("terminate");
    expect((await other.closed).code).toBe(1006);
  });

  test("ends a connection that is silent for longer than the idle timeout", async () => {
    const client = await WebSocketClient.open(url("/idle"));
    client.socket.send("awake");
    await client.untilMessages(1);
    const startedMs = performance.now();
    await client.closed;
    expect(performance.now() - startedMs).toBeGreaterThan(200);
  });
});

interface EchoNode extends Disposable {
  readonly port: number;
}

/** Echoes messages; "close CODE REASON" and "terminate" do what they say. */
function echoNode(): EchoNode {
  const server = Bun.serve<{ messages: number; close?: { code: number; reason: string } }>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(asked, itself) {
      const offered = asked.headers.get("sec-websocket-protocol")?.split(", ") ?? [];
      const chosen = offered.at(-1);
      const headers = chosen === undefined ? {} : { "Sec-WebSocket-Protocol": chosen };
      const data = { messages: 0 };
      seen.set(new URL(asked.url).search, data);
      return itself.upgrade(asked, { headers, data }) ? undefined : new Response("no");
    },
    websocket: {
      message(socket, message) {
        socket.data.messages++;
        const [, code, reason] = /^close (\d+) (.+)$/.exec(String(message)) ?? [];
        if (code !== undefined) socket.close(Number(code), reason);
        else if (message === "terminate") socket.terminate();
        else socket.send(message);
      },
      close(socket, code, reason) {
        socket.data.close = { code, reason };
      },
    },
  });
  return { port: server.port ?? 0, [Symbol.dispose]: () => void server.stop(true) };
}

function accept(key: string): string {
  return new Bun.CryptoHasher("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
}
