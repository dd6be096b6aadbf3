import { describe, expect, test } from "bun:test";
import { encodeU32, readU32 } from "./leb128.ts";

const EXAMPLES = [
  { value: 0, hex: "00" },
  { value: 127, hex: "7f" },
  { value: 128, hex: "8001" },
  { value: 624485, hex: "e58e26" },
  { value: 0x7fff_ffff, hex: "ffffffff07" },
  { value: 0xffff_ffff, hex: "ffffffff0f" },
];

describe("readU32()", () => {
  test.each(EXAMPLES)("reads $hex as $value", ({ value, hex }) => {
    const bytes = Uint8Array.fromHex(`ff${hex}ff`);
    expect(readU32(bytes, 1, bytes.byteLength)).toEqual({ value, end: 1 + hex.length / 2 });
  });

  test("accepts padding up to five bytes", () => {
    expect(readU32(Uint8Array.fromHex("8180808000"), 0, 5)).toEqual({ value: 1, end: 5 });
  });
});

describe("readU32() errors", () => {
  test.each([
    { name: "nothing", hex: "", wrong: "truncated" },
    { name: "no last byte", hex: "8080", wrong: "truncated" },
    { name: "33 bits", hex: "ffffffff1f", wrong: "too long" },
    { name: "six bytes", hex: "808080808000", wrong: "too long" },
  ] as const)("refuses $name", ({ hex, wrong }) => {
    expect(readU32(Uint8Array.fromHex(hex), 0, hex.length / 2)).toEqual({ wrong });
  });

  test("does not look behind the end", () => {
    expect(readU32(Uint8Array.fromHex("8001"), 0, 1)).toEqual({ wrong: "truncated" });
  });
});

describe("encodeU32()", () => {
  test.each(EXAMPLES)("writes $value as $hex", ({ value, hex }) => {
    expect(encodeU32(value).toHex()).toBe(hex);
  });
});
