/** Answers that no server library gives. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { always, nodePools, OK, RawNode, until, upstreamConfig } from "../testing.ts";
import { NO_TIMEOUTS } from "../testing.ts";
import { Upstream } from "../upstream.ts";
import { GrpcCode } from "./grpc-status.ts";
import { block, FLAG, frame, GRPC_HEAD, head, rawHttp2, TYPE, u32 } from "./raw-http2.testing.ts";

const LAST = FLAG.endHeaders | FLAG.endStream;

const data = (stream: number, content: string, flags = 0): Buffer =>
  frame(TYPE.data, flags, stream, Buffer.from(content, "latin1"));

const trailers = (stream: number, status: string): Buffer =>
  head(stream, [["grpc-status", status]], LAST);

const reset = (stream: number, code: number): Buffer => frame(TYPE.reset, 0, stream, u32(code));

describe("GrpcAnswer", () => {
  test("takes messages apart that come in one frame, and joins those in several", async () => {
    const seen = await answerOf((id) => [
      head(id, GRPC_HEAD),
      data(id, "\0\0\0\0\x01a\0\0\0\0\0\0\0\0"),
      data(id, "\0\x02b"),
      data(id, "c"),
      trailers(id, "0"),
    ]);
    expect(seen).toEqual(["initial", "a", "", "bc", "trailing", `${GrpcCode.Ok} `]);
  });

  test("takes a head with a status for the whole answer", async () => {
    const lines = [...GRPC_HEAD, ["grpc-status", "5"], ["grpc-message", "n%C3%B6%zz%2"]] as const;
    const seen = await answerOf((id) => [head(id, lines, LAST)]);
    expect(seen).toEqual(["initial", "trailing", "5 nö%zz%2"]);
  });
});

describe("GrpcAnswer errors", () => {
  test.each([
    { status: "400", code: GrpcCode.Internal },
    { status: "401", code: GrpcCode.Unauthenticated },
    { status: "403", code: GrpcCode.PermissionDenied },
    { status: "404", code: GrpcCode.Unimplemented },
    { status: "429", code: GrpcCode.Unavailable },
    { status: "503", code: GrpcCode.Unavailable },
    { status: "302", code: GrpcCode.Unknown },
  ])("makes HTTP $status without a grpc-status code $code", async ({ status, code }) => {
    const lines = [[":status", status]] as const;
    const open = await answerOf((id) => [head(id, lines), data(id, "no gRPC")]);
    expect(open.at(-1)).toStartWith(`${code} the node has answered HTTP ${status}`);
    const closed = await answerOf((id) => [head(id, lines, LAST)]);
    expect(closed.at(-1)).toStartWith(`${code} the node has answered HTTP ${status}`);
  });

  test("refuses messages before the head", async () => {
    const seen = await answerOf((id) => [data(id, "\0\0\0\0\x01a"), head(id, GRPC_HEAD)]);
    expect(seen).toEqual([`${GrpcCode.Internal} the node has sent no head`]);
  });

  test("believes a grpc-status whatever HTTP's is", async () => {
    const lines = [
      [":status", "503"],
      ["grpc-status", "8"],
    ] as const;
    const seen = await answerOf((id) => [head(id, lines, LAST)]);
    expect(seen.at(-1)).toBe("8 ");
  });

  test.each([
    { rst: 0, code: GrpcCode.Unknown },
    { rst: 1, code: GrpcCode.Internal },
    { rst: 2, code: GrpcCode.Internal },
    { rst: 7, code: GrpcCode.Unavailable },
    { rst: 8, code: GrpcCode.Cancelled },
    { rst: 11, code: GrpcCode.ResourceExhausted },
    { rst: 12, code: GrpcCode.PermissionDenied },
    { rst: 99, code: GrpcCode.Internal },
  ])("makes a reset with $rst code $code, before and after the head", async ({ rst, code }) => {
    const before = await answerOf((id) => [reset(id, rst)]);
    expect(before).toEqual([expect.stringMatching(new RegExp(`^${code} `))]);
    const after = await answerOf((id) => [head(id, GRPC_HEAD), reset(id, rst)]);
    expect(after.at(-1)).toStartWith(`${code} `);
  });

  test.each([
    { name: "is compressed", content: "\x01\0\0\0\x01a", code: GrpcCode.Internal },
    { name: "has an unknown flag", content: "\x02\0\0\0\x01a", code: GrpcCode.Internal },
    { name: "claims 4 GiB", content: "\0\xff\xff\xff\xff", code: GrpcCode.ResourceExhausted },
    {
      name: "is one byte too long",
      content: `\0${u32(LIMITS.grpcMessageBytesMax + 1).toString("latin1")}`,
      code: GrpcCode.ResourceExhausted,
    },
  ])("refuses a message that $name, and resets the stream", async ({ content, code }) => {
    const resets: number[][] = [];
    using node = rawHttp2({
      onReset: (...numbers) => resets.push(numbers),
      opened: (peer, id) =>
        peer.send(Buffer.concat([head(id, GRPC_HEAD), data(id, `\0\0\0\0\x01a${content}`)])),
    });
    const seen = await calling(node).ended;
    expect(seen.slice(0, 2)).toEqual(["initial", "a"]);
    expect(seen.at(-1)).toStartWith(`${code} the node has `);
    await until(() => resets.length > 0);
    expect(resets).toEqual([[1, 8]]);
  });

  test.each([
    { name: "cut off message", content: "\0\0\0\0\x05ab", status: "0", code: GrpcCode.Internal },
    { name: "cut off prefix", content: "\0\0", status: "0", code: GrpcCode.Internal },
    { name: "status that is no number", content: "", status: "zero", code: GrpcCode.Unknown },
  ])("refuses a $name", async ({ content, status, code }) => {
    const seen = await answerOf((id) => [
      head(id, GRPC_HEAD),
      data(id, content),
      trailers(id, status),
    ]);
    expect(seen.at(-1)).toStartWith(`${code} `);
  });

  test("refuses an answer that is no gRPC, or ends without a status", async () => {
    const html = [
      [":status", "200"],
      ["content-type", "text/html"],
    ] as const;
    const other = await answerOf((id) => [head(id, html), data(id, "<p>")]);
    expect(other).toEqual([expect.stringMatching(/^2 .*content-type/)]);
    const silent = await answerOf((id) => [head(id, GRPC_HEAD), data(id, "", FLAG.endStream)]);
    expect(silent.at(-1)).toBe("2 the node has ended without a grpc-status");
    const empty = await answerOf((id) => [head(id, GRPC_HEAD), head(id, [["a", "b"]], LAST)]);
    expect(empty.at(-1)).toBe("2 the node's trailers have no grpc-status");
  });
});

describe("a node's flood of metadata", () => {
  const status = Buffer.from([0x88]);
  /** "a", with 4,000 bytes as its value, which is kept for later lines of one byte each. */
  const kept = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000)]);

  test.each([
    { name: "of few bytes that stand for many", frames: 1, more: Buffer.alloc(12_000, 0xbe) },
    { name: "of many frames", frames: 200, more: Buffer.alloc(12_000, 0xbe) },
    { name: "without an end", frames: 0, more: block([["a", "b".repeat(120)]]) },
  ])("$name ends the call", async ({ frames, more }) => {
    using node = rawHttp2({
      opened: async (peer, id) => {
        await peer.send(frame(TYPE.headers, 0, id, Buffer.concat([status, kept])));
        for (let n = 1; ; n++) {
          await peer.send(frame(TYPE.continuation, n === frames ? FLAG.endHeaders : 0, id, more));
          if (n === frames) return;
        }
      },
    });
    const seen = await calling(node).ended;
    expect(seen).toEqual([expect.stringMatching(/^(?:8|14) /)]);
  });
});

