import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { FRONTS } from "./support/fronts.ts";
import { type Gateway, startGateway, SLUICE } from "./support/gateway.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** The bar of the product: RSS of a worker may not grow by more while a body passes. */
const GROWTH_MAX = 64 * MIB;

/** The test upstream in a process of its own, so that its memory is not the gateway's. */
async function startNode(): Promise<{ address: string; stop: () => Promise<void> }> {
  const child = Bun.spawn([SLUICE, "httpbin", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot start the node: ${text}`);
    text += new TextDecoder().decode(value);
  }
  const address = /127\.0\.0\.1:\d+/.exec(text)?.[0] ?? "";
  return {
    address,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Watches a worker's memory while something goes on. @returns the most that it grew, in bytes */
async function growthDuring(gateway: Gateway, work: () => Promise<void>): Promise<number> {
  const [worker = 0] = gateway.workers();
  // From a worker that has hardly served: compiling the code that forwards, some 15 MiB, counts.
  await download(gateway, 1);
  const before = await rssBytes(worker);
  const watch = { most: before, done: false };
  const watching = (async () => {
    while (!watch.done) {
      watch.most = Math.max(watch.most, await rssBytes(worker));
      await Bun.sleep(10); // A sample, not a wait.
    }
  })();
  await work();
  watch.done = true;
  await watching;
  return watch.most - before;
}

async function download(gateway: Gateway, bytes: number, pauseEvery?: number): Promise<void> {
  const response = await gateway.fetch(`/stream-bytes/${bytes}`);
  let received = 0;
  let sincePause = 0;
  for await (const chunk of response.body ?? []) {
    received += chunk.byteLength;
    sincePause += chunk.byteLength;
    if (pauseEvery !== undefined && sincePause > pauseEvery) {
      sincePause = 0;
      await Bun.sleep(10); // The reader is slow: that is the case under test.
    }
  }
  expect(received).toBe(bytes);
}

async function upload(gateway: Gateway, bytes: number): Promise<void> {
  const chunk = new Uint8Array(MIB);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent === bytes) {
        controller.close();
        return;
      }
      sent += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const response = await gateway.fetch("/upload", { method: "POST", body });
  expect(await response.json()).toEqual({ bytes });
}

describe.each(FRONTS)("a large body through front %s", (front) => {
  const yaml = (node: string): string => `
listen: { address: 127.0.0.1:0, front: ${front} }
workers: 1
routes:
  - id: all
    uri: /*
    plugins: [{ add-header: { name: X-A, value: b } }]
    upstream: { nodes: { "${node}": 1 }, timeout: { read: 60s, send: 60s } }
`;

  test.each([
    { name: "1 GiB down", work: (gateway: Gateway) => download(gateway, GIB) },
    {
      name: "256 MiB down to a slow reader",
      work: (gateway: Gateway) => download(gateway, 256 * MIB, 4 * MIB),
    },
    { name: "1 GiB up", work: (gateway: Gateway) => upload(gateway, GIB) },
  ])(
    "$name costs less than 64 MiB",
    async ({ work }) => {
      const node = await startNode();
      let least = Number.POSITIVE_INFINITY;
      // The least of several fresh workers: when the collector comes is partly chance, and a body
      // that is kept would show in each of them, by a gigabyte.
      for (let round = 0; round < 4 && least >= GROWTH_MAX; round++) {
        await using gateway = await startGateway(yaml(node.address));
        const growth = await growthDuring(gateway, () => work(gateway));
        console.log(`      grew by ${Math.round(growth / MIB)} MiB`);
        least = Math.min(least, growth);
      }
      await node.stop();
      expect(least).toBeLessThan(GROWTH_MAX);
    },
    120_000,
  );
});
