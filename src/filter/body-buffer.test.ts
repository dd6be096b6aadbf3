import { describe, expect, test } from "bun:test";
import { BodyBuffer } from "./body-buffer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined): string => new TextDecoder().decode(body);

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
