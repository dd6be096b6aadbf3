import { describe, expect, spyOn, test } from "bun:test";
import { Cancellation } from "../base/cancellation.ts";
import { deadlines } from "../base/deadlines.ts";
import { GatewayError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { MemoryBody } from "../http/body.ts";
import { Connecting } from "./client/pool.ts";
import { starts } from "./client/start-queue.ts";
import type { UpstreamResponse } from "./message.ts";
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
} from "./testing.ts";

const HALF = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";

describe("forward() timeouts", () => {
  test("UPSTREAM_READ_TIMEOUT when no response head comes", async () => {
    using node = new RawNode(() => {});
    const sent = upstreamTo([node]).forward(upstreamRequest(), forwardOptions({ readMs: 30 }));
    const error = await failure(sent);
    expect(error.code).toBe("UPSTREAM_READ_TIMEOUT");
    const waited = /within the read timeout of 30 ms \(after (\d+) ms/.exec(error.message);
    expect(Number(waited?.[1])).toBeGreaterThanOrEqual(30);
    await node.peers[0]?.gone();
  });

  test("UPSTREAM_READ_TIMEOUT when the head comes too slowly", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      for (;;) await peer.sendSlowly(peer.sentBytes === 0 ? "HTTP/1.1 200 OK\r\nX: " : "a");
    });
    const sent = upstreamTo([node]).forward(upstreamRequest(), forwardOptions({ readMs: 100 }));
    expect((await failure(sent)).code).toBe("UPSTREAM_READ_TIMEOUT");
  });

  test("the read timeout begins anew with every interim response", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      for (let n = 0; n < 10; n++) {
        const sinceMs = performance.now();
        await until(() => performance.now() - sinceMs > 20);
        await peer.send("HTTP/1.1 102 Processing\r\n\r\n");
      }
      await peer.send(OK);
    });
    const sent = upstreamTo([node]).forward(upstreamRequest(), forwardOptions({ readMs: 120 }));
    expect((await sent).status).toBe(200);
  });

  test("UPSTREAM_TOTAL_TIMEOUT covers the wait for the head", async () => {
    using node = new RawNode(() => {});
    const sent = upstreamTo([node]).forward(upstreamRequest(), forwardOptions({ totalMs: 30 }));
    const error = await failure(sent);
    expect(error.code).toBe("UPSTREAM_TOTAL_TIMEOUT");
    expect(error.message).toContain('GET to upstream "app" within the total timeout of 30 ms');
    await node.peers[0]?.gone();
  });

  test("UPSTREAM_TOTAL_TIMEOUT covers the body, whoever is slow", async () => {
    for (const reading of [true, false]) {
      using node = new RawNode(async (peer) => {
        await peer.head();
        await peer.send(HALF);
      });
      const options = forwardOptions({ totalMs: 60 });
      const { body } = await upstreamTo([node]).forward(upstreamRequest(), options);
      if (reading) await body?.read();
      else await node.peers[0]?.gone();
      const error = await failure(Promise.resolve().then(() => body?.read()));
      expect(error.code).toBe("UPSTREAM_TOTAL_TIMEOUT");
      await node.peers[0]?.gone();
    }
  });

  test("UPSTREAM_TOTAL_TIMEOUT ends retries too", async () => {
    using slow = new RawNode(() => {});
    using good = new RawNode(always(OK));
    const upstream = upstreamTo([slow, good], { retries: 3 });
    const sent = upstream.forward(upstreamRequest(), forwardOptions({ totalMs: 30 }));
    expect((await failure(sent)).code).toBe("UPSTREAM_TOTAL_TIMEOUT");
    expect(good.peers.length).toBe(0);
  });

  test("leave no deadline and no listener behind", async () => {
    using node = new RawNode(always(OK));
    const before = deadlines.armed;
    const upstream = upstreamTo([node], { keepalive: { size: 1, idleMs: 0, requests: 100 } });
    const limits = { connectMs: 5000, sendMs: 5000, readMs: 5000, totalMs: 5000 };
    for (let n = 0; n < 5; n++) {
      const options = forwardOptions(limits);
      const { body } = await upstream.forward(upstreamRequest(), options);
      await textOf(body);
      // A cancellation that comes too late finds nothing to do.
      options.cancellation.cancel("late");
    }
    expect(node.peers.length).toBe(1);
    // An idle connection keeps its own, which does nothing, until it is closed. Those of other
    // tests may pass meanwhile.
    expect(deadlines.armed).toBeLessThanOrEqual(before + 1);
    upstream.release();
    await until(() => deadlines.armed <= before);
  });
});

