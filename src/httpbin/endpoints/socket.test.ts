import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type HttpbinServer, serveHttpbin } from "../server.ts";

let server: HttpbinServer;
beforeAll(() => {
  server = serveHttpbin({ host: "127.0.0.1", port: 0 });
});
afterAll(() => server.stop());

describe("/ws", () => {
  test("echoes text and binary in order and answers the close", async () => {
    const socket = new WebSocket(`ws://${server.address}/ws`);
    const { promise: closed, resolve } = Promise.withResolvers<CloseEvent>();
    socket.addEventListener("close", resolve);
    const sent = ["ä", Buffer.of(0, 255), "", Buffer.alloc(0), "x".repeat(100_000)];
    const got: unknown[] = [];
    socket.addEventListener("open", () => {
      for (const message of sent) socket.send(message);
    });
    socket.addEventListener("message", ({ data }) => {
      got.push(data);
      if (got.length === sent.length) socket.close(4000, "done");
    });
    expect((await closed).code).toBe(4000);
    expect(got).toEqual(sent);
  });

  test("loses no echo when the client reads late", async () => {
    const socket = new WebSocket(`ws://${server.address}/ws`);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const message = Buffer.alloc(256 * 1024, 1);
    const count = 200; // 50 MiB: above every buffer between the two.
    let got = 0;
    socket.addEventListener("open", () => {
      socket.pause();
      for (let n = 0; n < count; n++) socket.send(message);
      // By the time of these answers the server has seen what fits into the buffers.
      void askOften(50).then(() => socket.resume());
    });
    socket.addEventListener("message", () => {
      if (++got === count) resolve();
    });
    socket.addEventListener("close", () => resolve());
    await done;
    expect(got).toBe(count);
    socket.close();
  });
});

async function askOften(times: number): Promise<void> {
  for (let n = 0; n < times; n++) await (await fetch(`http://${server.address}/ip`)).bytes();
}

describe("/ws errors", () => {
  test("answers plain HTTP with 426", async () => {
    const response = await fetch(`http://${server.address}/ws`);
    expect(response.status).toBe(426);
    expect(response.headers.get("upgrade")).toBe("websocket");
  });
});
