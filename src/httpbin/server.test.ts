import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HttpbinServer, serveHttpbin } from "./server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://${server.address}${path}`, { redirect: "manual", ...init });
}

describe("serveHttpbin()", () => {
  test("listens on the port that the system chose", () => {
    expect(server.port).toBeGreaterThan(0);
    expect(server.address).toBe(`127.0.0.1:${server.port}`);
  });

  test("lists every endpoint at /", async () => {
    const response = await ask("/");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const text = await response.text();
    for (const path of ["/headers", "/anything/*", "/status/:codes", "/sse", "/ws", "/upload"]) {
      expect(text).toContain(` ${path} `);
    }
  });

  test.each([
    { name: "an abstract name", unix: `\0sluice-httpbin-${process.pid}` },
    { name: "a path", unix: join(mkdtempSync(join(tmpdir(), "httpbin-")), "s") },
  ])("serves a unix socket with $name", async ({ unix }) => {
    const local = serveHttpbin({ unix });
    try {
      expect(local.port).toBeUndefined();
      expect(local.address).toBe(`unix:${unix.replace("\0", "@")}`);
      const response = await fetch("http://node/ip", { unix });
      expect(await response.json()).toEqual({ origin: "unix" });
    } finally {
      await local.stop();
      if (!unix.startsWith("\0")) rmSync(join(unix, ".."), { recursive: true });
    }
  });

  test("answers HEAD like GET, without the body", async () => {
    const get = await ask("/bytes/1234?seed=1");
    const head = await ask("/bytes/1234?seed=1", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe("1234");
    expect((await get.bytes()).byteLength).toBe(1234);
    expect((await head.bytes()).byteLength).toBe(0);
  });

  test("answers HEAD of an endless-looking stream at once", async () => {
    const head = await ask("/stream-bytes/4294967296", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect((await head.bytes()).byteLength).toBe(0);
  });

  test("answers OPTIONS with the methods of the endpoint", async () => {
    const response = await ask("/response-headers", { method: "OPTIONS" });
    expect(response.status).toBe(200);
    expect(response.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");
  });

  test("stop() breaks off what is under way and can be repeated", async () => {
    const local = serveHttpbin({ host: "127.0.0.1", port: 0 });
    const events = await fetch(`http://${local.address}/sse?interval_ms=60000`);
    const reader = events.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    const rest = reader.read().then(
      ({ done }) => (done ? "ended" : "another event"),
      () => "broken",
    );
    await local.stop();
    await local.stop();
    expect(["ended", "broken"]).toContain(await rest);
  });
});

describe("serveHttpbin() errors", () => {
  test("answers an unknown path with 404 and says where to look", async () => {
    const response = await ask("/nowhere");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe(
      '{\n  "error": "Cannot find /nowhere: GET / lists what there is"\n}\n',
    );
  });

  test.each(["/get/", "/get/x", "/status", "/status/", "/bytes//", "/anythingelse"])(
    "does not take %s for an endpoint",
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  test.each([
    { method: "POST", path: "/get", allow: "GET, HEAD, OPTIONS" },
    { method: "GET", path: "/post", allow: "POST, OPTIONS" },
    { method: "DELETE", path: "/ws", allow: "GET, HEAD, OPTIONS" },
  ])("answers $method $path with 405 and Allow", async ({ method, path, allow }) => {
    const response = await ask(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
  });

  test("refuses a port that is taken", () => {
    const { port = 0 } = server;
    expect(() => serveHttpbin({ host: "127.0.0.1", port })).toThrow(/EADDRINUSE|in use/);
  });
});