describe("forward() cancellation", () => {
  test("between the connection and its use leaves the connection to the next", async () => {
    using node = new RawNode(always(OK));
    const cancellation = new Cancellation();
    const spy = spyOn(Connecting.prototype, "succeed").mockImplementation(function (
      this: Connecting,
      connection,
    ) {
      spy.mockRestore();
      const taken = this.succeed(connection);
      cancellation.cancel("gone");
      return taken;
    });
    const upstream = upstreamTo([node]);
    const sent = upstream.forward(upstreamRequest(), forwardOptions({}, cancellation));
    expect((await failure(sent)).code).toBe("CLIENT_GONE");
    const next = await upstream.forward(upstreamRequest(), forwardOptions());
    expect([await textOf(next.body), node.peers.length]).toEqual(["ok", 1]);
  });

  const gone = new GatewayError("CLIENT_GONE", "the client went away");

  test("in the turn in which it came sends nothing, and keeps the connection", async () => {
    using node = new RawNode(always(OK));
    const upstream = upstreamTo([node]);
    await upstream.forward(upstreamRequest(), forwardOptions());
    const cancellation = new Cancellation();
    const request = upstreamRequest({ target: "/unwanted" });
    const sent = failure(upstream.forward(request, forwardOptions({}, cancellation)));
    cancellation.cancel(gone);
    expect(await sent).toBe(gone);
    const seen = node.peers[0]?.receivedBytes ?? 0;
    await upstream.forward(upstreamRequest(), forwardOptions());
    expect([node.peers.length, node.peers[0]?.receivedBytes]).toEqual([1, 2 * seen]);
  });

  test("before anything has begun connects nowhere", async () => {
    using node = new RawNode(always(OK));
    const cancellation = new Cancellation();
    cancellation.cancel(gone);
    const body = new ManualBody(5);
    const post = upstreamRequest({ method: "POST", body });
    const sent = upstreamTo([node]).forward(post, forwardOptions({}, cancellation));
    expect(await failure(sent)).toBe(gone);
    expect(body.cancelledWith).toBeDefined();
    expect(node.peers.length).toBe(0);
  });

  test("while connecting rejects at once; the connection serves the next request", async () => {
    using node = new RawNode(always(OK));
    const upstream = upstreamTo([node]);
    const cancellation = new Cancellation();
    const sent = failure(upstream.forward(upstreamRequest(), forwardOptions({}, cancellation)));
    cancellation.cancel(gone);
    expect(await sent).toBe(gone);
    await until(() => node.peers.length === 1);
    await upstream.forward(upstreamRequest(), forwardOptions());
    expect(node.peers.length).toBe(1);
  });

  test("while sending the body closes the connection and cancels the body", async () => {
    using node = new RawNode(() => {});
    const cancellation = new Cancellation();
    const body = new ManualBody(10).give("hello");
    const post = upstreamRequest({ method: "POST", body });
    const sent = failure(upstreamTo([node]).forward(post, forwardOptions({}, cancellation)));
    await until(() => node.peers[0]?.unread.endsWith("hello") ?? false);
    cancellation.cancel(gone);
    expect(await sent).toBe(gone);
    expect(body.cancelledWith).toBeDefined();
    await node.peers[0]?.gone();
  });

  test("while waiting for the head closes the connection", async () => {
    using node = new RawNode(() => {});
    const cancellation = new Cancellation();
    const options = forwardOptions({ readMs: 5000 }, cancellation);
    const sent = failure(upstreamTo([node], { retries: 3 }).forward(upstreamRequest(), options));
    await until(() => (node.peers[0]?.receivedBytes ?? 0) > 0);
    cancellation.cancel("stop");
    const error = await sent;
    expect(error.code).toBe("CLIENT_GONE");
    expect(error.message).toContain('Cancelled GET to upstream "app": stop');
    await node.peers[0]?.gone();
  });

  test("while the body is read rejects the read and closes the connection", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(HALF);
    });
    const cancellation = new Cancellation();
    const options = forwardOptions({}, cancellation);
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), options);
    await body?.read();
    const reading = failure(Promise.resolve(body?.read()));
    cancellation.cancel(gone);
    expect(await reading).toBe(gone);
    await node.peers[0]?.gone();
  });

  test("drops what was received and not read", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(HALF);
    });
    const cancellation = new Cancellation();
    const options = forwardOptions({}, cancellation);
    const { body } = await upstreamTo([node]).forward(upstreamRequest(), options);
    cancellation.cancel(gone);
    expect(await failure(Promise.resolve().then(() => body?.read()))).toBe(gone);
  });

  test("after the last byte changes nothing: the connection is used again", async () => {
    using node = new RawNode(always(OK));
    const upstream = upstreamTo([node]);
    const cancellation = new Cancellation();
    const options = forwardOptions({}, cancellation);
    const { body } = await upstream.forward(upstreamRequest(), options);
    cancellation.cancel(gone);
    expect(await textOf(body)).toBe("ok");
    await upstream.forward(upstreamRequest(), forwardOptions());
    expect(node.peers.length).toBe(1);
  });
});

