import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { LineBuffer } from "./line-buffer.ts";

describe("LineBuffer", () => {
  test("makes lines of pieces", () => {
    const { buffer, lines } = collecting();
    buffer.add("one\ntw");
    buffer.add("o");
    expect(lines).toEqual(["one"]);
    buffer.add("\nthree\nfour");
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("end() makes a line of what is left, once", () => {
    const { buffer, lines } = collecting();
    buffer.add("rest");
    buffer.end();
    buffer.end();
    expect(lines).toEqual(["rest"]);
  });

  test("leaves empty lines out", () => {
    const { buffer, lines } = collecting();
    buffer.add("\n\na\n\n");
    buffer.end();
    expect(lines).toEqual(["a"]);
  });

  test("does not keep more than a log line has room for", () => {
    const { buffer, lines } = collecting();
    buffer.add("x".repeat(LIMITS.guestLogBytesMax));
    expect(lines).toEqual([]);
    buffer.add("y");
    expect(lines).toHaveLength(1);
  });
});

function collecting() {
  const lines: string[] = [];
  return { buffer: new LineBuffer((line) => lines.push(line)), lines };
}
