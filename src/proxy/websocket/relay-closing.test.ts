import { afterEach, describe, expect, test } from "bun:test";
import { framesOf, lastFrame } from "../../../test/support/masked-frames.ts";
import { RawNode } from "../../../test/support/raw-node.ts";
import { openRawPair, type RawPair, RelayFront } from "../../../test/support/relayed.ts";
import { untilSteady } from "../../../test/support/until-steady.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ServerWebSocket } from "bun";
import type { Tunnel } from "../../upstream/message.ts";
import { type RelayEnd, WebSocketRelay } from "./relay.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function rawPair(options: { idleMs?: number } = {}): Promise<RawPair> {
  return openRawPair(cleanups, options);
}

function wire(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

const CLOSE = 8;

describe("WebSocketRelay closed by the client", () => {
  test.each([
    { name: "a code and a reason", code: 4001, reason: "bye", wire: "0fa1627965" },
    { name: "1000", code: 1000, reason: "", wire: "03e8" },
  ])("tells the node $name", async ({ code, reason, wire: payload }) => {
    const { client, peer, relayed } = await rawPair();
    client.socket.send("last words");
    client.socket.close(code, reason);
    const close = await lastFrame(peer, CLOSE);
    expect(close.payload.toString("hex")).toBe(payload);
    expect(framesOf(peer.received).map(({ opcode }) => opcode)).toEqual([1, CLOSE]);
    expect(await client.closed).toEqual({ code, reason });
    // The connection stays until the node has answered.
    expect(peer.ended).toBe(false);
    peer.write(wire("88 02 03e8"));
    await peer.untilEnd();
    expect(await relayed.ended()).toEqual({ by: "client", code, reason });
  });

  test("tells the node a Close without a code", async () => {
    const { client, peer, relayed } = await rawPair();
    client.socket.close();
    const close = await lastFrame(peer, CLOSE);
    expect(close.payload.toString("hex")).toBe("");
    peer.end();
    expect((await relayed.ended()).by).toBe("client");
  });

  test("ends the node's connection when the client is gone without a Close", async () => {
    const { client, peer, relayed } = await rawPair();
    client.socket.send("last words");
    await peer.until(() => peer.receivedBytes > 0);
    client.socket.terminate();
    await peer.untilEnd();
    expect(framesOf(peer.received).map(({ opcode }) => opcode)).toEqual([1]);
    expect(await relayed.ended()).toEqual({ by: "client", code: 1006, reason: "" });
  });

  test("delivers to a slow node what the client sent before it left", async () => {
    const { client, peer } = await rawPair();
    peer.pause();
    const count = 60;
    for (let n = 0; n < count; n++) client.socket.send(Buffer.alloc(256 * 1024, n));
    client.socket.close(1000, "");
    peer.resume();
    await lastFrame(peer, CLOSE);
    const frames = framesOf(peer.received);
    expect(frames.map(({ payload }) => payload[0])).toEqual([
      ...Array.from({ length: count }, (_, n) => n),
      0x03,
    ]);
  });

  test("drops what the node sends after the client has closed", async () => {
    const { client, peer, relayed } = await rawPair();
    client.socket.close(1000, "");
    await lastFrame(peer, CLOSE);
    peer.write(wire("81 04 6c617465  88 00"));
    await peer.untilEnd();
    expect(client.messages).toEqual([]);
    expect((await relayed.ended()).by).toBe("client");
  });
});

describe("WebSocketRelay closed by the node", () => {
  test.each([
    { name: "a code and a reason", frame: "88 05 0fa1 627965", code: 4001, reason: "bye" },
    { name: "1000", frame: "88 02 03e8", code: 1000, reason: "" },
    { name: "1014", frame: "88 02 03f6", code: 1014, reason: "" },
    { name: "a Close without a code", frame: "88 00", code: 1005, reason: "" },
  ])("tells the client $name after the last message", async ({ frame, code, reason }) => {
    const { client, peer, relayed } = await rawPair();
    peer.write(wire(`81 01 61  ${frame}`));
    expect(await client.closed).toEqual({ code, reason });
    expect(client.messages).toEqual(["a"]);
    const answer = await lastFrame(peer, CLOSE);
    const expected = code === 1005 ? "" : code.toString(16).padStart(4, "0");
    expect(answer.payload.toString("hex")).toBe(expected);
    peer.end();
    expect(await relayed.ended()).toEqual({ by: "node", code, reason });
  });

  test("gives a slow client everything before the Close", async () => {
    const { client, peer } = await rawPair();
    client.socket.pause();
    const payload = Buffer.alloc(60_000, 7);
    const frame = Buffer.concat([wire("82 7e ea60"), payload]);
    peer.write(Buffer.concat([...Array.from({ length: 500 }, () => frame), wire("88 02 0fa0")]));
    client.socket.resume();
    expect((await client.closed).code).toBe(4000);
    expect(client.messages).toHaveLength(500);
  });

  test.each(["end", "reset"] as const)(
    "breaks the client off when the node is gone by %s, after what it sent",
    async (how) => {
      const { client, peer, relayed } = await rawPair();
      peer.write(wire("81 01 61  01 01 62"));
      await client.untilMessages(1);
      peer[how]();
      expect((await client.closed).code).toBe(1006);
      expect(client.messages).toEqual(["a"]);
      expect(await relayed.ended()).toEqual({ by: "node", code: 1006, reason: "" });
    },
  );

  test("gives a slow client everything before the node's end", async () => {
    const { client, peer } = await rawPair();
    client.socket.pause();
    const frame = Buffer.concat([wire("82 7f 0000000000100000"), Buffer.alloc(1024 * 1024, 7)]);
    peer.write(Buffer.concat(Array.from({ length: 16 }, () => frame)));
    client.socket.resume();
    await peer.until(() => peer.unsent === 0);
    peer.end();
    expect((await client.closed).code).toBe(1006);
    expect(client.messages).toHaveLength(16);
  });

  test("gives up on a node that does not end after the Close", async () => {
    const { client, peer, relayed } = await rawPair();
    const startedAt = performance.now();
    peer.write(wire("88 02 03e8"));
    await client.closed;
    await peer.untilEnd();
    const waitedMs = performance.now() - startedAt;
    expect(waitedMs).toBeGreaterThanOrEqual(LIMITS.webSocketCloseMsMax);
    expect((await relayed.ended()).by).toBe("node");
  }, 15_000);
});

describe("WebSocketRelay errors", () => {
  test.each([
    { name: "a masked frame", frame: "81 80 00000000", node: 1002, client: 1014 },
    { name: "a reserved bit", frame: "c1 00", node: 1002, client: 1014 },
    { name: "a text that is not UTF-8", frame: "81 01 ff", node: 1007, client: 1014 },
    { name: "an HTTP response", frame: "485454502f312e31", node: 1002, client: 1014 },
    { name: "too large a message", frame: "82 7f 0000000001000001", node: 1009, client: 1009 },
  ])("closes both sides when the node sends $name", async ({ frame, node, client: code }) => {
    const { client, peer, relayed } = await rawPair();
    peer.write(wire(`81 01 61 ${frame}`));
    expect((await client.closed).code).toBe(code);
    expect(client.messages).toEqual(["a"]);
    const close = await lastFrame(peer, CLOSE);
    expect(close.payload.readUInt16BE()).toBe(node);
    await peer.untilEnd();
    expect(await relayed.ended()).toMatchObject({ by: "gateway", code });
  });

  test("closes both sides when the client sends too large a message", async () => {
    const { client, peer, relayed } = await rawPair();
    client.socket.send("before");
    client.socket.send(Buffer.alloc(LIMITS.webSocketMessageBytesMax + 1));
    expect((await client.closed).code).toBe(1009);
    await peer.untilEnd();
    expect(framesOf(peer.received).map(({ payload }) => payload.toString())).toEqual(["before"]);
    expect(await relayed.ended()).toMatchObject({ by: "client", code: 1006 });
  });
});

describe("WebSocketRelay idle deadline", () => {
  test("closes both sides with 1001", async () => {
    const { client, peer, relayed } = await rawPair({ idleMs: 50 });
    const end = { code: 1001, reason: "idle timeout" };
    expect(await client.closed).toEqual(end);
    expect((await lastFrame(peer, CLOSE)).payload.readUInt16BE()).toBe(1001);
    peer.end();
    expect(await relayed.ended()).toEqual({ by: "gateway", ...end });
  });

  test("is put off by messages of either side", async () => {
    const idleMs = 600;
    const { client, peer } = await rawPair({ idleMs });
    const startedAt = performance.now();
    let lastAt = startedAt;
    for (; lastAt < startedAt + 2 * idleMs;) {
      if (lastAt < startedAt + idleMs) {
        client.socket.send("x");
        const { receivedBytes } = peer;
        await peer.until(() => peer.receivedBytes > receivedBytes);
      } else {
        peer.write(wire("81 01 61"));
        const count = client.messages.length;
        await client.untilMessages(count + 1);
      }
      lastAt = performance.now();
    }
    expect((await client.closed).code).toBe(1001);
    // The relay saw the last message a moment before this test did.
    expect(performance.now() - lastAt).toBeGreaterThanOrEqual(idleMs - 50);
  });

  test("does not exist for 0", async () => {
    const { client, peer } = await rawPair({ idleMs: 0 });
    const other = await rawPair({ idleMs: 100 });
    await other.client.closed;
    peer.write(wire("81 01 61"));
    await client.untilMessages(1);
    expect(client.messages).toEqual(["a"]);
  });
});

describe("WebSocketRelay.close()", () => {
  test("tells both sides and can be repeated", async () => {
    const { client, peer, relayed } = await rawPair();
    for (let n = 0; n < 2; n++) relayed.relays[0]?.close(1001, "draining");
    expect(await client.closed).toEqual({ code: 1001, reason: "draining" });
    expect((await lastFrame(peer, CLOSE)).payload.subarray(2).toString()).toBe("draining");
    peer.write(wire("88 02 03e9"));
    await peer.untilEnd();
    expect(await relayed.ended()).toEqual({ by: "gateway", code: 1001, reason: "draining" });
  });

  test("tells both sides while the client is held back for a slow node", async () => {
    const { client, peer, relayed } = await rawPair();
    peer.pause();
    for (let n = 0; n < 40; n++) client.socket.send(Buffer.alloc(1024 * 1024));
    await untilSteady(() => client.socket.bufferedAmount);
    relayed.relays[0]?.close(1001, "draining");
    expect((await client.closed).code).toBe(1001);
    peer.resume();
    expect((await lastFrame(peer, CLOSE)).payload.readUInt16BE()).toBe(1001);
  });

  test("ends a relay that was never opened", () => {
    const tunnel = new SilentTunnel();
    const ends: RelayEnd[] = [];
    const relay = new WebSocketRelay({ tunnel, idleMs: 0, onEnd: (end) => ends.push(end) });
    relay.close(1001, "draining");
    relay.close(1001, "draining");
    expect(tunnel.closes).toBe(1);
    expect(ends).toEqual([{ by: "gateway", code: 1001, reason: "draining" }]);
  });

  test("closes with 1013 when a client cannot be paused", () => {
    const tunnel = new SilentTunnel();
    const relay = new WebSocketRelay({ tunnel, idleMs: 0 });
    const closes: unknown[][] = [];
    const socket = {
      pause: () => {},
      close: (...args: unknown[]) => {
        closes.push(args);
        relay.closed(1013, ""); // As Bun.serve does, from inside close().
      },
    };
    relay.open(socket as unknown as ServerWebSocket<WebSocketRelay>);
    const message = new Uint8Array(LIMITS.webSocketMessageBytesMax);
    relay.message(message); // In flight.
    relay.message(message);
    expect(closes).toEqual([]);
    relay.message(message);
    expect(closes).toEqual([[1013, "the node takes messages too slowly"]]);
    relay.message(message);
    expect(closes).toHaveLength(1);
  });
});

describe("WebSocketRelay ends", () => {
  test("come exactly once for 200 connections that break off in every way", async () => {
    const node = new RawNode();
    const relayed = new RelayFront({ nodePort: node.port, handshake: false });
    cleanups.push(
      () => node.stop(),
      () => relayed.stop(),
    );
    const count = 200;
    for (let n = 0; n < count; n++) {
      const socket = new WebSocket(relayed.url);
      const peer = await node.accept();
      if (n % 4 === 0) socket.terminate();
      else if (n % 4 === 1) peer.reset();
      else if (n % 4 === 2) peer.write(wire("81 01 61 88 02 03e8"));
      else socket.addEventListener("open", () => socket.close(1000, ""));
      void lastFrame(peer, CLOSE).then(
        () => peer.end(),
        () => {}, // It was broken off without one.
      );
    }
    for (let n = 0; n < count; n++) await relayed.ended();
    expect(relayed.relays).toHaveLength(count);
    expect(new Set(relayed.tunnels.map(({ closes }) => closes))).toEqual(new Set([1]));
    expect(relayed.unclaimedEnds).toBe(0);
  }, 20_000);
});

/** Takes nothing, gives nothing. */
class SilentTunnel implements Tunnel {
  closes = 0;

  read(): Promise<Uint8Array | undefined> {
    return new Promise(() => {});
  }

  write(): Promise<void> {
    return new Promise(() => {});
  }

  close(): void {
    this.closes++;
  }
}
