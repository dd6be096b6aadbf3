/**
 * What passes the gateway, byte by byte, between a raw client and a raw node, for both fronts:
 * heads, paths and framing. Bun.serve hides order and spelling of header lines, repeats of a
 * line, bodies of GET and trailers, and frames streamed answers anew: where a front differs, the
 * test says so.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import {
  ask,
  BOTH_FRONTS,
  FRONTS,
  headLines,
  portOf,
  request,
  valuesOf,
} from "./support/fronts.ts";
import { type Gateway, startGateway } from "./support/gateway.ts";
import { RawConnection } from "./support/raw-client.ts";
import { ScriptedNode } from "./support/scripted-node.ts";

const KIB = 1024;

let node: ScriptedNode;
/** Serves /guarded/* alone. */
let guarded: ScriptedNode;
let gateway: Gateway;

const started = new AsyncDisposableStack();

beforeAll(async () => {
  node = started.use(new ScriptedNode());
  guarded = started.use(new ScriptedNode());
  const nodes = `nodes: { "${node.address}": 1 }`;
  gateway = started.use(
    await startGateway(`${BOTH_FRONTS}
routes:
  - { id: all, uri: /*, upstream: { ${nodes} } }
  - { id: guarded, uri: /guarded/*, upstream: { nodes: { "${guarded.address}": 1 } } }
  - { id: by-node, uri: /by-node, upstream: { ${nodes}, pass_host: node } }
  - id: renamed
    uri: /renamed
    upstream: { ${nodes}, pass_host: rewrite, upstream_host: b.test }
`),
  );
});

afterAll(() => started.disposeAsync());

