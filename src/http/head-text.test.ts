import { describe, expect, test } from "bun:test";
import { HeadText, NO_HEAD } from "./head-text.ts";

describe("HeadText", () => {
  const head = new HeadText("HTTP/1.1 200 OK", "\r\nA: \xe9", "\r\n\r\n");

  test("writeTo() writes its pieces one behind the other, as long as it says it is", () => {
    const into = new Uint8Array(40).fill(46);
    expect(head.writeTo(into, 3)).toBe(3 + head.length);
    const written = Buffer.from(into).toString("latin1");
    expect(written).toBe(`...${String(head)}${".".repeat(37 - head.length)}`);
  });

  test("toString() joins them", () => {
    expect(String(head)).toBe("HTTP/1.1 200 OK\r\nA: \xe9\r\n\r\n");
  });

  test("NO_HEAD writes nothing", () => {
    expect([NO_HEAD.length, NO_HEAD.writeTo(new Uint8Array(0), 0), String(NO_HEAD)]).toEqual([
      0,
      0,
      "",
    ]);
  });
});
