import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { MemoryBody } from "../../http/body.ts";
import { HeaderList } from "../../http/headers.ts";
import type { UpstreamRequest } from "../message.ts";
import {
  always,
  failure,
  forwardOptions,
  ManualBody,
  OK,
  RawNode,
  textOf,
  until,
  upstreamRequest,
  upstreamTo,
} from "../testing.ts";

/** What a node receives of a request that ends in `lastBytes`. */
async function wireOf(changes: Partial<UpstreamRequest>, lastBytes: string): Promise<string> {
  let wire = "";
  using node = new RawNode(async (peer) => {
    wire = await peer.receives(lastBytes);
    await peer.send(OK);
  });
  await upstreamTo([node]).forward(upstreamRequest(changes), forwardOptions());
  return wire;
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

describe("RequestSender heads", () => {
  test("are the request line, Host, then the headers in order with their spelling", async () => {
    const headers = HeaderList.from([
      ["X-B", "2"],
      ["x-a", "1"],
      ["X-B", "3"],
      ["X-Empty", ""],
    ]);
    const target = "//a/../b%2F?q=\xe9#f";
    const wire = await wireOf({ target, authority: "h.test:81", headers }, "\r\n\r\n");
    expect(wire).toBe(
      "GET //a/../b%2F?q=\xe9#f HTTP/1.1\r\nHost: h.test:81\r\n" +
        "X-B: 2\r\nx-a: 1\r\nX-B: 3\r\nX-Empty: \r\n\r\n",
    );
  });

  test("have every method and every latin-1 byte of a value as they are", async () => {
    const headers = HeaderList.from([["X", "\x80\xe9\xff\tz"]]);
    const wire = await wireOf({ method: "m-SEARCH", headers }, "\r\n\r\n");
    expect(wire).toStartWith("m-SEARCH / HTTP/1.1\r\n");
    expect(wire).toContain("X: \x80\xe9\xff\tz\r\n");
  });

  test("have the lines of an upgrade when one is asked for", async () => {
    const wire = await wireOf({ upgrade: "websocket" }, "\r\n\r\n");
    expect(wire).toEndWith("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
});

describe("RequestSender bodies", () => {
  test("that are at hand have a Content-Length and leave with the head", async () => {
    const body = new MemoryBody(bytes("hello"));
    const wire = await wireOf({ method: "POST", body }, "hello");
    expect(wire).toEndWith("Host: app.test\r\nContent-Length: 5\r\n\r\nhello");
  });

  test("that are empty have Content-Length: 0", async () => {
    const body = new MemoryBody(new Uint8Array(0));
    const wire = await wireOf({ method: "POST", body }, "\r\n\r\n");
    expect(wire).toContain("Content-Length: 0\r\n");
  });

  test("of a known length are sent as they come", async () => {
    const body = new ManualBody(6).give("ab").give("cd").give("ef").give(undefined);
    const wire = await wireOf({ method: "POST", body }, "abcdef");
    expect(wire).toEndWith("Content-Length: 6\r\n\r\nabcdef");
  });

  test("of an unknown length are sent in chunks, with their trailers", async () => {
    const trailers = HeaderList.from([["X-Sum", "4"]]);
    const body = new ManualBody(undefined, trailers).give("abc").give("d".repeat(16));
    const wire = await wireOf({ method: "POST", body: body.give(undefined) }, "X-Sum: 4\r\n\r\n");
    expect(wire).toEndWith(
      "Transfer-Encoding: chunked\r\n\r\n" +
        `3\r\nabc\r\n10\r\n${"d".repeat(16)}\r\n0\r\nX-Sum: 4\r\n\r\n`,
    );
  });

  test("with trailers are sent in chunks, as nothing else carries those", async () => {
    const body = new ManualBody(3, HeaderList.from([["X-Sum", "4"]])).give("abc").give(undefined);
    const wire = await wireOf({ method: "POST", body }, "X-Sum: 4\r\n\r\n");
    expect(wire).toEndWith("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 4\r\n\r\n");
  });

  test("of an unknown length that are empty are one last chunk", async () => {
    const body = new ManualBody().give(undefined);
    expect(await wireOf({ method: "POST", body }, "0\r\n\r\n")).toEndWith(
      "chunked\r\n\r\n0\r\n\r\n",
    );
  });

  test("that come late do not hold back the head", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.receives("late");
      await peer.send(OK);
    });
    const body = new ManualBody(4);
    const post = upstreamRequest({ method: "POST", body });
    const response = upstreamTo([node]).forward(post, forwardOptions());
    await until(() => node.peers[0]?.unread === "" && node.peers[0].receivedBytes > 0);
    body.give("late");
    expect((await response).status).toBe(200);
  });

  test("let the connection be used again, even if their end comes after the response", async () => {
    using node = new RawNode(async (peer) => {
      for (;;) {
        await peer.head();
        await peer.receives("hello");
        await peer.send(OK);
      }
    });
    const upstream = upstreamTo([node]);
    for (let n = 0; n < 3; n++) {
      const body = new ManualBody(5).give("hello"); // Never says that this was all.
      const post = upstreamRequest({ method: "POST", body });
      expect(await textOf((await upstream.forward(post, forwardOptions())).body)).toBe("ok");
    }
    expect(node.peers.length).toBe(1);
  });

  test("of 10 MB arrive whole at a node that reads in between only", async () => {
    const part = new Uint8Array(64 * 1024).map((_, at) => at * 7);
    let sum = 0;
    using node = new RawNode(async (peer) => {
      await peer.head();
      for (let n = 0; n < 160; n++) {
        peer.pause();
        await Bun.sleep(0);
        peer.resume();
        const got = await peer.bytes(part.byteLength);
        if (got === Buffer.from(part).toString("latin1")) sum++;
      }
      await peer.send(OK);
    });
    const body = new ManualBody(160 * part.byteLength);
    for (let n = 0; n < 160; n++) body.give(part);
    const post = upstreamRequest({ method: "POST", body: body.give(undefined) });
    expect((await upstreamTo([node]).forward(post, forwardOptions())).status).toBe(200);
    expect(sum).toBe(160);
  });
});

/** More than the kernel holds for a node that does not read: 6 MiB to receive, 4 MiB to send. */
const HUGE_BYTES = 16 * 1024 * 1024;

const SIZES = [100, HUGE_BYTES - 100_000, 99_900];

describe("RequestSender and the buffers of chunks", () => {
  test.each([
    { length: HUGE_BYTES, givesBuffer: true },
    { length: undefined, givesBuffer: true },
    { length: HUGE_BYTES, givesBuffer: false },
    { length: undefined, givesBuffer: false },
  ])("frees what it was given when it is sent (%p)", async ({ length, givesBuffer }) => {
    // The second one is more than the system takes at once.
    const chunks = SIZES.map((size) => new Uint8Array(size).fill(122));
    let received = 0;
    using node = new RawNode(async (peer) => {
      await peer.head();
      const isChunked = length === undefined;
      const wire = await (isChunked ? peer.receives("\r\n0\r\n\r\n") : peer.bytes(length));
      received = [...wire.matchAll(/z+/g)].reduce((sum, [run]) => sum + run.length, 0);
      await peer.send(OK);
    });
    const body = new ManualBody(length);
    Object.assign(body, { givesBuffer });
    for (const chunk of chunks) body.give(chunk);
    const post = upstreamRequest({ method: "POST", body: body.give(undefined) });
    expect((await upstreamTo([node]).forward(post, forwardOptions())).status).toBe(200);
    expect(received).toBe(HUGE_BYTES);
    const left = chunks.map((chunk) => chunk.byteLength);
    expect(left).toEqual(givesBuffer ? [100, 0, 0] : SIZES);
  });
});

describe("RequestSender at a node that does not read", () => {
  const value = Array.from({ length: HUGE_BYTES / 16 }, (_, n) => `${n}`.padStart(16)).join("");
  const headers = HeaderList.from([["X-Huge", value.trimStart()]]);
  const wire = `GET / HTTP/1.1\r\nHost: app.test\r\nX-Huge: ${value.trimStart()}\r\n\r\n`;

  test.each([
    ["without a body", "GET", undefined],
    ["with a body", "PUT", "hello"],
  ])("a head %s goes on where the socket stopped taking it", async (_what, method, text) => {
    const whole = wire
      .replace("GET", method)
      .replace(
        /\r\n$/,
        text === undefined ? "\r\n" : `Content-Length: ${text.length}\r\n\r\n${text}`,
      );
    let isAsIt = false;
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    using node = new RawNode(async (peer) => {
      peer.pause();
      await held;
      peer.resume();
      isAsIt = (await peer.bytes(whole.length)) === whole;
      await peer.send(OK);
      await always(OK)(peer);
    });
    const body = text === undefined ? undefined : new MemoryBody(bytes(text));
    const upstream = upstreamTo([node]);
    const huge = upstreamRequest({ method, headers, body });
    const response = upstream.forward(huge, forwardOptions({ sendMs: 10_000 }));
    await until(() => node.peers.length === 1);
    await Bun.sleep(50); // For the socket to be full; were it not, the test below would fail.
    letGo();
    expect(await textOf((await response).body)).toBe("ok");
    expect(isAsIt).toBe(true);
    // It knows that all has been sent, so the connection can be used again.
    const next = await upstream.forward(upstreamRequest(), forwardOptions());
    expect([await textOf(next.body), node.peers.length]).toEqual(["ok", 1]);
  });

  test("is given up after the send timeout, in the middle of the head", async () => {
    using node = new RawNode((peer) => peer.pause());
    const huge = upstreamTo([node]).forward(
      upstreamRequest({ headers }),
      forwardOptions({ sendMs: 30, readMs: 5 }),
    );
    const error = await failure(huge);
    expect(error.code).toBe("UPSTREAM_SEND_TIMEOUT");
    const sent = Number(/(\d+) bytes sent \(not all\)/.exec(error.message)?.[1]);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(wire.length);
  });
});

describe("RequestSender errors", () => {
  const refusals: [string, Partial<UpstreamRequest>][] = [
    ["a blank in the method", { method: "GE T" }],
    ["an empty method", { method: "" }],
    ["CR LF in the target", { target: "/ HTTP/1.1\r\nX: y" }],
    ["a blank in the target", { target: "/a b" }],
    ["a char in the target whose low byte is LF", { target: "/\u010a" }],
    ["an empty target", { target: "" }],
    ["LF in the authority", { authority: "a\nb" }],
    ["CR in a value", { headers: HeaderList.from([["A", "b\rc"]]) }],
    ["LF in a value", { headers: HeaderList.from([["A", "b\nc"]]) }],
    ["NUL in a value", { headers: HeaderList.from([["A", "b\0c"]]) }],
    ["a char in a value whose low byte is LF", { headers: HeaderList.from([["A", "\u010a"]]) }],
    ["CR LF in a name", { headers: HeaderList.from([["A: b\r\nC", "d"]]) }],
    ["an empty name", { headers: HeaderList.from([["", "d"]]) }],
    ["a second Host", { headers: HeaderList.from([["HOST", "evil"]]) }],
    ["framing among the headers", { headers: HeaderList.from([["Content-length", "5"]]) }],
    ["a coding among the headers", { headers: HeaderList.from([["Transfer-Encoding", "x"]]) }],
    ["LF in the upgrade", { upgrade: "a\nb" }],
  ];

  test.each(refusals)("GATEWAY_INTERNAL for %s, before a byte is sent", async (_what, changes) => {
    using node = new RawNode(() => {});
    const sent = upstreamTo([node]).forward(upstreamRequest(changes), forwardOptions());
    const error = await failure(sent);
    expect(error.code).toBe("GATEWAY_INTERNAL");
    expect(error.message).toContain("into an upstream request");
    await node.peers[0]?.gone();
    expect(node.peers[0]?.receivedBytes).toBe(0);
  });

  test("a trailer that could be read as framing is not sent", async () => {
    const trailers = HeaderList.from([["Content-Length", "5"]]);
    const body = new ManualBody(undefined, trailers).give("abc").give(undefined);
    using node = new RawNode(() => {});
    const post = upstreamRequest({ method: "POST", body });
    const error = await failure(upstreamTo([node]).forward(post, forwardOptions()));
    expect(error.code).toBe("GATEWAY_INTERNAL");
    await node.peers[0]?.gone();
    expect(node.peers[0]?.unread).not.toContain("0\r\n");
  });

  test.each([
    ["one chunk that is too long", 4, ["hello"], ""],
    ["a second chunk at hand", 5, ["hello", "!"], ""],
    ["a later chunk that is too long", 7, ["hello", "world"], "hello"],
    ["an end that comes too early", 7, ["hello", undefined], "hello"],
  ])("a body with %s is an error and never sent on", async (_what, length, chunks, sent) => {
    const body = new ManualBody(length);
    for (const chunk of chunks) body.give(chunk);
    using node = new RawNode(() => {});
    const post = upstreamRequest({ method: "POST", body });
    const error = await failure(upstreamTo([node]).forward(post, forwardOptions()));
    expect(error.code).toBe("GATEWAY_INTERNAL");
    expect(error.message).toContain(`its length is ${length} bytes`);
    await node.peers[0]?.gone();
    expect(node.peers[0]?.unread.split("\r\n\r\n")[1] ?? "").toBe(sent);
    expect(body.cancelledWith).toBeDefined();
  });

  test("an error of the body is that of the exchange, which closes the connection", async () => {
    const gone = new GatewayError("CLIENT_GONE", "the client went away");
    using node = new RawNode(() => {});
    const body = new ManualBody(10).give("hello");
    const post = upstreamRequest({ method: "POST", body });
    const response = failure(upstreamTo([node]).forward(post, forwardOptions()));
    await until(() => node.peers[0]?.unread.endsWith("hello") ?? false);
    body.give(gone);
    expect(await response).toBe(gone);
    await node.peers[0]?.gone();
  });

  test("an error that is not ours is GATEWAY_INTERNAL and keeps its message", async () => {
    using node = new RawNode(() => {});
    const body = new ManualBody(10).give(new Error("boom"));
    const post = upstreamRequest({ method: "POST", body });
    const error = await failure(upstreamTo([node]).forward(post, forwardOptions()));
    expect(error.code).toBe("GATEWAY_INTERNAL");
    expect(error.message).toBe("boom");
  });
});