describe.each(FRONTS)("front %s", (front) => {
  const isExact = front === "http1";
  const port = (): number => portOf(gateway, front);

  describe("a request at the node", () => {
    test("has the client's lines, and those of the gateway behind them", async () => {
      const path = `/lines-${front}`;
      const lines = [
        "X-MiXeD: 1",
        "accept: */*",
        "X-Two: 2",
        "Cookie: a=1",
        "X-Two: 1",
        "x-empty:",
      ];
      await ask(port(), request(`GET ${path}?q=1`, lines));
      const call = await node.call(path);
      const added = [
        "X-Forwarded-For: 127.0.0.1",
        "X-Real-IP: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a.test",
        `X-Forwarded-Port: ${port()}`,
      ];
      expect(`${call.method} ${call.target}`).toBe(`GET ${path}?q=1`);
      if (isExact) {
        const sent = lines.map((line) => (line === "x-empty:" ? "x-empty: " : line));
        expect(call.lines).toEqual(["Host: a.test", ...sent, ...added]);
      } else {
        const joined = ["x-mixed: 1", "accept: */*", "x-two: 2, 1", "cookie: a=1", "x-empty: "];
        expect(folded(call.lines)).toEqual(folded(["host: a.test", ...joined, ...added]));
      }
    });

    test("has no hop-by-hop line, and none that Connection names", async () => {
      const path = `/hops-${front}`;
      const lines = [
        "Connection: keep-alive, X-Mine, X-Forwarded-For, Host",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eDp5",
        "Proxy: http://evil.test",
        "TE: gzip;q=1",
        "Upgrade: h2c",
        "X-Mine: 1",
        "X-Kept: 1",
        "X-Forwarded-For: 192.0.2.7",
      ];
      await ask(port(), request(`GET ${path}`, lines));
      expect(namesOf((await node.call(path)).lines)).toEqual([
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-kept",
        "x-real-ip",
      ]);
    });

    test("tells where it came from, whatever the client claims", async () => {
      const path = `/forwarded-${front}`;
      const claims = [
        "X-Forwarded-For: 192.0.2.7, 192.0.2.8",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.test",
        "X-Forwarded-Port: 443",
        "X-Real-IP: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X_Forwarded_For: 192.0.2.7",
        "X_Real-IP: 192.0.2.7",
      ];
      await ask(port(), request(`GET ${path}`, claims));
      const call = await node.call(path);
      expect(call.all("x-forwarded-for")).toEqual(["192.0.2.7, 192.0.2.8, 127.0.0.1"]);
      expect(call.all("x-forwarded-proto")).toEqual(["http"]);
      expect(call.all("x-forwarded-host")).toEqual(["a.test"]);
      expect(call.all("x-forwarded-port")).toEqual([String(port())]);
      expect(call.all("x-real-ip")).toEqual(["127.0.0.1"]);
      expect(call.lines.filter((line) => /^(forwarded|.*_.*):/i.test(line))).toEqual([]);
    });

    test("is addressed as pass_host says", async () => {
      const seen: (string | undefined)[] = [];
      for (const path of ["/by-client", "/by-node", "/renamed"]) {
        const number = node.callsTo(path).length;
        await ask(port(), request(`GET ${path}`).replace("a.test", "A.Test:81"));
        seen.push((await node.call(path, number)).header("host"));
      }
      expect(seen).toEqual(["a.test:81", node.address, "b.test"]);
    });

    test.each([
      ["/a/b", "/a/b"],
      ["/a/%7Eb/%c3%a9/%2f", "/a/~b/%C3%A9/%2F"],
      ["/a;v=1/b,c/d:e@f/$&'()*+=!", "/a;v=1/b,c/d:e@f/$&'()*+=!"],
      ["/a?", "/a?"],
      ["/a?x=%2F..//&&=;y=%zz+%20&z=/../guarded/", "/a?x=%2F..//&&=;y=%zz+%20&z=/../guarded/"],
      ["/a/./b/../c/", "/a/c/"],
    ])("asks for %s as %s", async (sent, expected) => {
      const before = node.calls.length;
      await ask(port(), request(`GET ${sent}`));
      expect(node.calls.slice(before).map(({ target }) => target)).toEqual([expected]);
    });

    test("goes where the path leads that the node is shown, however it is spelled", async () => {
      const spellings = ["/a/../guarded/x", "/%67uarded/x", "//guarded/x", "/guarded//x"].concat([
        "/a/%2e%2E/guarded/x",
        "/./guarded/x",
        "/a/b/../../guarded/./x",
        "/../../guarded/x",
      ]);
      const [atNode, atGuarded] = [node.calls.length, guarded.calls.length];
      for (const target of spellings) {
        expect((await ask(port(), request(`GET ${target}`))).status).toBe(200);
      }
      const seen = guarded.calls.slice(atGuarded).map(({ target }) => target);
      expect(seen).toEqual(spellings.map(() => "/guarded/x"));
      expect(node.calls.slice(atNode)).toEqual([]);
    });

    test("has the framing that its client chose", async () => {
      const path = `/framing-${front}`;
      await ask(port(), request(`POST ${path}`, ["Content-Length: 5"], "hello"));
      const known = await node.call(path, 0);
      expect((await known.whole()).toString()).toBe("hello");
      expect(known.header("content-length")).toBe("5");
      expect(known.header("transfer-encoding")).toBeUndefined();
      const chunks = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
      await ask(port(), request(`POST ${path}`, ["Transfer-Encoding: chunked"], chunks));
      const unknown = await node.call(path, 1);
      expect((await unknown.whole()).toString()).toBe("hello");
      expect(unknown.header("content-length")).toBeUndefined();
      expect(unknown.header("transfer-encoding")).toBe("chunked");
      await ask(port(), request(`POST ${path}`, ["Content-Length: 0"]));
      const empty = await node.call(path, 2);
      expect((await empty.whole()).length).toBe(0);
      expect(empty.header("content-length")).toBe("0"); // Servers answer 411 to a POST without.
    });
  });

  describe("a response at the client", () => {
    test("has the node's lines in the node's order, Set-Cookie apart", async () => {
      const path = `/answer-${front}`;
      const lines = ["X-ThisWay: 1", "Set-Cookie: b=2; Path=/", "server: node/1", "X-Two: 2"]
        .concat(["Set-Cookie: a=1, with comma", "X-Two: 1", "Date: Thu, 01 Jan 1970 00:00:00 GMT"])
        .concat(["Content-Type: text/plain", "Set-Cookie: c=3", 'ETag: W/"1"']);
      node.on(path, (call) => call.reply("200 Fine", lines, "hello"));
      const got = await ask(port(), request(`GET ${path}`));
      expect(got).toMatchObject({ status: 200, body: "hello" });
      if (isExact) expect(got.lines).toEqual([...lines, "Content-Length: 5"]);
      const cookies = ["b=2; Path=/", "a=1, with comma", "c=3"];
      expect(valuesOf(got.lines, "set-cookie")).toEqual(cookies);
      expect(valuesOf(got.lines, "x-two").join(", ")).toBe("2, 1");
      expect(valuesOf(got.lines, "date")).toEqual(["Thu, 01 Jan 1970 00:00:00 GMT"]);
      expect(valuesOf(got.lines, "content-length")).toEqual(["5"]);
    });

    test("has no hop-by-hop line, and none that Connection names", async () => {
      const path = `/answer-hops-${front}`;
      const lines = [
        "Connection: X-Gone, keep-alive",
        "Keep-Alive: timeout=9",
        "Proxy-Authenticate: Basic",
        "Trailer: X-T",
        "Upgrade: h2c",
        "X-Gone: 1",
        "X-Kept: 1",
      ];
      node.on(path, (call) => call.reply("200 OK", lines, "hello"));
      const got = await ask(port(), request(`GET ${path}`));
      // Bun.serve invents a Content-Type for what it knows the length of, so it is given a stream.
      const framing = isExact ? "content-length" : "transfer-encoding";
      expect(namesOf(got.lines)).toEqual([framing, "date", "x-kept"].toSorted(byText));
    });

    test("has no Content-Type that the node has not sent", async () => {
      const path = `/untyped-${front}`;
      for (const body of ["", "x", "x".repeat(20 * KIB)]) {
        node.on(path, (call) => call.reply("200 OK", [], body));
        const got = await ask(port(), request(`GET ${path}`));
        expect(got.body.length).toBe(body.length);
        expect(valuesOf(got.lines, "content-type")).toEqual([]);
      }
    });

    test.each([301, 302, 303, 307, 308])(
      "is a redirect that nobody follows: %i",
      async (status) => {
        const path = `/redirect-${front}-${status}`;
        const lines = ["Location: ../elsewhere?x=%2f#part"];
        node.on(path, (call) => call.reply(`${status} Away`, lines, ""));
        const got = await ask(port(), request(`GET ${path}`));
        expect(got.status).toBe(status);
        expect(valuesOf(got.lines, "location")).toEqual(["../elsewhere?x=%2f#part"]);
        expect(node.callsTo("/elsewhere")).toEqual([]);
      },
    );

    test("has any final status of the node", async () => {
      const path = `/status-${front}`;
      for (const status of [200, 201, 206, 226, 299, 400, 404, 418, 451, 500, 503, 599]) {
        node.on(path, (call) => call.reply(`${status} Whatever It Is`, [], "body"));
        const { body, ...got } = await ask(port(), request(`GET ${path}`));
        expect({ status: got.status, body }).toEqual({ status, body: "body" });
      }
    });

    test("comes without the interim ones before it", async () => {
      const path = `/interim-${front}`;
      node.on(path, async (call) => {
        await call.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
        await call.write("HTTP/1.1 102 Processing\r\n\r\n");
        await call.reply("200 OK", [], "final");
      });
      using raw = await RawConnection.open(port());
      await raw.write(request(`GET ${path}`));
      expect(await raw.responses(1)).toMatchObject([{ status: 200, body: "final" }]);
      expect(raw.received).not.toMatch(/HTTP\/1\.1 1|Link/);
    });

    test("has no body for HEAD, 204 and 304, and the next one follows", async () => {
      const path = `/bodiless-${front}`;
      const lines = ['ETag: "1"'];
      const answer = `ETag: "1"\r\nContent-Length: 5\r\n\r\n`;
      const cases = [
        { method: "HEAD", reply: `HTTP/1.1 200 OK\r\n${answer}`, length: ["5"] },
        { method: "GET", reply: `HTTP/1.1 304 Not Modified\r\n${answer}`, length: ["5"] },
        {
          method: "GET",
          reply: `HTTP/1.1 204 No Content\r\n${lines.join("")}\r\n\r\n`,
          length: [],
        },
      ];
      for (const { method, reply, length } of cases) {
        node.on(path, (call) => call.write(reply));
        using raw = await RawConnection.open(port());
        await raw.write(request(`${method} ${path}`));
        await raw.until(/\r\n\r\n/);
        expect(raw.received).toStartWith(reply.slice(0, 12));
        expect(valuesOf(headLines(raw.received), "etag")).toEqual(['"1"']);
        expect(valuesOf(headLines(raw.received), "content-length")).toEqual(length);
        expect(valuesOf(headLines(raw.received), "transfer-encoding")).toEqual([]);
        await raw.write(request("GET /next", ["Connection: close"]));
        expect(await raw.closed()).toBe(true);
        expect(raw.received).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK[^]*node:\/next/);
      }
    });

    test("to HEAD claims no length that the node has not told", async () => {
      const path = `/head-${front}`;
      node.on(path, (call) => call.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
      using raw = await RawConnection.open(port());
      await raw.write(request(`HEAD ${path}`));
      await raw.until(/\r\n\r\n/);
      expect(raw.received).toStartWith("HTTP/1.1 200 ");
      expect(valuesOf(headLines(raw.received), "content-length")).toEqual([]);
    });

    test("keeps its coding, to the byte", async () => {
      const path = `/gzip-${front}`;
      const packed = gzipSync("packed ".repeat(5000));
      const lines = ["Content-Encoding: gzip", "Content-Type: text/plain", "Vary: Accept-Encoding"];
      node.on(path, (call) => call.reply("200 OK", lines, packed));
      const got = await ask(port(), request(`GET ${path}`, ["Accept-Encoding: br;q=0, gzip"]));
      expect(Buffer.from(got.body, "latin1").equals(packed)).toBe(true);
      expect(valuesOf(got.lines, "content-encoding")).toEqual(["gzip"]);
      expect((await node.call(path)).all("accept-encoding")).toEqual(["br;q=0, gzip"]);
      await ask(port(), request(`GET ${path}`));
      expect((await node.call(path, 1)).all("accept-encoding")).toEqual([]);
    });

    test("keeps a known length, where the front can", async () => {
      const path = `/length-${front}`;
      const body = "0123456789".repeat(30 * KIB);
      node.on(path, (call) => call.reply("200 OK", [], body));
      const got = await ask(port(), request(`GET ${path}`));
      expect(got.body === body).toBe(true);
      const framing = [
        ...valuesOf(got.lines, "content-length"),
        ...valuesOf(got.lines, "transfer-encoding"),
      ];
      expect(framing).toEqual([isExact ? String(body.length) : "chunked"]);
    });

    test("of HTTP/1.0, which ends with the connection, comes whole", async () => {
      const path = `/until-close-${front}`;
      node.on(path, async (call) => {
        await call.write("HTTP/1.0 200 OK\r\nX-Old: 1\r\n\r\nfirst ");
        await call.write("last");
        call.end();
      });
      expect((await ask(port(), request(`GET ${path}`))).body).toBe("first last");
    });
  });
});

/** Lower-case names of the lines, sorted. */
function namesOf(lines: readonly string[]): string[] {
  return folded(lines).map((line) => line.split(":")[0] ?? "");
}

/** The lines with lower-case names, sorted. */
function folded(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())).toSorted(byText);
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
