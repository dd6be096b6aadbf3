import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { encodeU32 } from "./leb128.ts";
import { type CompositeType, readTypes } from "./type-section.ts";

const REFERENCES =
  "externref anyref eqref i31ref structref arrayref exnref " +
  "nullexnref nullfuncref nullexternref nullref funcref";

describe("readTypes()", () => {
  test.each([
    { name: "none", hex: "00", types: [] },
    {
      name: "a function of every number type",
      hex: "01 60 05 7f7e7d7c7b 01 70",
      types: [{ params: ["i32", "i64", "f32", "f64", "v128"], results: ["funcref"] }],
    },
    {
      name: "a function of references",
      hex: "01 60 0c 6f6e6d6c6b6a6974737271 6370 05 6407 638001 6470 636e 646c",
      types: [
        {
          params: REFERENCES.split(" "),
          results: ["(ref 7)", "(ref null 128)", "(ref func)", "anyref", "(ref i31)"],
        },
      ],
    },
    { name: "a struct of packed fields", hex: "01 5f 03 7800 7701 6300 01", types: ["struct"] },
    { name: "an array", hex: "01 5e 78 01", types: ["array"] },
    {
      name: "a group, counted one by one",
      hex: "02 4e 02 50 00 5f 00 4f 01 00 5f 01 7f 00 60 00 00",
      types: ["struct", "struct", { params: [], results: [] }],
    },
    { name: "an empty group", hex: "01 4e 00", types: [] },
  ])("reads $name", ({ hex, types }) => {
    expect(read(Uint8Array.fromHex(hex.replaceAll(" ", "")))).toEqual(types as never);
  });
});

describe("readTypes() errors", () => {
  test.each([
    { name: "an unknown form", hex: "01 5d", says: "type form 0x5d is not known" },
    { name: "an unknown heap type", hex: "01 60 01 64 68 00", says: "heap type 0x68 is not known" },
    { name: "no end", hex: "01 4e 02 60 00 00", says: "a type in the type section" },
    { name: "bytes too many", hex: "00 60", says: "1 bytes too many" },
  ])("refuses $name", ({ hex, says }) => {
    expect(() => read(Uint8Array.fromHex(hex.replaceAll(" ", "")))).toThrow(says);
  });

  test("refuses one type over the limit, in groups too", () => {
    const max = LIMITS.moduleTypesMax;
    expect(read(groups([max - 1, 1]))).toHaveLength(max);
    expect(() => read(groups([max - 1, 2]))).toThrow(`${max + 1} types: the limit is ${max}`);
  });
});

/** A section of groups of functions. */
function groups(sizes: readonly number[]): Uint8Array {
  return Uint8Array.from([sizes.length, ...sizes.flatMap(group)]);
}

function group(size: number): number[] {
  const functions = Array.from({ length: size }, () => [0x60, 0, 0]).flat();
  return [0x4e, ...encodeU32(size), ...functions];
}

function read(bytes: Uint8Array): CompositeType[] {
  return readTypes(
    new ByteReader(bytes, { start: 0, end: bytes.byteLength, where: "type section" }),
  );
}
