import { afterEach, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { LIMITS } from "../../base/limits.ts";
import { RawNode } from "../../../test/support/raw-node.ts";
import {
  openRawPair,
  type RawPair,
  RelayFront,
  type RelayFrontOptions,
} from "../../../test/support/relayed.ts";
import { framesOf, lastFrame } from "../../../test/support/masked-frames.ts";
import { untilSteady } from "../../../test/support/until-steady.ts";
import { WebSocketClient } from "../../../test/support/web-socket-client.ts";

const MIB = 1024 * 1024;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function front(options: RelayFrontOptions): RelayFront {
  const relayed = new RelayFront(options);
  cleanups.push(() => relayed.stop());
  return relayed;
}

/** A node that really speaks WebSocket. */
function echoNode(): Server<undefined> {
  const node = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) => {
      const protocol = request.headers.get("sec-websocket-protocol")?.split(", ").at(-1);
      const headers: [string, string][] = [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
        ["X-Extensions", request.headers.get("sec-websocket-extensions") ?? "none"],
        ["Sec-WebSocket-Protocol", protocol ?? ""],
      ];
      return server.upgrade(request, { headers }) ? undefined : new Response("", { status: 400 });
    },
    websocket: {
      maxPayloadLength: 2 * LIMITS.webSocketMessageBytesMax,
      message: (ws, message) => {
        if (message === "close please") ws.close(4321, "as you like");
        else ws.send(message);
      },
    },
  });
  cleanups.push(() => node.stop(true));
  return node;
}

function rawPair(): Promise<RawPair> {
  return openRawPair(cleanups);
}

function wire(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

/** A server's binary frame of `length` bytes (more than 65535) that starts with `n`. */
function bigFrame(n: number, length: number): Uint8Array {
  const frame = Buffer.alloc(10 + length);
  frame.set([0x82, 127]);
  frame.writeBigUInt64BE(BigInt(length), 2);
  frame.writeUInt32BE(n, 10);
  return frame;
}

describe("WebSocketRelay messages", () => {
  test("carries text and binary of any size both ways, in order", async () => {
    const client = await WebSocketClient.open(front({ nodePort: echoNode().port ?? 0 }).url);
    const sent = ["ä𐍈", "", Buffer.of(0, 255), Buffer.alloc(0), "x".repeat(70_000)];
    const large = Buffer.alloc(LIMITS.webSocketMessageBytesMax, "0123456789abcdef!");
    for (const message of [...sent, large]) client.socket.send(message);
    await client.untilMessages(sent.length + 1);
    expect(client.messages.slice(0, -1)).toEqual(sent);
    expect(Bun.hash(client.messages.at(-1) as Uint8Array)).toBe(Bun.hash(large));
  });

  test("keeps the order of 10000 messages and loses none", async () => {
    const client = await WebSocketClient.open(front({ nodePort: echoNode().port ?? 0 }).url);
    for (let n = 0; n < 10_000; n++) client.socket.send(n % 7 === 0 ? Buffer.from(`${n}`) : `${n}`);
    await client.untilMessages(10_000);
    const wrong = client.messages.findIndex(
      (message, n) => Buffer.from(message as string).toString() !== `${n}`,
    );
    expect(wrong).toBe(-1);
  });

  test("puts fragments together, with control frames between them, cut at every byte", async () => {
    const { client, peer } = await rawPair();
    const stream = wire("01 01 61  89 01 70  00 01 62  80 01 63  02 01 01  80 01 02  81 00");
    for (const byte of stream) {
      peer.write(Uint8Array.of(byte));
      await Bun.sleep(0);
    }
    await client.untilMessages(3);
    expect(client.messages).toEqual(["abc", Buffer.of(1, 2), ""]);
    expect(client.pings).toEqual(["p"]);
  });

  test("reads nothing of the node before the client's side is open", async () => {
    const node = new RawNode();
    cleanups.push(() => node.stop());
    const relayed = front({ nodePort: node.port, handshake: false });
    const opening = WebSocketClient.open(relayed.url);
    const peer = await node.accept();
    peer.write(wire("81 05 6561726c79"));
    const client = await opening;
    await client.untilMessages(1);
    expect(client.messages).toEqual(["early"]);
  });
});

describe("WebSocketRelay back-pressure", () => {
  test("holds a fast node back and loses nothing of it for a slow client", async () => {
    const { client, peer } = await rawPair();
    client.socket.pause();
    const count = 300;
    const frames = Array.from({ length: count }, (_, n) => bigFrame(n, 256 * 1024));
    peer.write(Buffer.concat(frames));
    const total = count * frames[0]!.length;
    // Held back: what was taken stops growing although the node wants to send far more.
    await untilSteady(() => peer.unsent);
    expect(peer.unsent).toBeGreaterThan(total - 40 * MIB);
    client.socket.resume();
    await client.untilMessages(count);
    const order = client.messages.map((message) =>
      Buffer.from(message as Uint8Array).readUInt32BE(),
    );
    expect(order).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(client.messages.every((message) => message.length === 256 * 1024)).toBe(true);
  });

  test("holds a fast client back and loses nothing of it for a slow node", async () => {
    const { client, peer, relayed } = await rawPair();
    peer.pause();
    const count = 300;
    for (let n = 0; n < count; n++) {
      const message = Buffer.alloc(256 * 1024);
      message.writeUInt32BE(n);
      client.socket.send(message);
    }
    await untilSteady(() => client.socket.bufferedAmount);
    expect(client.socket.bufferedAmount).toBeGreaterThan(40 * MIB);
    expect(relayed.relays).toHaveLength(1);
    peer.resume();
    await peer.until(() => peer.receivedBytes >= count * (14 + 256 * 1024));
    const order = framesOf(peer.received).map(({ payload }) => payload.readUInt32BE());
    expect(order).toEqual(Array.from({ length: count }, (_, n) => n));
  });

  test("loses none of many empty messages for a slow node", async () => {
    const { client, peer } = await rawPair();
    peer.pause();
    const count = 100_000;
    for (let n = 0; n < count; n++) client.socket.send("");
    await untilSteady(() => client.socket.bufferedAmount);
    peer.resume();
    await peer.until(() => peer.receivedBytes >= count * 6);
    expect(peer.receivedBytes).toBe(count * 6);
  });
});

describe("WebSocketRelay handshake", () => {
  test("hands on the node's protocol, cookies and lines, and offers it no extension", async () => {
    const relayed = front({ nodePort: echoNode().port ?? 0 });
    const response = await upgrade(relayed, "Sec-WebSocket-Protocol: one, two\r\n");
    expect(response).toStartWith("HTTP/1.1 101 ");
    expect(response).toMatch(/^sec-websocket-protocol: two\r$/im);
    expect(response).toMatch(/^set-cookie: a=1\r\nset-cookie: b=2\r$/im);
    expect(response).toMatch(/^x-extensions: none\r$/im);
    expect(response).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    expect(response.match(/^(date|upgrade|connection|sec-websocket-accept):/gim)).toHaveLength(4);
  });

  test("names no protocol when the node chose none", async () => {
    const node = new RawNode();
    cleanups.push(() => node.stop());
    const relayed = front({ nodePort: node.port, handshake: false });
    const response = await upgrade(relayed, "Sec-WebSocket-Protocol: one, two\r\n");
    expect(response).toStartWith("HTTP/1.1 101 ");
    expect(response).not.toMatch(/^sec-websocket-protocol:/im);
  });
});

/** The head of the front's answer to an upgrade over a plain connection. */
async function upgrade(relayed: RelayFront, lines: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let got = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: relayed.port,
    socket: {
      data: (_, bytes) => {
        got += bytes.toString("latin1");
        if (got.includes("\r\n\r\n")) resolve(got);
      },
      close: () => resolve(got),
      error: () => resolve(got),
    },
  });
  cleanups.push(() => socket.terminate());
  socket.write(
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      `Sec-WebSocket-Extensions: permessage-deflate\r\n${lines}\r\n`,
  );
  return await promise;
}

