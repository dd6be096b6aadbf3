import { describe, expect, test } from "bun:test";
import { Cancellation } from "../../base/cancellation.ts";
import { GatewayError } from "../../base/errors.ts";
import type { Tunnel } from "../message.ts";
import {
  failure,
  forwardOptions,
  RawNode,
  type Script,
  until,
  upstreamRequest,
  upstreamTo,
} from "../testing.ts";

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n";
const MIB = 1024 * 1024;

/** A node that switches and then runs `script`. */
function switching(script: Script, first = ""): RawNode {
  return new RawNode(async (peer) => {
    await peer.head();
    await peer.send(SWITCH + first);
    await script(peer);
  });
}

async function open(node: RawNode, options = forwardOptions()): Promise<Tunnel> {
  const upgrade = upstreamRequest({ upgrade: "x" });
  const { status, body, tunnel } = await upstreamTo([node]).forward(upgrade, options);
  expect(status).toBe(101);
  expect(body).toBeUndefined();
  return tunnel as Tunnel;
}

async function readText(tunnel: Tunnel): Promise<string> {
  return Buffer.from((await tunnel.read()) ?? "").toString("latin1");
}

describe("ConnectionTunnel", () => {
  test("carries bytes both ways until the node closes", async () => {
    using node = switching(async (peer) => {
      await peer.send(`you said ${await peer.receives("!")}`);
      await peer.receives(".");
      peer.end();
    });
    const tunnel = await open(node);
    await tunnel.write(Buffer.from("hello!"));
    expect(await readText(tunnel)).toBe("you said hello!");
    await tunnel.write(Buffer.from("."));
    expect(await tunnel.read()).toBeUndefined();
    expect(await tunnel.read()).toBeUndefined();
  });

  test("begins with the bytes that came together with the 101", async () => {
    using node = switching(() => {}, "first");
    const tunnel = await open(node);
    expect(await readText(tunnel)).toBe("first");
    tunnel.close();
  });

  test("holds the node back while nobody reads, and loses nothing", async () => {
    using node = switching(async (peer) => {
      for (let n = 0; n < 40; n++) await peer.send(new Uint8Array(MIB));
      peer.end();
    });
    const tunnel = await open(node);
    let before = -1;
    const sentBytes = (): number => node.peers[0]?.sentBytes ?? 0;
    for (let turns = 0; turns < 50; turns++) {
      if (sentBytes() !== before) turns = 0;
      before = sentBytes();
      await Bun.sleep(0);
    }
    expect(sentBytes()).toBeLessThan(14 * MIB);
    let bytes = 0;
    for (let chunk = await tunnel.read(); chunk !== undefined; chunk = await tunnel.read()) {
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(40 * MIB);
  });

  test("write() waits until the node takes the bytes", async () => {
    let resumed = false;
    using node = switching(async (peer) => {
      peer.pause();
      await until(() => resumed);
      peer.resume();
    });
    const tunnel = await open(node);
    let written = false;
    const writing = tunnel.write(new Uint8Array(20 * MIB)).then(() => (written = true));
    await until(() => node.peers[0] !== undefined);
    expect(written).toBe(false);
    resumed = true;
    await writing;
    await until(() => (node.peers[0]?.receivedBytes ?? 0) > 20 * MIB);
    tunnel.close();
  });

  test("close() closes the connection at once; a read that waits answers undefined", async () => {
    using node = switching(() => {});
    const tunnel = await open(node);
    const pending = tunnel.read();
    tunnel.close();
    tunnel.close();
    expect(await pending).toBeUndefined();
    await node.peers[0]?.gone();
  });

  test("is ended by neither the total nor the read timeout: those end with the head", async () => {
    using node = switching(async (peer) => {
      await peer.send(await peer.receives("!"));
    });
    const tunnel = await open(node, forwardOptions({ totalMs: 20, readMs: 20 }));
    const startedMs = performance.now();
    await until(() => performance.now() - startedMs > 80);
    await tunnel.write(Buffer.from("still here!"));
    expect(await readText(tunnel)).toBe("still here!");
    tunnel.close();
  });

  test("lives as long as bytes flow in one direction within the idle timeout", async () => {
    using node = switching(() => {});
    const tunnel = await open(node, forwardOptions({ idleMs: 60 }));
    const startedMs = performance.now();
    while (performance.now() - startedMs < 200) {
      await tunnel.write(Buffer.from("."));
      await Bun.sleep(0);
    }
    expect((await failure(tunnel.read())).code).toBe("UPSTREAM_READ_TIMEOUT");
    await node.peers[0]?.gone();
  });
});

describe("ConnectionTunnel errors", () => {
  test("UPSTREAM_READ_TIMEOUT after the idle timeout names node and limit", async () => {
    using node = switching(() => {});
    const tunnel = await open(node, forwardOptions({ idleMs: 30 }));
    const error = await failure(tunnel.read());
    expect(error.message).toContain(`127.0.0.1:${node.port}`);
    expect(error.message).toContain("idle timeout of 30 ms");
    expect(await failure(tunnel.write(new Uint8Array(1)))).toBe(error);
  });

  test("UPSTREAM_RESET for reads and writes when the node resets", async () => {
    using node = switching((peer) => peer.pause());
    const tunnel = await open(node);
    const reading = failure(tunnel.read());
    const writing = failure(tunnel.write(new Uint8Array(20 * MIB)));
    node.peers[0]?.reset();
    expect((await reading).code).toBe("UPSTREAM_RESET");
    expect((await writing).code).toBe("UPSTREAM_RESET");
    expect((await failure(tunnel.write(new Uint8Array(1)))).code).toBe("UPSTREAM_RESET");
  });

  test("a write after close() is refused, and one that waits is rejected", async () => {
    using node = switching((peer) => peer.pause());
    const tunnel = await open(node);
    const writing = failure(tunnel.write(new Uint8Array(20 * MIB)));
    tunnel.close();
    expect((await writing).message).toContain("it was closed");
    expect((await failure(tunnel.write(new Uint8Array(1)))).message).toContain("it is closed");
  });

  test("a cancellation closes it, and read() rejects with its reason", async () => {
    using node = switching(() => {});
    const cancellation = new Cancellation();
    const tunnel = await open(node, forwardOptions({}, cancellation));
    const reading = failure(tunnel.read());
    const gone = new GatewayError("CLIENT_GONE", "the client went away");
    cancellation.cancel(gone);
    expect(await reading).toBe(gone);
    await node.peers[0]?.gone();
  });
});
