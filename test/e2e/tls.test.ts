/** TLS towards clients, on both fronts and with both chosen by the number of certificates. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { rename } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { makeCertificate, type TestCertificate } from "../support/certificates.ts";
import { WebSocketClient } from "../support/web-socket-client.ts";
import { FRONTS, portOf } from "./support/fronts.ts";
import { type Gateway, PATIENCE_MS, sluice, startGateway, until } from "./support/gateway.ts";
import { type Echo, echoNode, heldNode } from "./support/nodes.ts";

const MIB = 1024 * 1024;
const one = makeCertificate(["one.test"]);
const two = makeCertificate(["two.test", "*.two.test"]);
const ONE = "{ snis: [one.test], cert: one.pem, key: keys/one.pem }";
const TWO = '{ snis: [two.test, "*.two.test"], cert: two.pem, key: keys/two.pem }';

function files(certificates: Readonly<Record<string, TestCertificate>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(certificates).flatMap(([name, { cert, key }]) => [
      [`${name}.pem`, cert],
      [`keys/${name}.pem`, key],
    ]),
  );
}

/** An HTTP/1.1 request on a TLS connection of its own, kept open. */
class Client {
  readonly socket: TLSSocket;
  /** Names in the certificate that it was shown. */
  readonly shown: string;
  text = "";

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.shown = String(socket.getPeerCertificate().subjectaltname);
    socket.on("data", (chunk: Buffer) => (this.text += chunk.toString("latin1")));
    socket.on("error", () => {});
  }

  static async open(port: number, servername = "one.test"): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return new Client(socket);
  }

  /** @returns head of the answer to one more request */
  async ask(path = "/get"): Promise<string> {
    this.text = "";
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: one.test\r\n\r\n`);
    await until(
      () => this.text.includes("\r\n\r\n"),
      (has) => has,
    );
    return this.text.slice(0, this.text.indexOf("\r\n\r\n"));
  }
}

/** What a client is shown that asks for that name. */
async function shownFor(port: number, servername: string): Promise<string> {
  const client = await Client.open(port, servername);
  client.socket.destroy();
  return client.shown;
}

const started = new AsyncDisposableStack();
let gateway: Gateway;

beforeAll(async () => {
  const node = started.use(echoNode());
  const listeners = FRONTS.map(
    (front) => `{ address: "127.0.0.1:0", tls: true, front: ${front} }`,
  ).join(", ");
  gateway = started.use(
    await startGateway(
      `
listen: [${listeners}, { address: "127.0.0.1:0" }]
workers: 1
log: { level: debug }
admin: { listen: "127.0.0.1:0" }
ssls: [${ONE}]
routes:
  - { id: echo, uri: /*, upstream: { nodes: { "${node.address}": 1 } } }
  - { id: socket, uri: /ws, upstream: { nodes: { "builtin:httpbin": 1 } } }
`,
      { files: files({ one }) },
    ),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("TLS on front %s", (front) => {
  const port = (): number => portOf(gateway, front);
  const ask = (path: string, init: BunFetchRequestInit = {}): Promise<Response> =>
    fetch(`https://localhost:${port()}${path}`, { ...init, tls: { ca: one.cert } });

  test("serves who trusts the certificate, and tells the node of https", async () => {
    const echo = (await (await ask("/a?b=c")).json()) as Echo;
    expect(echo).toMatchObject({ method: "GET", target: "/a?b=c" });
    expect(echo.headers).toMatchObject({
      "x-forwarded-proto": "https",
      "x-forwarded-port": String(port()),
    });
  });

  test("answers request after request on one connection", async () => {
    const client = await Client.open(port());
    for (let n = 0; n < 5; n++) expect(await client.ask()).toStartWith("HTTP/1.1 200 ");
    client.socket.destroy();
  });

  test("takes an absolute target whose port is that of https", async () => {
    const client = await Client.open(port());
    const head = await client.ask("https://one.test:443/get");
    // Bun.serve takes the target apart by itself.
    expect(head).toStartWith("HTTP/1.1 200 ");
    client.socket.destroy();
  });

  test.each([1024, 10 * MIB])("carries a body of %d bytes, both ways", async (length) => {
    const body = Buffer.from(Array.from({ length }, (_, at) => 32 + (at % 90)));
    const response = await ask("/post", { method: "POST", body });
    const echo = (await response.json()) as Echo;
    expect(echo.body === body.toString("latin1")).toBe(true);
  });

  test("carries a WebSocket", async () => {
    const url = `wss://localhost:${port()}/ws`;
    const client = await WebSocketClient.open(url, [], { ca: one.cert });
    const large = "x".repeat(300_000);
    for (const message of ["hello", large]) client.socket.send(message);
    await client.untilMessages(2);
    expect(client.messages).toEqual(["hello", large]);
    client.socket.close(1000);
    expect((await client.closed).code).toBe(1000);
  });

  test.each(["-tls1", "-tls1_1"])("refuses %s", async (version) => {
    const flags = [version, "-cipher", "ALL:@SECLEVEL=0"];
    const cmd = ["openssl", "s_client", "-connect", `127.0.0.1:${port()}`, ...flags];
    const child = Bun.spawn({ cmd, stdio: ["ignore", "ignore", "pipe"] });
    expect(await child.stderr.text()).toContain("alert protocol version");
  });

  test("lets curl choose HTTP/1.1, whatever else it offers", async () => {
    const url = `https://localhost:${port()}/get`;
    const cmd = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", url];
    const child = Bun.spawn({ cmd, stdio: ["ignore", "pipe", "ignore"] });
    expect(await child.stdout.text()).toBe("200 1.1");
  });

  test("closes a connection in plain HTTP, and one whose client goes in the middle", async () => {
    for (const bytes of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\x00\x01"]) {
      const socket = connectTcp(port(), "127.0.0.1");
      let got = "";
      socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.end(bytes, "latin1");
      await new Promise((resolve) => socket.once("close", resolve));
      expect(got).not.toContain("HTTP");
    }
    const response = await ask("/get");
    expect(response.status).toBe(200);
  });
});

test(
  "a handshake that never ends is closed, on both fronts",
  async () => {
    const lasted = FRONTS.map(async (front) => {
      const startMs = performance.now();
      const socket = connectTcp(portOf(gateway, front), "127.0.0.1");
      socket.on("error", () => {});
      socket.write("\x16\x03\x01\x02\x00\x01\x00\x01", "latin1");
      await new Promise((resolve) => socket.once("close", resolve));
      return performance.now() - startMs;
    });
    for (const ms of await Promise.all(lasted)) expect(ms).toBeWithin(5_000, 15_000);
  },
  PATIENCE_MS,
);

describe("a gateway with TLS", () => {
  test("still serves its cleartext listeners as such", async () => {
    const [, , plain = 0] = gateway.ports;
    const echo = (await (await fetch(`http://127.0.0.1:${plain}/`)).json()) as Echo;
    expect(echo.headers["x-forwarded-proto"]).toBe("http");
  });

  test("logs no connection, and shows its key nowhere", async () => {
    const admin = /:(\d+)$/.exec(await gateway.logged(/status port is open/))?.[1];
    const lines = gateway.lines.filter((line) => !line.includes("level=debug"));
    const pages = await Promise.all(
      ["/status", "/metrics", "/ready"].map(async (page) => {
        return (await fetch(`http://127.0.0.1:${admin}${page}`)).text();
      }),
    );
    const shown = [...gateway.lines, ...pages].join("\n");
    for (const line of one.key.split("\n").filter((text) => text.length > 20)) {
      expect(shown).not.toContain(line);
    }
    expect(lines.filter((line) => /handshake|tls|ssl/i.test(line))).toEqual([]);
  });
});

/** A gateway on an `auto` listener with TLS. */
function chosen(ssls: string, more = ""): string {
  return `
listen: { address: "127.0.0.1:0", tls: true }
workers: 2
ssls: [${ssls}]
routes: [{ id: all, uri: /*, upstream: { nodes: { "builtin:httpbin": 1 } } }]
${more}`;
}

describe("several certificates", () => {
  test("are chosen by SNI, the first one for who asks for another name, or for none", async () => {
    await using both = await startGateway(chosen(`${ONE}, ${TWO}`), {
      files: files({ one, two }),
    });
    const { port } = both;
    expect(await shownFor(port, "one.test")).toContain("DNS:one.test");
    expect(await shownFor(port, "two.test")).toContain("DNS:two.test");
    expect(await shownFor(port, "a.two.test")).toContain("DNS:two.test");
    expect(await shownFor(port, "a.b.two.test")).toContain("DNS:one.test");
    expect(await shownFor(port, "three.test")).toContain("DNS:one.test");
    expect(await shownFor(port, "")).toContain("DNS:one.test");
  });
});

describe("reload of certificates", () => {
  test.each([
    ["one certificate", ONE],
    ["several", `${ONE}, ${TWO}`],
  ])("serves a new one as soon as its files change: %s", async (_, ssls) => {
    await using changing = await startGateway(chosen(ssls), { files: files({ one, two }) });
    const before = await shownFor(changing.port, "one.test");
    const renewed = makeCertificate(["one.test", "renewed.test"]);
    const from = changing.lines.length;
    await replace(changing, "one", renewed);
    await changing.logged(/ reloaded /, from);
    await until(
      () => Promise.all(Array.from({ length: 8 }, () => shownFor(changing.port, "one.test"))),
      (shown) => shown.every((names) => names.includes("renewed.test")),
    );
    expect(before).not.toContain("renewed.test");
  });

  test("leaves alone what lives: connections, requests in flight, WebSockets", async () => {
    await using node = heldNode();
    const yaml = (ssls: string): string => `
listen: { address: "127.0.0.1:0", tls: true }
workers: 1
ssls: [${ssls}]
routes:
  - { id: held, uri: /held, upstream: { nodes: { "${node.address}": 1 } } }
  - { id: all, uri: /*, upstream: { nodes: { "builtin:httpbin": 1 } } }
`;
    await using changing = await startGateway(yaml(ONE), { files: files({ one, two }) });
    const idle = await Client.open(changing.port);
    await idle.ask();
    const held = await Client.open(changing.port);
    const answer = held.ask("/held");
    await node.untilHeld(1);
    const socket = await WebSocketClient.open(`wss://127.0.0.1:${changing.port}/ws`, [], {
      rejectUnauthorized: false,
    });

    // Once more by YAML, to several certificates and so to the other front.
    await replace(changing, "one", makeCertificate(["one.test", "renewed.test"]));
    await changing.logged(/ reloaded /);
    expect(await changing.reload(yaml(`${ONE}, ${TWO}`))).toBe("reloaded");
    expect(await shownFor(changing.port, "two.test")).toContain("two.test");
    expect(await shownFor(changing.port, "one.test")).toContain("renewed.test");

    const head = await idle.ask();
    expect(head).toStartWith("HTTP/1.1 200 ");
    expect(head.toLowerCase()).not.toContain("connection: close");
    expect(idle.shown).not.toContain("renewed.test");
    socket.socket.send("still here");
    await socket.untilMessages(1);
    node.release();
    expect(await answer).toStartWith("HTTP/1.1 200 ");

    // Nor does what is idle hold up a drain.
    socket.socket.close();
    await socket.closed;
    expect(await changing.stop()).toBe(0);
  });

  test("refuses a broken one whole, and goes on with the old one", async () => {
    await using changing = await startGateway(chosen(ONE), { files: files({ one, two }) });
    const key = join(changing.folder, "keys/one.pem");
    for (const [content, problem] of [
      [two.key, "CERTIFICATE_KEY"],
      ["-----BEGIN PRIVATE KEY-----\nMIGH", "CERTIFICATE_KEY"],
    ] as const) {
      const from = changing.lines.length;
      await Bun.write(key, content);
      await changing.logged(/reload refused/, from);
      expect(changing.lines.slice(from).join("\n")).toContain(`[${problem}]`);
      expect(await shownFor(changing.port, "one.test")).toContain("one.test");
    }
    const from = changing.lines.length;
    await Bun.write(key, one.key);
    await Bun.write(join(changing.folder, "gateway.yaml"), chosen(ONE, "drain: 1s"));
    await changing.logged(/ reloaded /, from);
    const told = changing.lines.join("\n");
    for (const line of two.key.split("\n").filter((text) => text.length > 20)) {
      expect(told).not.toContain(line);
    }
  });

  test("takes TLS out of a listener, and puts it back", async () => {
    await using changing = await startGateway(chosen(ONE), { files: files({ one }) });
    const plain = chosen(ONE).replace("tls: true", "tls: false");
    const { port } = changing;
    expect(await changing.reload(plain)).toBe("reloaded");
    expect((await fetch(`http://127.0.0.1:${port}/get`)).status).toBe(200);
    expect(await changing.reload(chosen(ONE))).toBe("reloaded");
    expect(await shownFor(port, "one.test")).toContain("one.test");
  });
});

describe("sluice validate", () => {
  test("checks certificates like everything else, and shows no key", async () => {
    await using checked = await startGateway(chosen(ONE), { files: files({ one, two }) });
    const cwd = checked.folder;
    const valid = await sluice(["validate", "--json"], { cwd });
    expect(valid).toMatchObject({ code: 0 });
    await Bun.write(join(cwd, "bad.yaml"), chosen(ONE.replace("keys/one", "keys/two")));
    const refused = await sluice(["validate", "bad.yaml"], { cwd });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("bad.yaml:4:48: error: Cannot use the key: it is not that of");
    const shown = [valid, refused].map(({ stdout, stderr }) => stdout + stderr).join("\n");
    for (const line of (one.key + two.key).split("\n").filter((text) => text.length > 20)) {
      expect(shown).not.toContain(line);
    }
  });
});

/** Puts other files in the place of both, as certificate tools do. */
async function replace(
  { folder }: Gateway,
  name: string,
  { cert, key }: TestCertificate,
): Promise<void> {
  await Bun.write(join(folder, "next-key"), key);
  await Bun.write(join(folder, "next-cert"), cert);
  await rename(join(folder, "next-key"), join(folder, `keys/${name}.pem`));
  await rename(join(folder, "next-cert"), join(folder, `${name}.pem`));
}