describe("forward() Host line", () => {
  test.each([
    [{ passHost: "pass" }, "app.test"],
    [{ passHost: "node" }, "127.0.0.1:PORT"],
    [{ passHost: "rewrite", upstreamHost: "inner.test" }, "inner.test"],
  ] as const)("with %j names %s", async (changes, expected) => {
    let head = "";
    using node = new RawNode(async (peer) => {
      head = await peer.head();
      await peer.send(OK);
    });
    const body = new MemoryBody(Buffer.from("x"));
    const put = upstreamRequest({ method: "PUT", body });
    await upstreamTo([node], changes).forward(put, forwardOptions());
    expect(head).toContain(`\r\nHost: ${expected.replace("PORT", String(node.port))}\r\n`);
  });
});

describe("send()", () => {
  test.each([
    ["a length", OK],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ["no body", "HTTP/1.1 204 No Content\r\n\r\n"],
  ])("tells of a response with %s when its connection is free again", async (_, response) => {
    using node = new RawNode(always(response));
    const upstream = upstreamTo([node]);
    const { promise, resolve, reject: failed } = Promise.withResolvers<UpstreamResponse>();
    const last = { responded: resolve, failed };
    // Within the call, as for the next one of requests that a client has sent together.
    const responded = (): void => upstream.send(upstreamRequest(), forwardOptions(), last);
    upstream.send(upstreamRequest(), forwardOptions(), { responded, failed });
    await promise;
    expect(node.peers.length).toBe(1);
  });

  test("counts a node's time from when it is asked, not from when the request came", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(OK);
      await peer.head();
      await peer.gone();
    });
    const upstream = upstreamTo([node]);
    await upstream.forward(upstreamRequest(), forwardOptions());
    const options = { ...forwardOptions({ readMs: 100 }), startedMs: performance.now() - 5000 };
    const { message } = await failure(upstream.forward(upstreamRequest(), options));
    expect(message).toMatch(/after \d{3} ms/);
  });
});

describe("exchanges of others that wait", () => {
  test("do not begin within forward(), which a guest may have called", async () => {
    using node = new RawNode(always(OK));
    const told = fullBatch();
    const sent = upstreamTo([node]).forward(upstreamRequest(), forwardOptions());
    expect(told).toEqual([]);
    expect((await sent).status).toBe(200);
    expect(told.length).toBe(LIMITS.startsPerBatchMax);
  });

  test("begin within send() when they are many", async () => {
    using node = new RawNode(always(OK));
    const told = fullBatch();
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>();
    const observer = { responded: resolve, failed: reject };
    upstreamTo([node]).send(upstreamRequest(), forwardOptions(), observer);
    expect(told.length).toBe(LIMITS.startsPerBatchMax);
    expect((await promise).status).toBe(200);
  });
});

/** As many exchanges as may begin together. @returns who has begun, kept up */
function fullBatch(): string[] {
  const told: string[] = [];
  for (let n = 0; n < LIMITS.startsPerBatchMax; n++) {
    starts.add({ startedMs: 0, run: () => told.push("began"), abort: () => {} });
  }
  return told;
}
