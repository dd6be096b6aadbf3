import { describe, expect, spyOn, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { log } from "../base/log.ts";
import { MemoryBody } from "../http/body.ts";
import {
  always,
  closedPort,
  failure,
  forwardOptions,
  ManualBody,
  OK,
  RawNode,
  type Script,
  tcpNode,
  textOf,
  until,
  upstreamRequest,
  upstreamTo,
} from "./testing.ts";

/** Closes instead of answering. */
const resets: Script = async (peer) => {
  await peer.head();
  peer.reset();
};

const cutHead: Script = async (peer) => {
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nConte");
  peer.end();
};

/** Answers the first request of a connection, and closes it at the second one. */
const stale: Script = async (peer) => {
  await peer.head();
  await peer.send(OK);
  await peer.head();
  peer.reset();
};

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

describe("forward() tries another node", () => {
  test("when one refuses connections, for any method, and shows it", async () => {
    const port = closedPort();
    using good = new RawNode(async (peer) => {
      await peer.receives("hello");
      await peer.send(OK);
    });
    const upstream = upstreamTo([tcpNode(port, 5), good], { retries: 1 });
    const body = new ManualBody(5).give("hello").give(undefined);
    const post = upstreamRequest({ method: "POST", body });
    const { status, failed, node } = await upstream.forward(post, forwardOptions());
    expect(status).toBe(200);
    expect(node.address).toBe(`127.0.0.1:${good.port}`);
    expect(failed.map((attempt) => attempt.node.address)).toEqual([`127.0.0.1:${port}`]);
    expect(failed[0]?.error).toMatchObject({ code: "UPSTREAM_CONNECT_FAILED" });
  });

  test.each([
    ["resets the connection", resets, "UPSTREAM_RESET"],
    ["closes in the middle of a head", cutHead, "UPSTREAM_RESET"],
    ["does not answer in time", () => {}, "UPSTREAM_READ_TIMEOUT"],
  ] as const)("when one %s, for an idempotent method", async (_what, script, code) => {
    using bad = new RawNode(script);
    using good = new RawNode(always(OK));
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS"]) {
      const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
      const sent = upstream.forward(upstreamRequest({ method }), forwardOptions({ readMs: 100 }));
      const { status, failed, node } = await sent;
      expect(status).toBe(200);
      expect(node.address).toEndWith(String(good.port));
      expect(failed.length).toBe(1);
      expect(failed[0]?.error).toMatchObject({ code });
    }
  });

  test("as often as it is told to, each node once", async () => {
    using first = new RawNode(resets);
    using second = new RawNode(resets);
    using third = new RawNode(resets);
    using good = new RawNode(always(OK));
    const nodes = [first.config(8), second.config(4), third.config(2), good.config(1)];
    const enough = upstreamTo(nodes, { retries: 3 });
    const { failed } = await enough.forward(upstreamRequest(), forwardOptions());
    expect(failed.map((attempt) => attempt.node.weight)).toEqual([8, 4, 2]);
    const tooFew = upstreamTo(nodes, { retries: 2 });
    const error = await failure(tooFew.forward(upstreamRequest(), forwardOptions()));
    expect(error.message).toContain(`127.0.0.1:${third.port}`);
  });

  test("with a short body that was sent whole", async () => {
    using bad = new RawNode(async (peer) => {
      await peer.receives("hello");
      peer.reset();
    });
    let seen = "";
    using good = new RawNode(async (peer) => {
      seen = await peer.receives("hello");
      await peer.send(OK);
    });
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const put = upstreamRequest({ method: "PUT", body: new MemoryBody(bytes("hello")) });
    const { failed } = await upstream.forward(put, forwardOptions());
    expect(failed.length).toBe(1);
    expect(seen).toEndWith("Content-Length: 5\r\n\r\nhello");
  });

  test("and logs each failed attempt at debug level", async () => {
    const port = closedPort();
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([tcpNode(port, 2), good], { retries: 1 });
    const lines: string[] = [];
    const write = spyOn(process.stderr, "write").mockImplementation((line) => {
      return lines.push(String(line)) > 0;
    });
    log.configure({ level: "debug", format: "text" });
    try {
      await upstream.forward(upstreamRequest(), forwardOptions());
    } finally {
      write.mockRestore();
      log.configure({ level: "info", format: "text" });
    }
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain("attempt at an upstream failed");
    expect(lines[0]).toContain(`node=127.0.0.1:${port} attempt=1 code=UPSTREAM_CONNECT_FAILED`);
  });
});

