import { describe, expect, test } from "bun:test";
import { Cancellation } from "../base/cancellation.ts";
import { deadlines } from "../base/deadlines.ts";
import { GatewayError } from "../base/errors.ts";
import { SeededRandom } from "../base/random.testing.ts";
import { MemoryBody, type Body } from "../http/body.ts";
import {
  forwardOptions,
  nodePools,
  type Peer,
  RawNode,
  type Script,
  until,
  upstreamConfig,
  upstreamRequest,
} from "./testing.ts";
import { Upstream } from "./upstream.ts";

/**
 * Many exchanges at once with nodes that answer well, badly, in part, late or not at all, for
 * readers that read, give up or cancel. Whatever happens: every call ends, with a whole body or a
 * GatewayError, and afterwards no connection is busy and no deadline is armed.
 */
const EXCHANGES = 1500;
const AT_ONCE = 24;
const BODY_BYTES_MAX = 400_000;

/** Ways to end a response before its time; "" most often: not at all. */
const ENDS = ["", "", "", "", "", "end", "reset", "hang", "surplus", "garbage"] as const;

function chaotic(random: SeededRandom): Script {
  return async (peer) => {
    for (;;) {
      const head = await peer.head();
      const bodyBytes = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
      const early = random.chance(10);
      if (!early) await peer.bytes(bodyBytes);
      if (!(await answer(peer, head, random))) return;
      if (early) await peer.bytes(bodyBytes);
    }
  };
}

/** @returns false when the connection is not to be used any more */
async function answer(peer: Peer, head: string, random: SeededRandom): Promise<boolean> {
  const bytes = random.chance(30) ? random.below(BODY_BYTES_MAX) : random.below(200);
  const chunked = random.chance(50);
  const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes}`;
  // The reader checks against this line that nothing is missing.
  let response = `HTTP/1.1 200 OK\r\nX-Bytes: ${bytes}\r\n${framing}\r\n\r\n`;
  if (!head.startsWith("HEAD")) response += chunked ? chunks(bytes, random) : "x".repeat(bytes);
  const end = random.pick(ENDS);
  if (end === "end" || end === "reset" || end === "hang") {
    await send(peer, response.slice(0, random.below(response.length + 1)), random);
    if (end !== "hang") peer[end]();
    return false;
  }
  if (end === "garbage") response = `${response.slice(0, random.below(40))}\0\n${response}`;
  if (end === "surplus") response += "more";
  await send(peer, response, random);
  return end === "";
}

function chunks(bytes: number, random: SeededRandom): string {
  let text = "";
  for (let left = bytes; left > 0;) {
    const length = Math.min(left, 1 + random.below(20_000));
    text += `${length.toString(16)}\r\n${"x".repeat(length)}\r\n`;
    left -= length;
  }
  return `${text}0\r\n\r\n`;
}

async function send(peer: Peer, text: string, random: SeededRandom): Promise<void> {
  const pieces = random.pick([1, 1, 2, 5]);
  const pieceBytes = Math.ceil(text.length / pieces);
  for (let at = 0; at < text.length; at += pieceBytes) {
    await peer.send(text.slice(at, at + pieceBytes));
    if (pieces > 1) await Bun.sleep(0);
  }
}

/** One exchange; @returns how it ended */
async function exchange(upstream: Upstream, random: SeededRandom): Promise<string> {
  const cancellation = new Cancellation();
  const method = random.pick(["GET", "GET", "HEAD", "POST", "PUT"]);
  const withBody = method === "POST" || method === "PUT";
  const body = withBody ? new MemoryBody(new Uint8Array(random.below(100_000))) : undefined;
  if (random.chance(10)) void cancelLater(cancellation, random.below(5));
  const timeouts = { connectMs: 1000, sendMs: 300, readMs: 60, totalMs: 2000 };
  try {
    const response = await upstream.forward(
      upstreamRequest({ method, body }),
      forwardOptions(timeouts, cancellation),
    );
    if (response.body === undefined) return "no body";
    return await read(response.body, Number(response.headers.get("x-bytes")), random);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code === "GATEWAY_INTERNAL") throw error;
    return error.code;
  }
}

async function cancelLater(cancellation: Cancellation, turns: number): Promise<void> {
  for (let n = 0; n < turns; n++) await Bun.sleep(0);
  cancellation.cancel("the test wants it");
}

async function read(body: Body, expectedBytes: number, random: SeededRandom): Promise<string> {
  const givesUpAt = random.chance(10) ? random.below(expectedBytes + 1) : Infinity;
  let bytes = 0;
  for (;;) {
    const chunk = await body.read();
    if (chunk === undefined) break;
    bytes += chunk.byteLength;
    if (bytes > givesUpAt) {
      body.cancel("enough");
      return "given up";
    }
    if (random.chance(10)) await Bun.sleep(0);
  }
  // A body that ends without an error is the whole body.
  expect(bytes).toBe(expectedBytes);
  return "whole";
}

describe("forward() in a world of broken nodes", () => {
  test("ends every exchange and leaves nothing behind", async () => {
    const random = new SeededRandom(20_260_105);
    const armedBefore = deadlines.armed;
    using first = new RawNode(chaotic(random));
    using second = new RawNode(chaotic(random));
    const keepalive = { size: 8, idleMs: 0, requests: 20 };
    const configs = [first.config(), second.config()];
    const pools = nodePools();
    const upstream = new Upstream(upstreamConfig(configs, { keepalive, retries: 1 }), pools);
    const nodePoolList = configs.map((config) => pools.acquire(config, keepalive));
    const outcomes: Record<string, number> = {};
    let begun = 0;
    const worker = async (): Promise<void> => {
      while (begun++ < EXCHANGES) {
        const outcome = await exchange(upstream, random);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await until(() => nodePoolList.every((pool) => pool.connections === pool.idle));
    // An idle connection keeps one of its own, which does nothing, until it is closed.
    const idle = nodePoolList.reduce((sum, pool) => sum + pool.idle, 0);
    expect(deadlines.armed).toBeLessThanOrEqual(armedBefore + idle);
    // The chaos is worth something only if it is one.
    const codes = [
      "UPSTREAM_RESET",
      "UPSTREAM_BAD_RESPONSE",
      "UPSTREAM_READ_TIMEOUT",
      "CLIENT_GONE",
    ];
    for (const outcome of ["whole", "no body", "given up", ...codes]) {
      expect(outcomes[outcome] ?? 0).toBeGreaterThan(10);
    }
  }, 30_000);
});
