import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type HttpbinServer, serveHttpbin } from "../server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

function ask(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`http://${server.address}${path}`, init);
}

describe("/delay/:seconds", () => {
  test("answers after that time, not before", async () => {
    const startedAt = performance.now();
    const response = await ask("/delay/0.2?a=1", { method: "POST", body: "x" });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
    expect(await response.json()).toMatchObject({ args: { a: "1" }, data: "x" });
  });

  test("ends at once when the client goes away", async () => {
    const local = serveHttpbin({ host: "127.0.0.1", port: 0 });
    const controller = new AbortController();
    const answer = fetch(`http://${local.address}/delay/10`, { signal: controller.signal });
    await (await fetch(`http://${local.address}/ip`)).bytes();
    controller.abort();
    expect(await answer.catch((error: Error) => error.name)).toBe("AbortError");
    const startedAt = performance.now();
    await local.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe("/drip", () => {
  test("spreads the bytes over the duration", async () => {
    const startedAt = performance.now();
    const response = await ask("/drip?numbytes=5&duration=0.2&delay=0&code=203");
    expect(response.status).toBe(203);
    let text = "";
    let chunks = 0;
    for await (const chunk of response.body!) {
      chunks++;
      text += Buffer.from(chunk).toString();
    }
    expect(text).toBe("*****");
    expect(chunks).toBeGreaterThan(1);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
  });

  test("sends all at once for a duration of 0", async () => {
    const response = await ask("/drip?numbytes=100000&duration=0&delay=0");
    expect((await response.bytes()).byteLength).toBe(100_000);
  });

  test("waits for the delay before the head", async () => {
    const startedAt = performance.now();
    await (await ask("/drip?numbytes=1&duration=0&delay=0.1")).bytes();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
  });
});

describe("/stream/:n", () => {
  test("sends a line of JSON each", async () => {
    const response = await ask("/stream/3?a=1");
    expect(response.headers.get("content-type")).toBe("application/json");
    const lines = (await response.text()).trimEnd().split("\n");
    const shapes = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(shapes.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(Object.keys(shapes[0] ?? {})).toEqual(["url", "args", "headers", "origin", "id"]);
  });

  test("sends nothing for 0", async () => {
    expect(await (await ask("/stream/0")).text()).toBe("");
  });
});

describe("/sse", () => {
  test("sends the events one by one in the form of the standard", async () => {
    const response = await ask("/sse?count=2&interval_ms=1");
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = (await response.text()).split("\n\n");
    expect(events).toHaveLength(3);
    expect(events[2]).toBe("");
    expect(events[0]).toMatch(/^id: 0\nevent: ping\ndata: \{"id":0,"timestamp":\d+\}$/);
    expect(events[1]).toStartWith("id: 1\n");
  });

  test("sends the first event without waiting", async () => {
    const controller = new AbortController();
    const response = await ask("/sse?interval_ms=60000", { signal: controller.signal });
    const first = await response.body!.getReader().read();
    expect(Buffer.from(first.value ?? []).toString()).toStartWith("id: 0\n");
    controller.abort();
  });
});

describe("/delay, /drip, /stream and /sse errors", () => {
  test.each([
    "/delay/x",
    "/delay/-1",
    "/delay/1e3",
    "/delay/1.",
    "/drip?numbytes=0",
    "/drip?numbytes=10485761",
    "/drip?duration=61",
    "/drip?delay=-1",
    "/drip?code=99",
    "/stream/100001",
    "/stream/x",
    "/sse?count=0",
    "/sse?count=100001",
    "/sse?interval_ms=60001",
    "/sse?interval_ms=",
  ])("refuses %s with 400", async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: expect.stringContaining("Cannot use") });
  });
});