describe("forward() does not try again", () => {
  test.each(["POST", "PATCH", "LOCK"])("a %s that was sent", async (method) => {
    using bad = new RawNode(resets);
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const sent = upstream.forward(upstreamRequest({ method }), forwardOptions());
    expect((await failure(sent)).code).toBe("UPSTREAM_RESET");
    expect(good.peers.length).toBe(0);
  });

  test("a body that is too long to be kept", async () => {
    const length = LIMITS.resendBodyBytesMax + 1;
    using bad = new RawNode(async (peer) => {
      await peer.head();
      await peer.bytes(length);
      peer.reset();
    });
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const put = upstreamRequest({ method: "PUT", body: new MemoryBody(new Uint8Array(length)) });
    expect((await failure(upstream.forward(put, forwardOptions()))).code).toBe("UPSTREAM_RESET");
    expect(good.peers.length).toBe(0);
  });

  test("a body whose next bytes are awaited: they cannot be asked for again", async () => {
    using bad = new RawNode(async (peer) => {
      await peer.receives("hello");
      peer.reset();
    });
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const body = new ManualBody(10).give("hello");
    const sent = upstream.forward(upstreamRequest({ method: "PUT", body }), forwardOptions());
    expect((await failure(sent)).code).toBe("UPSTREAM_RESET");
    expect(body.cancelledWith).toBeDefined();
    expect(good.peers.length).toBe(0);
  });

  test("a response that breaks the protocol", async () => {
    using bad = new RawNode(always("garbage"));
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const sent = upstream.forward(upstreamRequest(), forwardOptions());
    expect((await failure(sent)).code).toBe("UPSTREAM_BAD_RESPONSE");
    expect(good.peers.length).toBe(0);
  });

  test("a body that breaks after the response head", async () => {
    using bad = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
      peer.end();
    });
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([bad.config(2), good.config(1)], { retries: 1 });
    const { body, failed } = await upstream.forward(upstreamRequest(), forwardOptions());
    expect(failed).toEqual([]);
    expect((await failure(textOf(body))).code).toBe("UPSTREAM_RESET");
    expect(good.peers.length).toBe(0);
  });
});

describe("forward() errors", () => {
  test("the last error when no node is left, however many retries there were", async () => {
    const [first, second] = [closedPort(), closedPort()];
    const upstream = upstreamTo([tcpNode(first, 2), tcpNode(second, 1)], { retries: 10 });
    const error = await failure(upstream.forward(upstreamRequest(), forwardOptions()));
    expect(error.code).toBe("UPSTREAM_CONNECT_FAILED");
    expect(error.message).toContain(`127.0.0.1:${second}`);
  });

  test("UPSTREAM_NO_NODE when no node has a weight", async () => {
    const upstream = upstreamTo([tcpNode(1, 0)]);
    const body = new ManualBody(5);
    const post = upstreamRequest({ method: "POST", body });
    const error = await failure(upstream.forward(post, forwardOptions()));
    expect(error.code).toBe("UPSTREAM_NO_NODE");
    expect(error.message).toContain('upstream "app"');
    expect(body.cancelledWith).toBeDefined();
  });
});

describe("forward() on a connection that went stale", () => {
  test("sends an idempotent request again without counting it as an attempt", async () => {
    using node = new RawNode(stale);
    const upstream = upstreamTo([node], { retries: 0 });
    await upstream.forward(upstreamRequest(), forwardOptions());
    const body = new MemoryBody(bytes("hello"));
    const put = upstreamRequest({ method: "PUT", body });
    const { status, failed } = await upstream.forward(put, forwardOptions());
    expect(status).toBe(200);
    expect(failed).toEqual([]);
    expect(node.peers.length).toBe(2);
    expect(node.peers[1]?.unread).toBe("hello");
  });

  test("sends it again once only: a fresh connection that is reset is an attempt", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      if (node.peers.length === 1) await peer.send(OK);
      await peer.head();
      peer.reset();
    });
    const upstream = upstreamTo([node], { retries: 0 });
    await upstream.forward(upstreamRequest(), forwardOptions());
    const sent = failure(upstream.forward(upstreamRequest(), forwardOptions()));
    await until(() => node.peers.length === 2);
    node.peers[1]?.reset();
    expect((await sent).code).toBe("UPSTREAM_RESET");
    expect(node.peers.length).toBe(2);
  });

  test("does not send a POST again that the node may have processed", async () => {
    using node = new RawNode(stale);
    const upstream = upstreamTo([node], { retries: 3 });
    await upstream.forward(upstreamRequest(), forwardOptions());
    const sent = upstream.forward(upstreamRequest({ method: "POST" }), forwardOptions());
    expect((await failure(sent)).code).toBe("UPSTREAM_RESET");
    expect(node.peers.length).toBe(1);
  });

  test("does not send again what was answered in part", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(OK);
      await cutHead(peer);
    });
    const upstream = upstreamTo([node], { retries: 0 });
    await upstream.forward(upstreamRequest(), forwardOptions());
    const sent = upstream.forward(upstreamRequest(), forwardOptions());
    expect((await failure(sent)).code).toBe("UPSTREAM_RESET");
    expect(node.peers.length).toBe(1);
  });
});