describe("GrpcSession errors", () => {
  test("tells of a node that does not speak HTTP/2", async () => {
    using node = new RawNode(always(OK));
    const seen = await calling(node).ended;
    expect(seen.at(-1)).toStartWith("14 Cannot begin HTTP/2 with 127.0.0.1:");
  });

  test("gives a node up that is silent, at the connect timeout", async () => {
    using node = new RawNode((peer) => peer.gone());
    const seen = await calling(node, { connectMs: 60 }).ended;
    expect(seen.at(-1)).toContain("within the connect timeout of 60 ms");
    await until(() => node.peers[0]?.closed === true);
  });

  test("waits for a node that allows no stream, until the call's time is over", async () => {
    using node = rawHttp2({ streamsMax: 0, opened: () => {} });
    const seen = await calling(node, { timeoutMs: 60 }).ended;
    expect(seen).toEqual(["4 no end within 60 ms"]);
  });

  test("lets streams end after GOAWAY, and opens others on a new connection", async () => {
    using node = rawHttp2({
      opened: async (peer, id) => {
        await peer.send(frame(TYPE.goaway, 0, 0, u32(id, 0)));
        await peer.send(Buffer.concat([head(id, GRPC_HEAD), trailers(id, "0")]));
      },
    });
    const { begin } = upstreamOf(node);
    expect((await begin().ended).at(-1)).toBe("0 ");
    expect((await begin().ended).at(-1)).toBe("0 ");
    expect(node.peers).toHaveLength(2);
  });

  test("ends everything when the connection is lost", async () => {
    using node = rawHttp2({
      opened: (peer, id) => {
        if (id > 1) peer.reset();
      },
    });
    const { begin } = upstreamOf(node);
    const [first, second] = await Promise.all([begin().ended, begin().ended]);
    expect([first.at(-1), second.at(-1)]).toEqual(
      Array(2).fill("14 the connection to the node was lost"),
    );
  });

  test("drops a connection whose node answers neither a call nor a ping", async () => {
    using node = rawHttp2({ answersPings: false, opened: () => {} });
    const { begin } = upstreamOf(node);
    const waiting = begin({ timeoutMs: 10_000 });
    await begin({ timeoutMs: 30 }).ended;
    expect((await waiting.ended).at(-1)).toStartWith("14 ");
    await until(() => node.peers[0]?.closed === true);
  });

  test("keeps a connection whose node answers pings, and asks it once", async () => {
    using node = rawHttp2({ opened: () => {} });
    const { begin } = upstreamOf(node);
    await begin({ timeoutMs: 30 }).ended;
    await begin({ timeoutMs: LIMITS.grpcPongMsMax + 200 }).ended;
    expect(node.peers).toHaveLength(1);
    expect(node.peers[0]?.closed).toBe(false);
  });

  test("closes a connection that nobody has used for the keepalive time", async () => {
    using node = rawHttp2({
      opened: (peer, id) => peer.send(Buffer.concat([head(id, GRPC_HEAD), trailers(id, "0")])),
    });
    const { begin } = upstreamOf(node, { idleMs: 30 });
    await begin().ended;
    expect(node.peers[0]?.closed).toBe(false);
    await until(() => node.peers[0]?.closed === true);
  });
});

