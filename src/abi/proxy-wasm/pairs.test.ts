import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { decodePairs, encodePairs } from "./pairs.ts";
import { wire } from "./testing.ts";

// Wire bytes typed by hand from the specification.
const EXAMPLES = [
  { name: "no pairs", pairs: [], wire: "" },
  {
    name: "all lengths before all bytes",
    pairs: [
      ["a", "1"],
      ["bc", ""],
    ],
    //     count    len(a)   len(1)   len(bc)  len("")   a\0  1\0  bc\0   \0
    wire: "02000000 01000000 01000000 02000000 00000000 6100 3100 626300 00",
  },
  {
    name: "repeated names in order, and bytes above 0x7f",
    pairs: [
      ["k", "\xff"],
      ["k", "\x80"],
    ],
    wire: "02000000 01000000 01000000 01000000 01000000 6b00 ff00 6b00 8000",
  },
] as const;

describe("encodePairs()", () => {
  test.each(EXAMPLES)("writes $name", ({ pairs, wire: bytes }) => {
    const names = pairs.map(([name]) => name);
    const values = pairs.map(([, value]) => value);
    expect(encodePairs(names, values)?.toHex()).toBe(bytes.replaceAll(" ", ""));
  });

  test("writes long and short texts alike", () => {
    for (const length of [23, 24, 25, 26, 1000]) {
      const text = `${"v".repeat(length - 1)}\xe9`;
      expect(encodePairs(["n"], [text])?.toHex()).toBe(wire([["n", text]]).toHex());
    }
  });

  test("answers undefined above the limit", () => {
    const room = LIMITS.pairsBytesMax - 4 - 8 - 2 - 1;
    expect(encodePairs(["n"], ["v".repeat(room)])?.byteLength).toBe(LIMITS.pairsBytesMax);
    expect(encodePairs(["n"], ["v".repeat(room + 1)])).toBeUndefined();
  });
});

describe("decodePairs()", () => {
  test.each(EXAMPLES)("reads $name", ({ pairs, wire: bytes }) => {
    const decoded = decodePairs(Uint8Array.fromHex(bytes.replaceAll(" ", "")));
    expect(decoded?.names).toEqual(pairs.map(([name]) => name));
    expect(decoded?.values).toEqual(pairs.map(([, value]) => value));
  });

  test.each(["", "00", "00000000"])("takes %p for no pairs", (bytes) => {
    expect(decodePairs(Uint8Array.fromHex(bytes))).toEqual({ names: [], values: [] });
  });

  test("reads from the middle of a memory", () => {
    const bytes = wire([["a", "b"]]);
    const memory = new Uint8Array(100);
    memory.set(bytes, 33);
    expect(decodePairs(memory.subarray(33, 33 + bytes.byteLength))?.values).toEqual(["b"]);
  });

  test("keeps a NUL inside a value, for others to refuse", () => {
    expect(decodePairs(wire([["a", "b\0c"]]))?.values).toEqual(["b\0c"]);
  });
});

describe("decodePairs() errors", () => {
  test.each([
    { name: "half a count", bytes: "0100" },
    { name: "a count without lengths", bytes: "01000000" },
    { name: "a count beyond all reason", bytes: "ffffffff 00000000" },
    { name: "half the lengths", bytes: "01000000 01000000" },
    { name: "a name longer than the rest", bytes: "01000000 09000000 00000000 6100 00" },
    { name: "a name of 4 GiB", bytes: "01000000 ffffffff 00000000 6100 00" },
    { name: "no NUL behind a name", bytes: "01000000 01000000 01000000 6161 3100" },
    { name: "no NUL behind the last value", bytes: "01000000 01000000 01000000 6100 3131" },
    { name: "the end instead of the last NUL", bytes: "01000000 01000000 01000000 6100 31" },
    { name: "bytes left over", bytes: "01000000 01000000 01000000 6100 3100 00" },
    { name: "bytes behind an empty map", bytes: "00000000 00" },
  ])("refuses $name", ({ bytes }) => {
    expect(decodePairs(Uint8Array.fromHex(bytes.replaceAll(" ", "")))).toBeUndefined();
  });

  test("refuses more pairs and more bytes than the limits", () => {
    const many = Array.from({ length: LIMITS.pairsCountMax }, () => ["a", "b"] as const);
    expect(decodePairs(wire(many))?.names).toHaveLength(LIMITS.pairsCountMax);
    expect(decodePairs(wire([...many, ["a", "b"]]))).toBeUndefined();
    expect(decodePairs(new Uint8Array(LIMITS.pairsBytesMax + 1))).toBeUndefined();
  });
});
