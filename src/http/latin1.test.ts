import { describe, expect, test } from "bun:test";
import { readLatin1, writeLatin1 } from "./latin1.ts";

const ALL = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));

describe("writeLatin1()", () => {
  test("writes every char as one byte, also into bytes that are no Buffer", () => {
    const into = new Uint8Array(260).fill(46);
    expect(writeLatin1(into, ALL, 2)).toBe(258);
    expect([...into]).toEqual([46, 46, ...Array.from({ length: 256 }, (_, code) => code), 46, 46]);
  });

  test("writes texts that were joined or cut as it writes others", () => {
    const into = new Uint8Array(8);
    const made = `${ALL.slice(65, 67)}${"-".repeat(2)}${ALL.slice(253)}`;
    expect(writeLatin1(into, made, 0)).toBe(7);
    expect([...into]).toEqual([65, 66, 45, 45, 253, 254, 255, 0]);
  });

  test("leaves everything as it is for an empty text", () => {
    expect(writeLatin1(new Uint8Array(0), "", 0)).toBe(0);
    expect(writeLatin1(Uint8Array.of(1, 2), "", 2)).toBe(2);
  });

  test("writes no byte beyond its end", () => {
    const buffer = new Uint8Array(6);
    expect(writeLatin1(buffer.subarray(0, 4), "abcdef", 1)).toBe(4);
    expect([...buffer]).toEqual([0, 97, 98, 99, 0, 0]);
  });
});

describe("readLatin1()", () => {
  test("reads what writeLatin1() has written, from where it is told", () => {
    const bytes = new Uint8Array(300);
    writeLatin1(bytes, ALL, 10);
    expect(readLatin1(bytes, 10, 266)).toBe(ALL);
    expect(readLatin1(bytes.subarray(10), 65, 68)).toBe("ABC");
    expect(readLatin1(bytes, 5, 5)).toBe("");
  });
});