describe("WebSocketRelay pings", () => {
  test("answers a client's ping once, and lets the node see it", async () => {
    const { client, peer } = await rawPair();
    client.socket.ping("are you there");
    const ping = await lastFrame(peer, 9);
    expect(ping.payload.toString()).toBe("are you there");
    peer.write(wire(`8a 0d ${Buffer.from("are you there").toString("hex")} 81 01 61`));
    await client.untilMessages(1);
    expect(client.pongs).toEqual(["are you there"]);
  });

  test("takes the node's pong for the pings before it too, and hands on others", async () => {
    const { client, peer } = await rawPair();
    client.socket.ping("1");
    client.socket.ping("2");
    await peer.until(() => framesOf(peer.received).length === 2);
    peer.write(wire("8a 01 32  8a 01 31  8a 05 68656c6c6f  81 00"));
    await client.untilMessages(1);
    // Two of Bun.serve's own, then what the node sent without being asked.
    expect(client.pongs).toEqual(["1", "2", "1", "hello"]);
  });

  test("hands the node's ping to the client, and the client's pong to the node", async () => {
    const { client, peer } = await rawPair();
    peer.write(wire("89 02 6869"));
    const pong = await lastFrame(peer, 10);
    expect(pong.payload.toString()).toBe("hi");
    expect(client.pings).toEqual(["hi"]);
  });

  test("forgets the oldest of too many unanswered pings", async () => {
    const { client, peer } = await rawPair();
    const count = LIMITS.webSocketPingsMax + 1;
    for (let n = 0; n < count; n++) client.socket.ping(`${n}`);
    await peer.until(() => framesOf(peer.received).length === count);
    peer.write(wire("8a 01 30  8a 01 31  81 00"));
    await client.untilMessages(1);
    expect(client.pongs.slice(count)).toEqual(["0"]);
  });
});
