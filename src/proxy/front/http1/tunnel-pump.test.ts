import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { HeaderList } from "../../../http/headers.ts";
import type { Tunnel } from "../../../upstream/message.ts";
import type { Front } from "../front.ts";
import { answer, eventually, QueueBody, RawClient, settled, startFront } from "./http1.testing.ts";

/** The node's side: `down` is what it sends, `up` what it gets, `gate` lets it take more. */
class FakeTunnel implements Tunnel {
  readonly down = new QueueBody();
  up = "";
  upBytes = 0;
  closed = false;
  gate: Promise<void> | undefined;

  async read(): Promise<Uint8Array | undefined> {
    return this.down.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.upBytes += bytes.length;
    if (bytes.length < 1000) this.up += Buffer.from(bytes).toString("latin1");
    await this.gate;
  }

  close(): void {
    this.closed = true;
    this.down.push(undefined);
  }
}

const UPGRADE = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";

/** A client behind a 101 and the node that it talks to. */
async function openTunnel(
  change: { tunnelIdleMs?: number; halfClosedMs?: number; early?: string } = {},
) {
  const tunnel = new FakeTunnel();
  const { tunnelIdleMs = 0, halfClosedMs = 2000, early = "" } = change;
  const headers = HeaderList.from([["Sec-WebSocket-Accept", "x"]]);
  let upgrade: string | undefined;
  const front: Front = startFront(
    async (incoming) => {
      upgrade = incoming.upgrade;
      return answer(undefined, { status: 101, headers, tunnel, tunnelIdleMs });
    },
    { halfClosedMs },
  );
  const client = await RawClient.open(front.port);
  client.send(UPGRADE + early);
  await client.until(({ text }) => text.includes("\r\n\r\n"));
  return { front, client, tunnel, upgrade };
}

describe("an upgraded connection", () => {
  test("begins with the head of a 101, and early bytes are not lost", async () => {
    const { front, client, tunnel, upgrade } = await openTunnel({ early: "GET /not-http" });
    expect(upgrade).toBe("websocket");
    expect(client.text.replace(/Date: .*\r\n/, "")).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n" +
        "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    await eventually(() => tunnel.up === "GET /not-http");
    expect(front.inFlight).toBe(1);
    front.close();
    expect([front.inFlight, tunnel.closed]).toEqual([0, true]);
  });

  test("carries bytes both ways", async () => {
    const { front, client, tunnel } = await openTunnel();
    for (const word of ["one", "two"]) {
      client.send(word);
      await eventually(() => tunnel.up.endsWith(word));
      tunnel.down.push(word.toUpperCase());
      await client.until(({ text }) => text.endsWith(word.toUpperCase()));
    }
    front.close();
  });

  test("holds the client back when the node takes nothing", async () => {
    const { front, client, tunnel } = await openTunnel();
    const { promise, resolve } = Promise.withResolvers<void>();
    tunnel.gate = promise;
    const size = 48 * 1024 * 1024;
    client.send(Buffer.alloc(size, 1));
    await settled(() => client.unsent);
    expect(client.unsent).toBeGreaterThan(size / 2);
    tunnel.gate = undefined;
    resolve();
    await eventually(() => tunnel.upBytes === size);
    front.close();
  });

  test("holds the node back when the client takes nothing", async () => {
    const { front, client, tunnel } = await openTunnel();
    client.counts = true;
    client.pause();
    let made = 0;
    const endless = 48 * 1024 * 1024;
    tunnel.down.read = () => {
      if (made >= endless) return new Promise(() => {});
      made += 65_536;
      return Buffer.alloc(65_536);
    };
    tunnel.down.push("wakes the pending read");
    await eventually(() => made > 0);
    await settled(() => made);
    expect(made).toBeLessThan(endless / 2);
    client.resume();
    await client.until(({ bytes }) => bytes > endless);
    front.close();
  });

  test("carries the node's bytes after the client has ended, until the node ends", async () => {
    const { front, client, tunnel } = await openTunnel();
    client.send("bye");
    client.finish();
    await eventually(() => tunnel.up === "bye");
    expect(tunnel.closed).toBe(false);
    tunnel.down.push("farewell");
    tunnel.down.push(undefined);
    expect(await client.end()).toEndWith("farewell");
    expect(client.over).toBe("end");
    await eventually(() => tunnel.closed && front.inFlight === 0);
    await front.stop();
  });

  test("carries the client's bytes after the node has ended, until the client ends", async () => {
    const { front, client, tunnel } = await openTunnel();
    tunnel.down.push("farewell");
    tunnel.down.push(undefined);
    expect(await client.end()).toEndWith("farewell");
    client.send("bye");
    await eventually(() => tunnel.up === "bye");
    client.finish();
    await eventually(() => tunnel.closed && front.inFlight === 0);
    await front.stop();
  });

  test("ends when one side has ended and the other one is silent", async () => {
    const { front, client, tunnel } = await openTunnel({ halfClosedMs: 40 });
    client.finish();
    await eventually(() => tunnel.closed);
    await client.end();
    expect(front.inFlight).toBe(0);
    front.close();
  });

  test("ends when nothing has been said for tunnelIdleMs", async () => {
    const { front, client, tunnel } = await openTunnel({ tunnelIdleMs: 60 });
    const startMs = performance.now();
    for (let count = 0; count < 5; count++) {
      tunnel.down.push(`${count}`);
      await client.until(({ text }) => text.endsWith(`\r\n\r\n${"01234".slice(0, count + 1)}`));
      client.send("x");
      await eventually(() => tunnel.upBytes === count + 1);
    }
    const lastMs = performance.now();
    await client.end();
    expect(performance.now() - lastMs).toBeGreaterThanOrEqual(50);
    expect(performance.now() - startMs).toBeLessThan(4000);
    expect(tunnel.closed).toBe(true);
    front.close();
  });
});

describe("an upgraded connection: errors", () => {
  test("resets the client when the node breaks", async () => {
    const { front, client, tunnel } = await openTunnel();
    tunnel.down.push(new GatewayError("UPSTREAM_RESET", "Cannot read"));
    await client.end();
    expect([client.over, tunnel.closed, front.inFlight]).toEqual(["reset", true, 0]);
    front.close();
  });

  test("closes the node's side when the client resets", async () => {
    const { front, client, tunnel } = await openTunnel();
    client.abort();
    await eventually(() => tunnel.closed);
    expect(front.inFlight).toBe(0);
    front.close();
  });

  test("closes a tunnel that comes too late, or that nobody has asked for", async () => {
    const tunnel = new FakeTunnel();
    const front = startFront(async () => answer(undefined, { status: 101, tunnel }));
    const client = await RawClient.open(front.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await client.end()).toStartWith("HTTP/1.1 500 ");
    expect(tunnel.closed).toBe(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = new FakeTunnel();
    const slow = startFront(async () => {
      await promise;
      return answer(undefined, { status: 101, tunnel: late });
    });
    const gone = await RawClient.open(slow.port);
    gone.send(UPGRADE);
    await eventually(() => slow.inFlight === 1);
    gone.abort();
    await eventually(() => slow.inFlight === 0);
    resolve();
    await eventually(() => late.closed);
    front.close();
    slow.close();
  });

  test("answers an upgrade that is refused, and goes on with requests", async () => {
    const front = startFront(async ({ target }) =>
      answer(target, { status: target === "/ws" ? 403 : 200 }),
    );
    const client = await RawClient.open(front.port);
    client.send(`${UPGRADE}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answers = await client.answers(2);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [403, "/ws"],
      [200, "/2"],
    ]);
    front.close();
  });
});
