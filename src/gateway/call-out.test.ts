import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import type { CallOutOutcome, CallOutRequest } from "../filter/filter.ts";
import { HeaderList } from "../http/headers.ts";
import { nodePools, OK, RawNode, until, upstreamConfig } from "../upstream/testing.ts";
import { Upstream } from "../upstream/upstream.ts";
import { sendCallOut } from "./call-out.ts";

describe("sendCallOut()", () => {
  test("sends body and trailers, and brings the answer's", async () => {
    using node = new RawNode(async (peer) => {
      await peer.receives("\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
      await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      await peer.send("3\r\nyes\r\n0\r\nX-Checked: 2\r\n\r\n");
    });
    const call = callsTo(node);
    const outcome = await call({ body: Buffer.from("hello"), trailers: [["X-Sum", "1"]] }).ended;
    expect(shown(outcome)).toEqual({ status: 200, body: "yes", trailers: [["X-Checked", "2"]] });
  });

  test("sends trailers without a body", async () => {
    using node = new RawNode(async (peer) => {
      await peer.receives("Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n");
      await peer.send(OK);
    });
    expect(shown(await callsTo(node)({ trailers: [["X-Sum", "1"]] }).ended)?.body).toBe("ok");
  });

  test("leaves out, before and behind the body, what frames a message", async () => {
    using node = new RawNode(async (peer) => {
      const head = await peer.head();
      expect(head).toBe(
        "POST /called HTTP/1.1\r\nHost: called.test\r\nX-A: 1\r\n" +
          "Transfer-Encoding: chunked\r\n\r\n",
      );
      await peer.receives("\r\n0\r\nX-A: 1\r\n\r\n");
      await peer.send(OK);
    });
    const lines = [
      ["Host", "evil.test"],
      ["Content-Length", "1"],
      ["Transfer-Encoding", "gzip"],
      ["Connection", "close"],
      ["Upgrade", "h2c"],
      ["X-A", "1"],
    ] as const;
    const call = callsTo(node);
    const body = Buffer.from("hello");
    const outcome = await call({ method: "POST", headers: lines, body, trailers: lines }).ended;
    expect(shown(outcome)?.body).toBe("ok");
  });

  test("gives each of several calls its own answer, in whatever order they come", async () => {
    using node = new RawNode(async (peer) => {
      const [, path = ""] = (await peer.head()).split(" ");
      await Bun.sleep(Number(path.slice(1))); // The order in which answers come.
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
    });
    const call = callsTo(node);
    const order: string[] = [];
    const all = ["/120", "/60", "/0"].map(async (target) => {
      const told = shown(await call({ target }).ended)?.body ?? "";
      order.push(told);
      return told;
    });
    expect(await Promise.all(all)).toEqual(["/120", "/60", "/0"]);
    expect(order).toEqual(["/0", "/60", "/120"]);
  });
});

describe("sendCallOut() errors", () => {
  const HALF = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

  test.each([
    { name: "before the answer", sent: "" },
    { name: "in the middle of the head", sent: "HTTP/1.1 200 OK\r\nConte" },
    { name: "in the middle of the body", sent: HALF },
    {
      name: "before the trailers",
      sent: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    },
  ])("ends at its deadline, and when it is cancelled, $name", async ({ sent }) => {
    let answered = 0;
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send(sent);
      answered++;
      await peer.gone();
    });
    const call = callsTo(node);
    expect(await call({ timeoutMs: 50 }).ended).toEqual({
      error: 'Cannot finish GET to upstream "app" within the total timeout of 50 ms',
    });
    await until(() => node.peers[0]?.closed === true);
    const cancelled = call({});
    await until(() => answered === 2);
    cancelled.cancel();
    cancelled.cancel();
    expect(await cancelled.ended).toBeUndefined();
    await until(() => node.peers[1]?.closed === true);
  });

  test("gives up an answer that is too long", async () => {
    using node = new RawNode(async (peer) => {
      await peer.head();
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
      await peer.send("x".repeat(LIMITS.callOutBodyBytesMax + 1));
      await peer.gone();
    });
    expect(await callsTo(node)({}).ended).toEqual({
      error: `the answer is longer than ${LIMITS.callOutBodyBytesMax} bytes`,
    });
    await until(() => node.peers[0]?.closed === true);
  });
});

interface Parts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
  readonly trailers?: readonly (readonly [string, string])[];
  readonly timeoutMs?: number;
}

function callsTo(node: RawNode) {
  const upstream = new Upstream(upstreamConfig([node.config()], { retries: 0 }), nodePools());
  return (parts: Parts) => {
    const request: CallOutRequest = {
      upstream: "app",
      method: parts.method ?? "GET",
      authority: "called.test",
      target: parts.target ?? "/called",
      headers: HeaderList.from(parts.headers ?? []),
      body: parts.body ?? new Uint8Array(),
      trailers: HeaderList.from(parts.trailers ?? []),
      timeoutMs: parts.timeoutMs ?? 10_000,
    };
    const { promise, resolve } = Promise.withResolvers<CallOutOutcome | undefined>();
    const sent = sendCallOut(upstream, request, () => true, resolve);
    return { cancel: () => sent.cancel(), ended: promise };
  };
}

function shown(outcome: CallOutOutcome | undefined) {
  if (outcome === undefined || "error" in outcome) throw new Error(outcome?.error ?? "cancelled");
  const { status, body, trailers } = outcome;
  return { status, body: Buffer.from(body).toString(), trailers: [...(trailers ?? [])] };
}
