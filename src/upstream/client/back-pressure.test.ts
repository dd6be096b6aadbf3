import { describe, expect, test } from "bun:test";
import {
  always,
  failure,
  forwardOptions,
  ManualBody,
  OK,
  type Peer,
  RawNode,
  textOf,
  until,
  upstreamRequest,
  upstreamTo,
} from "../testing.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Body } from "../../http/body.ts";

const MIB = 1024 * 1024;

/**
 * What one direction can hold while nobody reads: the kernel's buffers on both ends (up to 6 MiB to
 * receive and 4 MiB to send with Linux's defaults) and our own.
 */
const HELD_BYTES_MAX = 14 * MIB;

const TOTAL_BYTES = 40 * MIB;

/** Waits until the node has got rid of no byte for many turns of the event loop. */
async function stalled(bytes: () => number): Promise<void> {
  let before = -1;
  for (let turns = 0; turns < 50; turns++) {
    if (bytes() !== before) turns = 0;
    before = bytes();
    await Bun.sleep(0);
  }
}

async function count(body: Body | undefined): Promise<number> {
  let bytes = 0;
  for (;;) {
    const chunk = await body?.read();
    if (chunk === undefined) return bytes;
    bytes += chunk.byteLength;
  }
}

async function sendInParts(peer: Peer, chunked: boolean): Promise<void> {
  const part = new Uint8Array(MIB);
  for (let sent = 0; sent < TOTAL_BYTES; sent += part.byteLength) {
    if (chunked) await peer.send(`${part.byteLength.toString(16)}\r\n`);
    await peer.send(part);
    if (chunked) await peer.send("\r\n");
  }
  if (chunked) await peer.send("0\r\n\r\n");
}

describe("a reader that does not read", () => {
  test.each([
    ["Content-Length", `Content-Length: ${TOTAL_BYTES}`],
    ["chunks", "Transfer-Encoding: chunked"],
    ["the end of the connection", "Connection: close"],
  ])("holds the node back, and gets every byte later (%s)", async (_what, line) => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`);
      await sendInParts(peer, line.includes("chunked"));
      if (line.includes("close")) peer.end();
    });
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    const peer = node.peers[0] as Peer;
    await until(() => peer.sentBytes > 0);
    await stalled(() => peer.sentBytes);
    expect(peer.sentBytes).toBeLessThan(HELD_BYTES_MAX);
    expect(await count(body)).toBe(TOTAL_BYTES);
  });

  test("does not trip the read timeout; a node that stalls a reader does", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    });
    const readMs = 30;
    const startedMs = performance.now();
    const { body } = await upstreamTo([node]).forward(
      upstreamRequest(),
      forwardOptions({ readMs }),
    );
    await until(() => performance.now() - startedMs > 3 * readMs);
    expect(Buffer.from((await body?.read()) ?? "").toString()).toBe("hello");
    const error = await failure(textOf(body));
    expect(error.code).toBe("UPSTREAM_READ_TIMEOUT");
    expect(error.message).toContain("read timeout of 30 ms");
    await node.peers[0]?.gone();
  });

  test("can leave a paused connection, and the next exchange on the pool works", async () => {
    using node = new RawNode(async (peer) => {
      for (;;) {
        const head = await peer.head();
        if (head.startsWith("GET /small")) {
          await peer.send(OK);
          continue;
        }
        await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL_BYTES}\r\n\r\n`);
        await sendInParts(peer, false);
      }
    });
    const upstream = upstreamTo([node]);
    const { body } = await upstream.forward(upstreamRequest(), forwardOptions());
    await stalled(() => node.peers[0]?.sentBytes ?? 0);
    body?.cancel("enough");
    await node.peers[0]?.gone();
    const small = await upstream.forward(upstreamRequest({ target: "/small" }), forwardOptions());
    expect(await textOf(small.body)).toBe("ok");
  });
});

