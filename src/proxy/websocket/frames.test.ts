import { describe, expect, test } from "bun:test";
import { FrameQueue, isSendableCode } from "./frames.ts";

/** The header without the mask, the mask, and the payload with the mask taken off by hand. */
function takeApart(frame: Uint8Array): { head: string; mask: string; payload: Uint8Array } {
  const short = (frame[1] ?? 0) & 0x7f;
  const at = short < 126 ? 2 : short === 126 ? 4 : 10;
  const mask = frame.slice(at, at + 4);
  const payload = frame.slice(at + 4).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return { head: frame.slice(0, at).toHex(), mask: mask.toHex(), payload };
}

function one(push: (queue: FrameQueue) => void): ReturnType<typeof takeApart> {
  const queue = new FrameQueue();
  push(queue);
  const chunk = queue.take() ?? new Uint8Array(0);
  expect(queue.take()).toBeUndefined();
  return takeApart(chunk);
}

describe("FrameQueue", () => {
  // Head bytes from RFC 6455 section 5.7, with the mask bit set.
  test.each([
    { name: "text", push: (q: FrameQueue) => q.pushText("Hello"), head: "8185", payload: "Hello" },
    { name: "empty text", push: (q: FrameQueue) => q.pushText(""), head: "8180", payload: "" },
    {
      name: "a ping",
      push: (q: FrameQueue) => q.pushBytes("ping", Buffer.from("Hello")),
      head: "8985",
      payload: "Hello",
    },
    {
      name: "a pong",
      push: (q: FrameQueue) => q.pushBytes("pong", Buffer.from("Hello")),
      head: "8a85",
      payload: "Hello",
    },
    {
      name: "a Close with code and reason",
      push: (q: FrameQueue) => q.pushClose(1000, "ok"),
      head: "8884",
      payload: "\u0003\u00e8ok",
    },
    {
      name: "a Close without a code",
      push: (q: FrameQueue) => q.pushClose(1005, "lost"),
      head: "8880",
      payload: "",
    },
  ])("writes $name", ({ push, head, payload }) => {
    const frame = one(push);
    expect(frame.head).toBe(head);
    expect(Buffer.from(frame.payload).toString("latin1")).toBe(payload);
  });

  test.each([
    { length: 125, head: "82fd" },
    { length: 126, head: "82fe007e" },
    { length: 256, head: "82fe0100" },
    { length: 65_535, head: "82feffff" },
    { length: 65_536, head: "82ff0000000000010000" },
    { length: 300_001, head: "82ff00000000000493e1" },
  ])("writes $length bytes with the shortest length", ({ length, head }) => {
    const bytes = crypto.getRandomValues(new Uint8Array(length).subarray(0, 65_536));
    const payload = Buffer.alloc(length, bytes);
    const frame = one((queue) => queue.pushBytes("binary", payload));
    expect(frame.head).toBe(head);
    expect(Bun.hash(frame.payload)).toBe(Bun.hash(payload));
  });

  test("masks any number of bytes at any offset in a chunk", () => {
    const queue = new FrameQueue();
    queue.pushText(""); // A chunk of its own; the second one is shared.
    const sent: Uint8Array[] = [];
    for (let length = 0; length < 70; length++) {
      const payload = crypto.getRandomValues(new Uint8Array(length));
      sent.push(payload);
      queue.pushBytes("binary", payload);
    }
    queue.take();
    let rest = queue.take() ?? new Uint8Array(0);
    for (const payload of sent) {
      const frame = rest.slice(0, 6 + payload.length);
      expect(takeApart(frame).payload).toEqual(payload);
      rest = rest.subarray(frame.length);
    }
    expect(rest.length).toBe(0);
  });

  test("takes another mask for every frame", () => {
    const masks = new Set<string>();
    for (let n = 0; n < 3000; n++) masks.add(one((queue) => queue.pushText("")).mask);
    expect(masks.size).toBeGreaterThan(2990);
  });

  test("writes text as UTF-8", () => {
    const text = "\ufeffκόσμε 𐍈";
    const { payload } = one((queue) => queue.pushText(text));
    expect(Buffer.from(payload)).toEqual(Buffer.from(text));
  });

  test("joins small frames and counts the bytes that wait", () => {
    const queue = new FrameQueue();
    for (let n = 0; n < 1000; n++) queue.pushText("abcd");
    expect(queue.bytes).toBe(1000 * 10);
    const chunks: number[] = [];
    for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) {
      chunks.push(chunk.length);
    }
    expect(chunks).toEqual([10, 9990]);
    expect(queue.bytes).toBe(0);
  });

  test("cuts a reason of more than 123 bytes between two characters", () => {
    const { head, payload } = one((queue) => queue.pushClose(4000, "ä".repeat(100)));
    expect(head).toBe("88fc"); // 2 + 61 × 2 = 124 = 0x7c
    expect(Buffer.from(payload.slice(2)).toString()).toBe("ä".repeat(61));
  });

  test("clear() forgets what waits", () => {
    const queue = new FrameQueue();
    queue.pushText("a");
    queue.clear();
    expect(queue.bytes).toBe(0);
    expect(queue.take()).toBeUndefined();
  });
});

describe("isSendableCode()", () => {
  test("allows the codes of RFC 6455 and the registry, and no others", () => {
    const yes = [1000, 1001, 1002, 1003, 1007, 1008, 1011, 1012, 1013, 1014, 3000, 3999, 4999];
    const no = [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535];
    expect(yes.filter((code) => !isSendableCode(code))).toEqual([]);
    expect(no.filter((code) => isSendableCode(code))).toEqual([]);
  });
});
