import { describe, expect, test } from "bun:test";
import { deadlines } from "../../../base/deadlines.ts";
import { Farewell } from "./farewell.ts";
import { eventually, FakeSocket } from "./http1.testing.ts";
import { endTls, TlsSocket } from "./tls-socket.ts";

/** As Bun's: after shutdown() a write fails, once the end of TLS could be sent. */
class FakeTlsSocket extends FakeSocket {
  isFull = false;

  override write(bytes: Uint8Array, byteOffset?: number, byteLength?: number): number {
    if (this.calls.includes("shutdown")) return this.isFull ? 0 : -1;
    return super.write(bytes, byteOffset, byteLength);
  }
}

/** Of a client that has yet to read. */
function begun(afterMs: number) {
  const socket = new FakeTlsSocket();
  socket.isFull = true;
  socket.shutdown();
  let overs = 0;
  const farewell = new Farewell(socket, afterMs, () => overs++);
  return { socket, farewell, overs: () => overs };
}

describe("endTls()", () => {
  test("closes what has sent its end, and nothing else", () => {
    const socket = new FakeTlsSocket();
    socket.isFull = true;
    expect(endTls(socket)).toBe(false);
    expect(socket.calls).toEqual(["shutdown"]);
    socket.isFull = false;
    expect(endTls(socket)).toBe(true);
    expect(socket.calls).toEqual(["shutdown", "shutdown", "end"]);
  });
});

describe("TlsSocket", () => {
  test("hands everything on, and tells when its end could not be sent", () => {
    const socket = new FakeTlsSocket();
    let unsent = 0;
    const client = new TlsSocket(socket, () => unsent++);
    expect(client).toMatchObject({ remoteAddress: "192.0.2.1", localPort: 2 });
    expect(client.write(Buffer.from("abcd"), 1, 2)).toBe(2);
    expect(socket.sent).toBe("bc");
    client.pause();
    client.resume();
    client.shutdown();
    client.end();
    expect(unsent).toBe(0);
    client.terminate();
    const calls = ["pause", "resume", "shutdown", "shutdown", "end", "terminate"];
    expect(socket.calls).toEqual(calls);
    socket.isFull = true;
    client.end();
    expect(unsent).toBe(1);
    expect(socket.calls).toEqual([...calls, "shutdown"]);
  });
});

describe("Farewell", () => {
  test("ends when the client has read enough", () => {
    const armed = deadlines.armed;
    const { socket, farewell, overs } = begun(10_000);
    farewell.onDrain();
    farewell.onData();
    farewell.onEnd();
    expect(overs()).toBe(0);
    socket.isFull = false;
    farewell.onDrain();
    farewell.onDrain();
    farewell.onClose();
    farewell.close();
    expect(overs()).toBe(1);
    expect(socket.calls.filter((call) => call !== "shutdown")).toEqual(["end"]);
    expect(deadlines.armed).toBe(armed);
  });

  test("is broken off when the client reads nothing for too long", async () => {
    const { socket, farewell, overs } = begun(30);
    await eventually(() => overs() === 1);
    expect(socket.calls).toEqual(["shutdown", "terminate"]);
    farewell.onDrain();
    expect(socket.calls).toEqual(["shutdown", "terminate"]);
  });

  test("is over when the socket has gone, and leaves nothing armed", () => {
    const armed = deadlines.armed;
    const { socket, farewell, overs } = begun(10_000);
    farewell.onClose();
    expect(overs()).toBe(1);
    expect(socket.calls).toEqual(["shutdown"]);
    expect(deadlines.armed).toBe(armed);
  });
});