interface Settings {
  readonly connectMs?: number;
  readonly timeoutMs?: number;
  readonly idleMs?: number;
}

function upstreamOf(node: RawNode, { connectMs = 0, idleMs = 60_000 }: Settings = {}) {
  const config = upstreamConfig([node.config()], {
    timeout: { ...NO_TIMEOUTS, connectMs },
    keepalive: { size: 1, idleMs, requests: 10 },
  });
  const upstream = new Upstream(config, nodePools());
  const begin = ({ timeoutMs = 5000 }: Settings = {}) => {
    const seen: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string[]>();
    const request = { owner: "one", path: "/a.B/C", metadata: new HeaderList(), timeoutMs };
    const call = upstream.openGrpc(request, {
      initialMetadata: () => seen.push("initial"),
      message: (bytes) => seen.push(Buffer.from(bytes).toString("latin1")),
      trailingMetadata: () => seen.push("trailing"),
      closed: ({ code, message }) => {
        seen.push(`${code} ${message}`);
        resolve(seen);
      },
    });
    return { call, ended: promise };
  };
  return { begin };
}

function calling(node: RawNode, settings: Settings = {}) {
  return upstreamOf(node, settings).begin(settings);
}

/** What a call sees of a node that answers with these frames. */
async function answerOf(frames: (stream: number) => readonly Buffer[]): Promise<readonly string[]> {
  using node = rawHttp2({
    opened: (peer, stream) => peer.send(Buffer.concat(frames(stream))),
  });
  return await calling(node).ended;
}
