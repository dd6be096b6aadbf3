import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { MemoryBody } from "../../http/body.ts";
import {
  always,
  failure,
  forwardOptions,
  ManualBody,
  OK,
  RawNode,
  textOf,
  upstreamRequest,
  upstreamTo,
} from "../testing.ts";
import type { UpstreamResponse } from "../message.ts";

/** More than what is copied. */
const LONG = "0123456789".repeat(500);
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** The answer to one request of `method` by a node that sends `response`, whole, and stays open. */
async function answer(response: string, method = "GET"): Promise<UpstreamResponse> {
  using node = new RawNode(always(response));
  return await upstreamTo([node]).forward(upstreamRequest({ method }), forwardOptions());
}

/** How often a node is connected to for three requests in a row: 1 when it is reused. */
async function connectionsForThree(response: string, method = "GET"): Promise<number> {
  using node = new RawNode(always(response));
  const upstream = upstreamTo([node]);
  for (let n = 0; n < 3; n++) {
    const { body } = await upstream.forward(upstreamRequest({ method }), forwardOptions());
    await textOf(body);
  }
  return node.peers.length;
}

describe("Exchange responses", () => {
  test("of the same head are framed by what was asked each time", async () => {
    const head = "HTTP/1.1 200 OK\r\nX-Same: yes\r\nContent-Length: 5\r\n\r\n";
    using node = new RawNode(async (peer) => {
      for (;;) {
        const asked = await peer.head();
        await peer.send("HTTP/1.1 103 Early Hints\r\nX-Same: yes\r\n\r\n");
        await peer.send(asked.startsWith("HEAD") ? head : `${head}hello`);
      }
    });
    const upstream = upstreamTo([node]);
    const seen: string[] = [];
    for (const method of ["GET", "GET", "GET", "HEAD", "HEAD", "GET", "HEAD", "GET"]) {
      const request = upstreamRequest({ method });
      const { body, headers } = await upstream.forward(request, forwardOptions());
      seen.push(`${method} ${headers.get("content-length")} ${await textOf(body)}`);
    }
    const [get, bare] = ["GET 5 hello", "HEAD 5 "];
    expect(seen).toEqual([get, get, get, bare, bare, get, bare, get]);
    expect(node.peers.length).toBe(1);
  });

  test("have status and headers as they were received, framing lines included", async () => {
    const { status, headers, node, failed, tunnel } = await answer(
      "HTTP/1.1 418 Tea\r\nX-A: 1\r\nset-cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    );
    expect(status).toBe(418);
    expect([...headers].map(([name, value]) => `${name}=${value}`)).toEqual([
      "X-A=1",
      "set-cookie=a",
      "Set-Cookie=b",
      "Content-Length=0",
    ]);
    expect(node.address).toStartWith("127.0.0.1:");
    expect(failed).toEqual([]);
    expect(tunnel).toBeUndefined();
  });

  test("that came in one piece are read without a promise and know their length", async () => {
    const { body } = await answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    expect(body?.length).toBe(5);
    expect(Buffer.from(body?.read() as Uint8Array).toString()).toBe("hello");
    expect(body?.read()).toBeUndefined();
  });

  test("that came in one piece know their length even when they were chunked", async () => {
    const { body } = await answer(`${CHUNKED}3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n`);
    expect(body?.length).toBe(5);
    expect(Buffer.from(body?.read() as Uint8Array).toString()).toBe("abcde");
    expect(body?.trailers?.get("x-sum")).toBe("5");
  });

  test.each([
    ["a Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5],
    ["chunks", `${CHUNKED}2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: 1\r\n\r\n`, undefined],
    ["interim responses before", `HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${OK}`, 2],
  ])("with %s may come byte by byte", async (_what, wire, length) => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.sendSlowly(wire);
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    expect(body?.length).toBe(length);
    expect(await textOf(body)).toBe(length === 2 ? "ok" : "hello");
    expect(body?.trailers?.get("t")).toBe(length === undefined ? "1" : undefined);
    expect(body?.read()).toBeUndefined();
  });

  test("without framing last until the node closes", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\n\r\nhel");
      await peer.send("lo");
      peer.end();
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    expect(body?.length).toBeUndefined();
    expect(await textOf(body)).toBe("hello");
  });

  test.each([
    ["with a length", `HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${LONG}`],
    ["in a chunk", `${CHUNKED}1388\r\n${LONG}\r\n0\r\n\r\n`],
  ])("tell where a body lies that came whole, %s", async (_what, wire) => {
    const { body } = await answer(wire);
    const { buffer, start = 0, end } = body?.readInPlace?.() ?? {};
    expect([start, end]).toEqual([wire.indexOf(LONG), wire.indexOf(LONG) + LONG.length]);
    expect(String(Buffer.from(buffer?.subarray(start, end) ?? []))).toBe(LONG);
    expect(body?.read()).toBeUndefined();
  });

  test("give the buffers of a body in parts, with the room that the head left", async () => {
    const wire = `HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n${LONG}`;
    const firstRead = Promise.withResolvers<void>();
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(wire);
      await firstRead.promise;
      await peer.send(LONG);
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    const first = (await body?.read()) as Uint8Array;
    expect(body?.givesBuffer).toBe(true);
    expect(first.byteOffset).toBe(wire.indexOf(LONG));
    expect(String(Buffer.from(first))).toBe(LONG);
    firstRead.resolve();
    const second = await body?.read();
    expect([second?.byteLength, second?.byteOffset]).toEqual([5000, 0]);
    expect(body?.givesBuffer).toBe(true);
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["HEAD", CHUNKED],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
  ])("to %s of the form %j have no body and leave the connection usable", async (method, wire) => {
    const { body, headers } = await answer(wire, method);
    expect(body).toBeUndefined();
    expect(headers.has("content-length")).toBe(wire.includes("Content-Length"));
    expect(await connectionsForThree(wire, method)).toBe(1);
  });

  test("skip interim responses, in one piece too", async () => {
    const { status } = await answer(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\n${OK}`);
    expect(status).toBe(200);
  });
});

describe("Exchange connections", () => {
  test.each([
    ["a Content-Length", OK, 1],
    ["chunks", `${CHUNKED}1\r\na\r\n0\r\n\r\n`, 1],
    ["an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1],
    ["Connection: close", `HTTP/1.1 200 OK\r\nConnection: close\r\n${OK.slice(17)}`, 3],
    [
      "Connection: keep-alive, and close in a second line",
      `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n${OK.slice(17)}`,
      3,
    ],
    ["HTTP/1.0", `HTTP/1.0 200 OK\r\n${OK.slice(17)}`, 3],
    ["HTTP/1.0 and keep-alive", `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${OK.slice(17)}`, 1],
    ["surplus bytes after a Content-Length", `${OK}!`, 3],
    ["surplus bytes after the last chunk", `${CHUNKED}0\r\n\r\n!`, 3],
    ["a second response that nobody asked for", `${OK}${OK}`, 3],
  ])("after a response with %s", async (_what, response, connections) => {
    expect(await connectionsForThree(response)).toBe(connections);
  });

  test("are closed when a body is sent that may not be there", async () => {
    const wire = "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok";
    expect(await connectionsForThree(wire)).toBe(3);
    expect(await connectionsForThree(OK, "HEAD")).toBe(3);
  });

  test("are closed at once when the reader cancels the body", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    await body?.read();
    const pending = body?.read();
    body?.cancel("enough");
    expect(await pending).toBeUndefined();
    await node.peers[0]?.gone();
    body?.cancel("again");
    expect(body?.read()).toBeUndefined();
  });
});

describe("Exchange early responses", () => {
  test("are delivered while the request body is still being sent", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
      await peer.send(await peer.receives("three"));
    });
    const sent = new ManualBody(8).give("one");
    const { status, body } = await upstreamTo([node]).forward(
      upstreamRequest({ method: "POST", body: sent }),
      forwardOptions(),
    );
    expect(status).toBe(200);
    sent.give("three");
    // The node saw "onethree" and answers with as much of it as it has promised.
    expect(await textOf(body)).toBe("onethr");
  });

  test("that end first stop the sending, and the connection is not used again", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(OK);
      await peer.gone();
    });
    const upstream = upstreamTo([node]);
    const sent = new ManualBody(10).give("hello");
    const post = upstreamRequest({ method: "POST", body: sent });
    const { body } = await upstream.forward(post, forwardOptions());
    expect(await textOf(body)).toBe("ok");
    expect(sent.cancelledWith).toBeDefined();
    await node.peers[0]?.gone();
    await upstream.forward(upstreamRequest(), forwardOptions());
    expect(node.peers.length).toBe(2);
  });

  test("are delivered although the node closes without reading the request", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      peer.pause();
      await peer.send("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
      peer.end();
    });
    const body = new MemoryBody(new Uint8Array(20 << 20));
    const post = upstreamRequest({ method: "POST", body });
    const response = await upstreamTo([node]).forward(post, forwardOptions());
    expect(response.status).toBe(413);
    expect(await textOf(response.body)).toBe("big");
  });
});

describe("Exchange errors", () => {
  test.each([
    ["garbage", "garbage", "begins with"],
    ["a bad header line", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "not a header name"],
    [
      "differing lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
      "5, 6",
    ],
    ["a length that is a list", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "5, 5"],
    ["a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "+5"],
    ["an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "Content-Length"],
    ["gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "gzip"],
    [
      "two codings",
      `${CHUNKED.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n`,
      "chunked, chunked",
    ],
    ["both framings", `${CHUNKED.slice(0, -2)}Content-Length: 5\r\n\r\n`, "both"],
    ["chunks in HTTP/1.0", CHUNKED.replace("1.1", "1.0"), "HTTP/1.0"],
    ["a bad first chunk", `${CHUNKED}x\r\n`, "chunk size"],
    ["a tunnel that was not asked for", "HTTP/1.1 101 x\r\n\r\n", "did not ask"],
    ["endless interim responses", "HTTP/1.1 102 x\r\n\r\n".repeat(17), "16 interim"],
  ])("UPSTREAM_BAD_RESPONSE for %s, and the connection is closed", async (_what, wire, why) => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(wire);
    });
    const error = await failure(upstreamTo([node]).forward(upstreamRequest(), forwardOptions()));
    expect(error.code).toBe("UPSTREAM_BAD_RESPONSE");
    expect(error.message).toContain(why);
    expect(error.message).toContain(`GET from 127.0.0.1:${node.port}`);
    await node.peers[0]?.gone();
  });

  test.each([
    ["nothing", ""],
    ["a part of the head", "HTTP/1.1 200 OK\r\nConte"],
    ["an interim response only", "HTTP/1.1 100 Continue\r\n\r\n"],
  ])("UPSTREAM_RESET when the node closes after %s", async (_what, wire) => {
    for (const close of ["end", "reset"] as const) {
      using node = new RawNode(async (peer) => {
        await peer.head();
        await peer.send(wire);
        peer[close]();
      });
      const error = await failure(upstreamTo([node]).forward(upstreamRequest(), forwardOptions()));
      expect(error.code).toBe("UPSTREAM_RESET");
      expect(error.message).toContain(close === "end" ? "closed the connection" : "ECONNRESET");
    }
  });

  test.each([
    ["a Content-Length", "end", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "hello"],
    ["a Content-Length", "reset", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "hello"],
    ["chunks", "end", CHUNKED, "a\r\nhello"],
    ["chunks", "reset", CHUNKED, "a\r\nhello"],
    ["all chunks but the last", "end", CHUNKED, "5\r\nhello\r\n"],
    ["all but the trailers' end", "end", CHUNKED, "5\r\nhello\r\n0\r\nT: 1\r\n"],
    ["no framing", "reset", "HTTP/1.1 200 OK\r\n\r\n", "hello"],
  ] as const)(
    "a body with %s that is cut off (%s) is not complete",
    async (_, close, head, start) => {
      using node = new RawNode(async (peer) => {
        await peer.head();
        await peer.send(head + start);
      });
      const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
      expect(Buffer.from((await body?.read()) ?? "").toString()).toBe("hello");
      node.peers[0]?.[close]();
      const error = await failure(textOf(body));
      expect(error.code).toBe("UPSTREAM_RESET");
      expect(error.message).toContain("response body of GET");
    },
  );

  test("what came before the cut can still be read", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      peer.end();
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    await node.peers[0]?.gone();
    expect(Buffer.from((await body?.read()) ?? "").toString()).toBe("hello");
    expect((await failure(textOf(body))).code).toBe("UPSTREAM_RESET");
  });

  test("a chunk that breaks the coding later fails the read of the body", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(`${CHUNKED}5\r\nhello\r\n`);
      await peer.receives("go on");
      await peer.send("zzz\r\n");
    });
    const sent = new ManualBody().give("x");
    const { body } = await upstreamTo([node]).forward(
      upstreamRequest({ method: "POST", body: sent }),
      forwardOptions(),
    );
    expect(Buffer.from((await body?.read()) ?? "").toString()).toBe("hello");
    sent.give("go on");
    expect((await failure(textOf(body))).code).toBe("UPSTREAM_BAD_RESPONSE");
  });

  test("UPSTREAM_BAD_RESPONSE for a head above the limit names the limit", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(`HTTP/1.1 200 OK\r\nX: ${"a".repeat(LIMITS.responseHeaderBytesMax)}`);
    });
    const error = await failure(upstreamTo([node]).forward(upstreamRequest(), forwardOptions()));
    expect(error.code).toBe("UPSTREAM_BAD_RESPONSE");
    expect(error.message).toContain("65536 bytes");
  });
});
