import { describe, expect, test } from "bun:test";
import { BodyBuffer } from "./body-buffer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

const large = (): Uint8Array => new Uint8Array(5000).fill(120);

function bufferOf(...chunks: string[]): BodyBuffer {
  const buffer = new BodyBuffer();
  for (const chunk of chunks) buffer.append(bytes(chunk));
  return buffer;
}

describe("BodyBuffer.read()", () => {
  test.each([
    { name: "from the start", start: 0, max: 3, got: "abc" },
    { name: "over chunks", start: 1, max: 99, got: "bcdef" },
    { name: "nothing past the end", start: 6, max: 1, got: "" },
    { name: "nothing far past the end", start: 2 ** 32, max: 2 ** 32, got: "" },
  ])("$name", ({ start, max, got }) => {
    expect(text(bufferOf("abc", "def").read(start, max))).toBe(got);
  });
});

describe("BodyBuffer.splice()", () => {
  test.each([
    { name: "prepends", start: 0, length: 0, put: "x", got: "xabcdef" },
    { name: "replaces all", start: 0, length: 99, put: "x", got: "x" },
    { name: "appends", start: 99, length: 0, put: "x", got: "abcdefx" },
    { name: "replaces in the middle", start: 2, length: 2, put: "--", got: "ab--ef" },
    { name: "empties", start: 0, length: 99, put: "", got: "" },
  ])("$name", ({ start, length, put, got }) => {
    const buffer = bufferOf("abc", "def");
    buffer.splice(start, length, bytes(put));
    expect(buffer.length).toBe(got.length);
    expect(text(buffer.take())).toBe(got);
    expect(buffer.take()).toBeUndefined();
  });

  test("copies what it is given, since a guest's memory changes under it", () => {
    const buffer = new BodyBuffer();
    const given = bytes("abc");
    buffer.splice(0, 0, given);
    given.fill(0);
    expect(text(buffer.take())).toBe("abc");
  });
});

describe("BodyBuffer and the buffers of its chunks", () => {
  test("hands over the only chunk as it is, with its buffer or without", () => {
    for (const isOwned of [true, false]) {
      const buffer = new BodyBuffer();
      const chunk = large();
      buffer.append(chunk, isOwned);
      expect(buffer.read(0, 9).byteLength).toBe(9);
      expect(buffer.isOwned).toBe(isOwned);
      expect(buffer.take()).toBe(chunk);
      expect(chunk.byteLength).toBe(5000);
    }
  });

  test("frees those that are its own once they are joined or spliced, and no others", () => {
    for (const change of [
      (buffer: BodyBuffer) => buffer.read(0, 1),
      (buffer: BodyBuffer) => buffer.splice(0, 0, bytes("a")),
      (buffer: BodyBuffer) => buffer.take(),
    ]) {
      const [first, second, third] = [large(), large(), large()];
      const buffer = new BodyBuffer();
      buffer.append(first, true);
      buffer.append(second);
      buffer.append(third, true);
      change(buffer);
      const lengths = [first, second, third].map((chunk) => chunk.byteLength);
      expect(lengths).toEqual([0, 5000, 0]);
    }
  });

  test("gives what it has joined, and owns nothing when it is empty", () => {
    const buffer = new BodyBuffer();
    buffer.append(large());
    expect(buffer.isOwned).toBe(false);
    buffer.append(large());
    expect(buffer.isOwned).toBe(true);
    expect(buffer.take()?.byteLength).toBe(10_000);
    buffer.append(large());
    expect(buffer.isOwned).toBe(false);
    buffer.splice(5000, 0, bytes("a"));
    expect(buffer.isOwned).toBe(true);
  });
});
