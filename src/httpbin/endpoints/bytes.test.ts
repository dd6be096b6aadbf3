import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { SeededBytes } from "../seeded-bytes.ts";
import { type HttpbinServer, serveHttpbin } from "../server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://${server.address}${path}`, init);
}

const MIB = 1024 * 1024;

describe("/bytes/:n", () => {
  test("sends that many bytes with their length", async () => {
    const response = await ask("/bytes/70000");
    expect(response.headers.get("content-length")).toBe("70000");
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect((await response.bytes()).byteLength).toBe(70_000);
  });

  test("sends the bytes of the seed", async () => {
    const body = await (await ask("/bytes/100?seed=42")).bytes();
    expect(Buffer.from(body)).toEqual(Buffer.from(new SeededBytes(42).window(0, 100)));
  });

  test("sends other bytes every time without a seed", async () => {
    const [one, two] = await Promise.all([ask("/bytes/64"), ask("/bytes/64")]);
    expect(await one.bytes()).not.toEqual(await two.bytes());
  });

  test("sends nothing for 0", async () => {
    expect((await (await ask("/bytes/0")).bytes()).byteLength).toBe(0);
  });
});

describe("/stream-bytes/:n", () => {
  test.each([1, 1000, 65_536, 1_048_576])(
    "sends the seed's bytes in chunks of %i",
    async (size) => {
      const length = size === 1 ? 100 : 1_000_003;
      const response = await ask(`/stream-bytes/${length}?seed=9&chunk_size=${size}`);
      expect(response.headers.get("content-length")).toBeNull();
      const body = await response.bytes();
      expect(Bun.hash(body)).toBe(Bun.hash(new SeededBytes(9).window(0, length)));
    },
  );

  test("makes bytes only as they are read", async () => {
    const before = process.memoryUsage.rss();
    // The client reads one chunk and then no more: 1 GiB must not pile up on either side.
    const response = await ask("/stream-bytes/1073741824");
    const reader = response.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    for (let turn = 0; turn < 50; turn++) await ask("/get").then((other) => other.bytes());
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
    await reader.cancel();
  });
});

describe("/stream-bytes/:n?length=1", () => {
  test.each([0, 1, 100_000])("sends %i zeros with their length", async (length) => {
    const response = await ask(`/stream-bytes/${length}?length=1`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe(String(length));
    expect(response.headers.get("content-disposition")).toBe("inline");
    expect(await response.bytes()).toEqual(new Uint8Array(length));
  });

  test("tells a length of 4 GiB", async () => {
    const response = await ask("/stream-bytes/4294967296?length=1", { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe("4294967296");
  });

  test("knows no ranges", async () => {
    const headers = { range: "bytes=1-2" };
    const response = await ask("/stream-bytes/10?length=1", { headers });
    expect(response.status).toBe(200);
    expect((await response.bytes()).byteLength).toBe(10);
  });

  test("leaves no descriptor open when clients break off", async () => {
    await (await ask("/stream-bytes/1?length=1")).bytes();
    const before = openFiles();
    for (let round = 0; round < 30; round++) {
      const response = await ask("/stream-bytes/1073741824?length=1");
      await response.body!.getReader().cancel();
    }
    // The server closes its side of the last ones a moment later.
    for (let turn = 0; turn < 1000 && openFiles() > before + 10; turn++) await ask("/ip");
    expect(openFiles()).toBeLessThanOrEqual(before + 10);
  });
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

describe("/bytes and /stream-bytes errors", () => {
  test.each([
    "/bytes/x",
    "/bytes/-1",
    "/bytes/10485761",
    "/bytes/5?seed=x",
    "/stream-bytes/4294967297",
    "/stream-bytes/4294967297?length=1",
    "/stream-bytes/5?chunk_size=0",
    "/stream-bytes/5?chunk_size=1048577",
    "/stream-bytes/5?seed=4294967296",
    "/stream-bytes/5?length=1&seed=1",
  ])("refuses %s with 400", async (path) => {
    expect((await ask(path)).status).toBe(400);
  });
});

describe("/upload", () => {
  test("counts a body with a length", async () => {
    const response = await ask("/upload", { method: "POST", body: new Uint8Array(1_234_567) });
    expect(await response.text()).toBe('{\n  "bytes": 1234567\n}\n');
  });

  test("counts a chunked body far above the limit of an echo", async () => {
    let left = 40;
    const body = new ReadableStream({
      pull(controller) {
        if (left-- === 0) controller.close();
        else controller.enqueue(new Uint8Array(MIB));
      },
    });
    const response = await ask("/upload", { method: "PUT", body });
    expect(await response.json()).toEqual({ bytes: 40 * MIB });
  });

  test("counts no body as 0", async () => {
    expect(await (await ask("/upload", { method: "POST" })).json()).toEqual({ bytes: 0 });
  });
});
