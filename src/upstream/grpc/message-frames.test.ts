import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { frameMessage, MessageReader } from "./message-frames.ts";

describe("frameMessage()", () => {
  test("puts a flag of 0 and the length in front", () => {
    expect([...frameMessage(Buffer.from("ab"))]).toEqual([0, 0, 0, 0, 2, 0x61, 0x62]);
    expect([...frameMessage(new Uint8Array(300)).subarray(0, 5)]).toEqual([0, 0, 0, 1, 44]);
    expect([...frameMessage(new Uint8Array())]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("MessageReader", () => {
  test.each([1, 2, 3, 5, 7, 1000])("reads messages from chunks of %d bytes", (size) => {
    const given = ["", "a", "hello world", "", "x".repeat(300)];
    const bytes = Buffer.concat(given.map((text) => frameMessage(Buffer.from(text))));
    const reader = new MessageReader();
    const read: string[] = [];
    for (let at = 0; at < bytes.byteLength; at += size) {
      reader.push(new Uint8Array(bytes.subarray(at, at + size)));
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        read.push(Buffer.from(next as Uint8Array).toString());
      }
    }
    expect(read).toEqual(given);
    expect(reader.isEmpty).toBe(true);
    reader.push(new Uint8Array());
    expect(reader.isEmpty).toBe(true);
    reader.push(new Uint8Array(1));
    expect([reader.isEmpty, reader.next()]).toEqual([false, undefined]);
  });

  test("gives bytes of their own, which the chunk does not share", () => {
    const chunk = frameMessage(Buffer.from("a"));
    const reader = new MessageReader();
    reader.push(chunk);
    const message = reader.next() as Uint8Array;
    chunk.fill(0);
    expect(Buffer.from(message).toString()).toBe("a");
  });
});

describe("MessageReader errors", () => {
  test.each([
    { prefix: [1, 0, 0, 0, 0], problem: "compressed" },
    { prefix: [2, 0, 0, 0, 0], problem: "malformed" },
    { prefix: [0, 255, 255, 255, 255], problem: "too long" },
  ])("finds $problem by the prefix alone", ({ prefix, problem }) => {
    const reader = new MessageReader();
    reader.push(Uint8Array.from(prefix));
    expect(reader.next()).toBe(problem as never);
  });

  test("takes the longest message, and not one byte more", () => {
    const reader = new MessageReader();
    reader.push(frameMessage(new Uint8Array(LIMITS.grpcMessageBytesMax)));
    expect((reader.next() as Uint8Array).byteLength).toBe(LIMITS.grpcMessageBytesMax);
    reader.push(frameMessage(new Uint8Array(LIMITS.grpcMessageBytesMax + 1)));
    expect(reader.next()).toBe("too long");
  });
});
