/**
 * Question: what does one keep-alive exchange cost in the upstream client, and what in fetch()?
 *
 * The node answers from a process of its own, to 32 exchanges at once. What counts is the CPU of
 * all threads of this process: fetch() has a thread for the network and looks better by the clock.
 * Not measured: connecting, request bodies, responses above one packet.
 */
import { bench, do_not_optimize } from "mitata";
import { Cancellation } from "../src/base/cancellation.ts";
import { collect } from "../src/http/body.ts";
import { HeaderList } from "../src/http/headers.ts";
import { requestHead } from "../src/upstream/client/request-head.ts";
import { ResponseHeadParser } from "../src/upstream/client/response-head.ts";
import type { UpstreamRequest } from "../src/upstream/message.ts";
import { upstreamTo, tcpNode } from "../src/upstream/testing.ts";
import type { Upstream } from "../src/upstream/upstream.ts";
import { measure } from "./measure.ts";

/** What is done without a socket (times of mitata); whole exchanges; the same load by fetch(). */
export const cases = ["heads", "client", "fetch"] as const;

const AT_ONCE = 32;
const ROUNDS = 6;
const EXCHANGES_PER_ROUND = 30_000;

const TIMEOUT = { connectMs: 6000, sendMs: 6000, readMs: 6000, totalMs: 60_000, idleMs: 0 };

const RESPONSE = [
  "HTTP/1.1 200 OK",
  "Server: node/1.0",
  "Date: Mon, 05 Jan 2026 10:00:00 GMT",
  "Content-Type: text/plain; charset=utf-8",
  "Cache-Control: no-cache",
  "Content-Length: 55",
  "",
  "fifty-five bytes of a body, which is a common small one",
].join("\r\n");

/** What a browser's request has become when it leaves the gateway. */
function request(number: number): UpstreamRequest {
  const headers = HeaderList.from([
    ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"],
    ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["Accept-Encoding", "gzip, deflate, br"],
    ["Accept-Language", "en-US,en;q=0.9"],
    ["Cookie", `session=${number}`],
    ["X-Forwarded-For", "192.0.2.7"],
    ["X-Forwarded-Proto", "http"],
  ]);
  const target = `/item/${number}`;
  return { method: "GET", target, authority: "app", headers, body: undefined, upgrade: undefined };
}

async function exchange(upstream: Upstream, number: number): Promise<string> {
  const options = { timeout: TIMEOUT, cancellation: new Cancellation() };
  const { body } = await upstream.forward(request(number), options);
  if (body === undefined) throw new Error("Cannot trust this benchmark: there is no body");
  return Buffer.from((await collect(body, 1000)) ?? "").toString("latin1");
}

/** Answers every request head with the same bytes. */
function serve(): { port: number; stop: () => void } {
  const response = Buffer.from(RESPONSE, "latin1");
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    // A head of this benchmark is one packet: no parser here takes the client's time.
    socket: { data: (socket) => void socket.write(response) },
  });
  return { port: listener.port, stop: () => listener.stop(true) };
}

/** @throws Error when an exchange gives anything but the node's body, or connections pile up */
export async function check(): Promise<void> {
  const node = serve();
  const upstream = upstreamTo([tcpNode(node.port)]);
  try {
    for (let n = 0; n < 3; n++) {
      const got = await exchange(upstream, n);
      if (!RESPONSE.endsWith(`\r\n\r\n${got}`) || got.length !== 55) {
        throw new Error(`Cannot trust this benchmark: the body is "${got}"`);
      }
    }
  } finally {
    upstream.release();
    node.stop();
  }
}

if (import.meta.main) {
  const which = Bun.argv[2] ?? cases[1];
  if (which === "node") {
    process.send?.(serve().port);
  } else if (which === "heads") {
    await check();
    await measureHeads();
  } else {
    await check();
    await measureExchanges(which);
  }
}

async function measureHeads(): Promise<void> {
  const requests = Array.from({ length: 1024 }, (_, n) => request(n));
  const responses = requests.map((_, n) => Buffer.from(RESPONSE.replace("10:00", `10:${n % 60}`)));
  const parser = new ResponseHeadParser();
  let turn = 0;
  bench("write a request head", () =>
    do_not_optimize(requestHead(requests[turn++ & 1023] as UpstreamRequest)));
  bench("parse a response head", () =>
    do_not_optimize(parser.push(responses[turn++ & 1023] as Uint8Array, 0)));
  await measure();
}

/** Prints the cheapest round: whatever else the machine does only makes a round dearer. */
async function measureExchanges(which: string): Promise<void> {
  const port = Promise.withResolvers<number>();
  const node = Bun.spawn({
    cmd: [process.execPath, import.meta.path, "node"],
    ipc: (message: number) => port.resolve(message),
  });
  const one = which === "fetch" ? fetcher(await port.promise) : client(await port.promise);
  let cpuUs = Infinity;
  let elapsedUs = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    await load(one);
    const { user, system } = process.cpuUsage(cpu);
    cpuUs = Math.min(cpuUs, (user + system) / EXCHANGES_PER_ROUND);
    const roundUs = (performance.now() - startedMs) * 1000;
    elapsedUs = Math.min(elapsedUs, roundUs / EXCHANGES_PER_ROUND);
  }
  node.kill();
  await node.exited;
  const times = `${cpuUs.toFixed(1)} µs of CPU, ${elapsedUs.toFixed(1)} µs elapsed`;
  process.stdout.write(`${which}: ${times} per exchange, ${AT_ONCE} at once\n`);
}

type One = (number: number) => Promise<string>;

async function load(one: One): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < EXCHANGES_PER_ROUND) await one(begun++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function client(port: number): One {
  const keepalive = { size: AT_ONCE, idleMs: 60_000, requests: 1e9 };
  const upstream = upstreamTo([tcpNode(port)], { keepalive });
  return (number) => exchange(upstream, number);
}

function fetcher(port: number): One {
  return async (number) => {
    const headers = [...request(number).headers] as [string, string][];
    return (await fetch(`http://127.0.0.1:${port}/item/${number}`, { headers })).text();
  };
}
