import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { collect } from "../../../http/body.ts";
import { HeaderList } from "../../../http/headers.ts";
import type { Incoming } from "../front.ts";
import { answer, type Answering, QueueBody, RawClient, startFront } from "./http1.testing.ts";

/** Tells what it has understood of a request. */
const echo: Answering = async ({ method, target, body }) => {
  const bytes = body === undefined ? undefined : await collect(body, 1e6);
  const text = bytes === undefined ? "-" : Buffer.from(bytes).toString("latin1");
  return answer(`${method} ${target} ${text}`);
};

/** Sends `text` and gives back all that comes until the connection ends. */
async function talk(handle: Answering, text: string): Promise<string> {
  const front = startFront(handle);
  const client = await RawClient.open(front.port);
  client.send(text);
  const got = await client.end();
  client.close();
  await front.stop();
  expect(front.inFlight).toBe(0);
  return got;
}

const get = (target: string, lines = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const LAST = "Connection: close\r\n";

/** Without Date, whose value changes. */
const withoutDate = (text: string): string => text.replaceAll(/^Date: .*\r\n/gm, "");

describe("startHttp1Front() requests", () => {
  test("tells everything about a request as it was sent", async () => {
    let seen: Incoming | undefined;
    const text = await talk(async (incoming) => {
      seen = incoming;
      return answer("ok");
    }, `BREW http://x/../y?q HTTP/1.1\r\nhost: A:1\r\nX-a: 1\r\nx-A: 2\r\n${LAST}\r\n`);
    expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(seen).toMatchObject({
      method: "BREW",
      target: "http://x/../y?q",
      version: "1.1",
      scheme: "http",
      body: undefined,
      remoteAddress: "127.0.0.1",
      localAddress: "127.0.0.1",
      upgrade: undefined,
    });
    expect(seen?.remotePort).toBeGreaterThan(0);
    expect([...(seen?.headers ?? [])].map(([name]) => name)).toEqual([
      "host",
      "X-a",
      "x-A",
      "Connection",
    ]);
  });

  test("answers pipelined requests in order and one at a time", async () => {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    let running = 0;
    let most = 0;
    const front = startFront(async ({ target }) => {
      most = Math.max(most, ++running);
      await gates[Number(target.slice(1))]?.promise;
      running--;
      return answer(target);
    });
    const client = await RawClient.open(front.port);
    client.send(get("/0") + get("/1") + get("/2"));
    for (const gate of gates.toReversed()) gate.resolve();
    expect((await client.answers(3)).map(({ body }) => body)).toEqual(["/0", "/1", "/2"]);
    expect(most).toBe(1);
    front.close();
  });

  test("answers hundreds of requests that come in one piece", async () => {
    const text = Array.from({ length: 500 }, (_, n) => get(`/${n}`)).join("") + get("/last", LAST);
    const got = await talk(echo, text);
    expect(got.match(/GET \/\d+ -/g)?.map((found) => found.slice(5, -2))).toEqual(
      Array.from({ length: 500 }, (_, n) => String(n)),
    );
  });

  test.each([
    { name: "a length", lines: "Content-Length: 5\r\n", wire: "hello" },
    {
      name: "chunks",
      lines: "Transfer-Encoding: chunked\r\n",
      wire: "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
    },
  ])("reads bodies of any method, framed by $name, split at any byte", async ({ lines, wire }) => {
    const text = `GET /1 HTTP/1.1\r\nHost: a\r\n${lines}\r\n${wire}${get("/2", LAST)}`;
    const front = startFront(echo);
    const clients = Array.from({ length: text.length }, async (_, at) => {
      const client = await RawClient.open(front.port);
      client.send(text.slice(0, at));
      await Bun.sleep(0); // Two writes in one turn could become one packet.
      client.send(text.slice(at));
      const got = await client.end();
      return withoutDate(got);
    });
    const expected =
      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nGET /1 hello" +
      "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nGET /2 -";
    expect([...new Set(await Promise.all(clients))]).toEqual([expected]);
    front.close();
  });

  test("gives trailers once the body has ended", async () => {
    let before: unknown;
    let after: unknown;
    await talk(
      async ({ body }) => {
        before = body?.trailers;
        if (body !== undefined) await collect(body, 100);
        after = [...(body?.trailers ?? [])];
        return answer("ok", { close: true });
      },
      get("/", "Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\nX-Sum: 9\r\n\r\n",
    );
    expect([before, after]).toEqual([undefined, [["X-Sum", "9"]]]);
  });
});

const asked = (method: string, lines = LAST, version = "1.1"): string =>
  `${method} / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`;
const headers = (): HeaderList =>
  HeaderList.from([
    ["X-b", "1"],
    ["Content-Length", "99"],
    ["x-B", "2"],
  ]);
const stream = (length: number | undefined, ...chunks: string[]): QueueBody => {
  const body = new QueueBody(length);
  for (const chunk of [...chunks, undefined]) body.push(chunk);
  return body;
};

const withTrailers = (): QueueBody =>
  Object.assign(stream(undefined, "x"), { trailers: HeaderList.from([["X-Sum", "1"]]) });

describe("startHttp1Front() answers", () => {
  test.each([
    {
      name: "a known length",
      request: asked("GET"),
      body: () => stream(5, "he", "llo"),
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Content-Length: 5|Connection: close||hello",
    },
    {
      name: "an unknown length",
      request: asked("GET"),
      body: () => stream(undefined, "he", "llo"),
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Transfer-Encoding: chunked|Connection: close||2|he|3|llo|0||",
    },
    {
      name: "an unknown length and nothing",
      request: asked("GET"),
      body: () => stream(undefined),
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Transfer-Encoding: chunked|Connection: close||0||",
    },
    {
      name: "no body",
      request: asked("GET"),
      body: () => undefined,
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Content-Length: 0|Connection: close||",
    },
    {
      name: "an unknown length to HTTP/1.0",
      request: asked("GET", "Connection: keep-alive\r\n", "1.0"),
      body: () => stream(undefined, "he", "llo"),
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Connection: close||hello",
    },
    {
      name: "a known length to HTTP/1.0",
      request: asked("GET", "", "1.0"),
      body: () => stream(2, "ok"),
      status: 200,
      wire: "200 OK|X-b: 1|x-B: 2|Content-Length: 2|Connection: close||ok",
    },
    {
      name: "HEAD without a body",
      request: asked("HEAD"),
      body: () => undefined,
      status: 200,
      wire: "200 OK|X-b: 1|Content-Length: 99|x-B: 2|Connection: close||",
    },
    {
      name: "HEAD with a body",
      request: asked("HEAD"),
      body: () => stream(5, "hello"),
      status: 200,
      wire: "200 OK|X-b: 1|Content-Length: 99|x-B: 2|Connection: close||",
    },
    {
      name: "304",
      request: asked("GET"),
      body: () => undefined,
      status: 304,
      wire: "304 Not Modified|X-b: 1|Content-Length: 99|x-B: 2|Connection: close||",
    },
    {
      name: "204",
      request: asked("GET"),
      body: () => stream(5, "hello"),
      status: 204,
      wire: "204 No Content|X-b: 1|x-B: 2|Connection: close||",
    },
  ])("frames $name", async ({ request, body, status, wire }) => {
    const sent = body();
    const got = await talk(async () => answer(sent, { status, headers: headers() }), request);
    expect(withoutDate(got).replaceAll("\r\n", "|")).toBe(`HTTP/1.1 ${wire}`);
    expect(got).toContain("\r\nDate: ");
    if (sent !== undefined) expect(sent.isEnded).not.toBe(sent.isCancelled);
  });

  test("tells the length of the body that HEAD would have had", async () => {
    const got = await talk(async () => answer("hello"), asked("HEAD"));
    expect(got).toContain("Content-Length: 5\r\n");
    expect(got).toEndWith("\r\n\r\n");
  });

  test("sends trailers to who asks for them", async () => {
    const got = await talk(
      async () => answer(withTrailers()),
      get("/", "TE: trailers\r\n") + get("/", LAST),
    );
    const ends = got.split("1\r\nx\r\n").slice(1);
    expect(ends[0]).toStartWith("0\r\nX-Sum: 1\r\n\r\nHTTP/1.1 200 OK");
    expect(ends[1]).toBe("0\r\n\r\n");
  });

  test("sends the head at once when the body lets it wait", async () => {
    const body = new QueueBody();
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.send(get("/"));
    await client.until(({ text }) => text.endsWith("chunked\r\n\r\n"));
    body.push("event");
    await client.until(({ text }) => text.endsWith("\r\n5\r\nevent\r\n"));
    body.push(undefined);
    await client.until(({ text }) => text.endsWith("\r\n0\r\n\r\n"));
    front.close();
  });

  test("keeps the connection for the next request unless somebody closes it", async () => {
    const front = startFront(async ({ target }) => answer("ok", { close: target === "/close" }));
    const client = await RawClient.open(front.port);
    for (let count = 1; count <= 3; count++) {
      client.send(get("/"));
      expect((await client.answers(count)).at(-1)?.head).not.toContain("Connection");
    }
    client.send(get("/close"));
    expect(await client.end()).toContain("Connection: close");
    const old = await RawClient.open(front.port);
    old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect((await old.answers(1))[0]?.head).toContain("Connection: keep-alive");
    old.send("GET / HTTP/1.0\r\n\r\n");
    await old.end();
    expect((await old.answers(2))[1]?.head).toContain("Connection: close");
    front.close();
  });

  test("closes behind a CONNECT: what follows may be another protocol", async () => {
    const got = await talk(echo, `CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${get("/smuggled")}`);
    expect(got).toContain("CONNECT a:1 -");
    expect(got).not.toContain("smuggled");
  });
});

describe("startHttp1Front() errors", () => {
  test.each([
    ["malformed", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 Bad Request", "REQUEST_MALFORMED"],
    ["a long target", get(`/${"a".repeat(9000)}`), "414 URI Too Long", "REQUEST_URI_TOO_LONG"],
    [
      "a long header",
      get("/", `A: ${"a".repeat(40_000)}\r\n`),
      "431 Request Header Fields Too Large",
      "REQUEST_HEADERS_TOO_LARGE",
    ],
    [
      "another version",
      "GET / HTTP/2.0\r\n\r\n",
      "505 HTTP Version Not Supported",
      "REQUEST_VERSION_UNSUPPORTED",
    ],
    [
      "a coding",
      get("/", "Transfer-Encoding: gzip, chunked\r\n"),
      "501 Not Implemented",
      "REQUEST_CODING_UNSUPPORTED",
    ],
    [
      "an expectation",
      get("/", "Expect: x\r\n"),
      "417 Expectation Failed",
      "REQUEST_EXPECTATION_FAILED",
    ],
  ])("answers %s and closes, with much left unread", async (_, text, status, code) => {
    let handled = 0;
    const smuggled = `${get("/smuggled")}${"x".repeat(300_000)}`;
    const got = await talk(async () => (handled++, answer("ok")), text + smuggled);
    expect(got).toStartWith(`HTTP/1.1 ${status}\r\n`);
    expect(got).toContain("Connection: close\r\n");
    expect(got).toEndWith(`\r\n\r\n${code}`);
    expect(handled).toBe(0);
  });

  test("answers what came before a malformed request, then refuses it", async () => {
    const got = await talk(echo, `${get("/1")}${get("/2")}GET  / HTTP/1.1\r\n\r\n`);
    expect(got.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 400"]);
  });

  test("never reads the bytes behind a broken body as a request", async () => {
    const head = "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const broken of ["5\r\nhelloX", "zz\r\n", "5\r\nhello\r\n0\r\nA : b\r\n\r\n"]) {
      const targets: string[] = [];
      // One handler gives up at the broken body, the other has never looked at it.
      for (const reads of [true, false]) {
        await talk(
          async ({ target, body }) => {
            targets.push(target);
            if (reads && body !== undefined) await collect(body, 100).catch(() => {});
            return answer("ok");
          },
          `${head}${broken}\r\n${get("/smuggled")}`,
        );
      }
      expect(targets).toEqual(["/1", "/1"]);
    }
  });

  test.each([
    [
      "a head that is no head",
      () => answer("x", { headers: HeaderList.from([["A", "b\r\nC: d"]]) }),
    ],
    [
      "a body that fails at once",
      () => {
        const body = new QueueBody(3);
        body.push(new GatewayError("UPSTREAM_RESET", "Cannot read"));
        return answer(body);
      },
    ],
    ["a 101 that nobody asked for", () => answer("x", { status: 101 })],
    ["a 103", () => answer("x", { status: 103 })],
    [
      "a length that is not kept, seen at once",
      () =>
        answer(
          Object.assign(new QueueBody(3), {
            read: () => undefined,
          }),
        ),
    ],
  ] as const)("gets a proper answer instead of %s", async (_, make) => {
    const got = await talk(async () => make(), get("/", LAST));
    expect(got).toMatch(/^HTTP\/1\.1 50[02] /);
    expect(got.match(/HTTP/g)).toHaveLength(1);
  });

  test("answers for a handler that breaks its promise never to reject", async () => {
    const got = await talk(() => Promise.reject(new Error("secret")), get("/", LAST));
    expect(got).toStartWith("HTTP/1.1 500 Internal Server Error\r\n");
    expect(got).not.toContain("secret");
  });

  test.each([
    ["that breaks", 10, "x", new GatewayError("UPSTREAM_RESET", "Cannot read")],
    ["that breaks in chunks", undefined, "x", new GatewayError("UPSTREAM_RESET", "Cannot read")],
    ["that is too short", 10, "x", undefined],
    ["that is too long", 3, "x", "yyyy"],
  ] as const)("resets the connection for a body %s", async (_, length, first, second) => {
    const body = new QueueBody(length);
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.send(get("/"));
    body.push(first);
    await client.until(({ text }) => text.includes("\r\n\r\n"));
    body.push(second);
    await client.end();
    expect(client.over).toBe("reset");
    expect(client.text).not.toContain("\r\n0\r\n\r\n");
    expect(front.inFlight).toBe(0);
    front.close();
  });

  test("resets an answer without a length to HTTP/1.0, whose end would look complete", async () => {
    const body = new QueueBody();
    const front = startFront(async () => answer(body));
    const client = await RawClient.open(front.port);
    client.send("GET / HTTP/1.0\r\n\r\n");
    body.push("x");
    await client.until(({ text }) => text.endsWith("x"));
    body.push(new GatewayError("UPSTREAM_RESET", "Cannot read"));
    await client.end();
    expect(client.over).toBe("reset");
    front.close();
  });
});