describe("a body that ends while its connection is paused", () => {
  test("frees the connection for the next exchange, unread bytes and all", async () => {
    const big = "HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n";
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(big);
      await peer.send(new Uint8Array(300_000));
      await peer.receives("go on");
      await peer.send(new Uint8Array(300_000));
      await always(OK)(peer);
    });
    const upstream = upstreamTo([node]);
    const sent = new ManualBody(5);
    const post = upstreamRequest({ method: "POST", body: sent });
    const { body } = await upstream.forward(post, forwardOptions());
    await until(() => (node.peers[0]?.sentBytes ?? 0) >= 300_000 + big.length);
    sent.give("go on");
    expect(await count(body)).toBe(600_000);
    expect(await textOf((await upstream.forward(upstreamRequest(), forwardOptions())).body)).toBe(
      "ok",
    );
    expect(node.peers.length).toBe(1);
  });

  test("frees it when the last bytes are those that paused it", async () => {
    const rest = 1000;
    const length = LIMITS.receiveBufferBytes + rest - 1;
    const begin = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(begin);
      await peer.send(new Uint8Array(length - rest));
      await peer.receives("go on");
      await peer.send(new Uint8Array(rest));
      await always(OK)(peer);
    });
    const upstream = upstreamTo([node]);
    const sent = new ManualBody(5);
    const post = upstreamRequest({ method: "POST", body: sent });
    const { body } = await upstream.forward(post, forwardOptions());
    await stalled(() => node.peers[0]?.sentBytes ?? 0);
    sent.give("go on");
    await stalled(() => node.peers[0]?.sentBytes ?? 0);
    const next = await upstream.forward(upstreamRequest(), forwardOptions());
    expect([await textOf(next.body), node.peers.length]).toEqual(["ok", 1]);
    expect(await count(body)).toBe(length);
  });
});

describe("a node that does not read", () => {
  test.each([
    ["Content-Length", TOTAL_BYTES],
    ["chunks", undefined],
  ])("holds the request body back, and gets every byte later (%s)", async (_what, length) => {
    let resumed = false;
    using node = new RawNode(async (peer) => {
      peer.pause();
      await until(() => resumed);
      peer.resume();
      const head = await peer.head();
      peer.unread = "";
      await until(() => peer.receivedBytes - head.length >= TOTAL_BYTES);
      await peer.send(OK);
    });
    const part = new Uint8Array(MIB);
    const sent = new ManualBody(length);
    for (let n = 0; n < TOTAL_BYTES / MIB; n++) sent.give(part);
    const post = upstreamRequest({ method: "POST", body: sent.give(undefined) });
    const response = upstreamTo([node]).forward(post, forwardOptions());
    await until(() => sent.readBytes > 0);
    await stalled(() => sent.readBytes);
    expect(sent.readBytes).toBeLessThan(HELD_BYTES_MAX);
    resumed = true;
    expect((await response).status).toBe(200);
    expect(sent.readBytes).toBe(TOTAL_BYTES);
  });

  test("trips the send timeout, which names its limit and what was sent", async () => {
    using node = new RawNode((peer) => peer.pause());
    const sent = new ManualBody(TOTAL_BYTES).give(new Uint8Array(TOTAL_BYTES));
    const post = upstreamRequest({ method: "POST", body: sent });
    const timeouts = forwardOptions({ sendMs: 50, readMs: 1 });
    const error = await failure(upstreamTo([node]).forward(post, timeouts));
    expect(error.code).toBe("UPSTREAM_SEND_TIMEOUT");
    expect(error.message).toContain("send timeout of 50 ms");
    expect(error.message).toMatch(/\d{5,} bytes sent \(not all\)/);
    expect(sent.cancelledWith).toBeDefined();
  });
});

describe("a client that sends slowly", () => {
  test("trips neither the send nor the read timeout", async () => {
    using node = new RawNode(async (peer) => {
      await peer.receives("late");
      await peer.send(OK);
    });
    const sent = new ManualBody(4).give("l");
    const post = upstreamRequest({ method: "POST", body: sent });
    const startedMs = performance.now();
    const timeouts = forwardOptions({ sendMs: 20, readMs: 20 });
    const response = upstreamTo([node]).forward(post, timeouts);
    await until(() => performance.now() - startedMs > 100);
    sent.give("ate");
    expect((await response).status).toBe(200);
  });
});
