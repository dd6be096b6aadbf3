import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { CodeReader, readConstant, stepsFor } from "./code-reader.ts";
import { encodeU32 } from "./leb128.ts";
import { ModuleError } from "./module-error.ts";
import { IMMEDIATE, IMMEDIATES, OP, PREFIX, prefixed } from "./opcodes.ts";

/** One instruction of each form, with its length. */
const FORMS = [
  { name: "nop", hex: "01" },
  { name: "local.get, index of two bytes", hex: "20 8001", index: 128 },
  { name: "call, index padded to five bytes", hex: "10 8380808000", index: 3 },
  { name: "the largest index", hex: "10 ffffffff0f", index: 2 ** 32 - 1 },
  { name: "call_indirect", hex: "11 07 00", index: 7 },
  { name: "i32.load", hex: "28 02 10" },
  { name: "i32.load of another memory", hex: "28 42 01 10" },
  { name: "i32.const", hex: "41 7f" },
  { name: "i32.const, padded", hex: "41 ffffffff7f" },
  { name: "i64.const", hex: "42 80808080808080807f" },
  { name: "f32.const", hex: "43 0000803f" },
  { name: "f64.const", hex: "44 000000000000f03f" },
  { name: "block without a type", hex: "02 40" },
  { name: "block of a value", hex: "02 7f" },
  { name: "block of a reference to a type", hex: "02 63 8001" },
  { name: "block of a type", hex: "02 8001" },
  { name: "select with a type", hex: "1c 01 64 05" },
  { name: "ref.null of an abstract type", hex: "d0 70" },
  { name: "ref.null of a type", hex: "d0 8101" },
  { name: "memory.copy", hex: "fc 0a 00 00" },
  { name: "memory.copy, its number padded", hex: "fc 8a00 00 00" },
  { name: "i64.mul_wide_u", hex: "fc 16" },
  { name: "v128.const", hex: "fd 0c 000102030405060708090a0b0c0d0e0f" },
  { name: "v128.load8_lane", hex: "fd 54 00 00 03" },
  { name: "i8x16.extract_lane_s", hex: "fd 15 0f" },
  { name: "a relaxed instruction", hex: "fd 9302" },
  { name: "i32.atomic.rmw.add", hex: "fe 1e 02 00" },
  { name: "atomic.fence", hex: "fe 03 00" },
  { name: "struct.get", hex: "fb 02 05 01", index: 5 },
  { name: "br_on_cast", hex: "fb 18 03 02 6e 8001", index: 2 },
  { name: "ref.cast", hex: "fb 16 6b" },
];

describe("CodeReader", () => {
  test.each(FORMS)("reads $name to its end", ({ hex, index }) => {
    const bytes = Uint8Array.fromHex(`${hex.replaceAll(" ", "")}0b`);
    const code = new CodeReader(bytes);
    code.seek(0, bytes.byteLength);
    code.next();
    expect(code.at).toBe(bytes.byteLength - 1);
    if (index !== undefined) expect(code.index).toBe(index);
    code.next();
    expect(code.op).toBe(OP.end);
  });

  test.each(FORMS)("does not read $name when a byte is missing", ({ hex }) => {
    const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
    for (let end = 0; end < bytes.byteLength; end++) {
      for (const file of [bytes, bytes.subarray(0, end)]) {
        const code = new CodeReader(file);
        code.seek(0, end);
        expect(() => code.next()).toThrow(ModuleError);
      }
    }
  });

  test("numbers what stands behind a prefix apart", () => {
    const code = new CodeReader(Uint8Array.fromHex("fd8001"));
    code.seek(0, 3);
    code.next();
    expect(code.op).toBe(prefixed(PREFIX.simd, 0x80));
    expect(IMMEDIATES[code.op]).toBe(IMMEDIATE.none);
  });

  test("reads the labels of a br_table and the clauses of a try_table", () => {
    const code = new CodeReader(
      Uint8Array.fromHex("0e0203040b1f4003000102010103020b".replace("0b", "05")),
    );
    code.seek(0, code.bytes.byteLength);
    code.next();
    expect([code.index, code.label(), code.label(), code.label()]).toEqual([2, 3, 4, 5]);
    code.next();
    expect([code.op, code.index]).toEqual([OP.tryTable, 3]);
    expect([code.catchLabel(), code.catchLabel(), code.catchLabel()]).toEqual([2, 3, 0x0b]);
  });
});

describe("pass()", () => {
  const weights = new Uint8Array(prefixed(PREFIX.atomic + 1, 0)).fill(1);
  const marked = new Uint8Array(weights.length);
  marked[OP.end] = 1;
  marked[prefixed(PREFIX.numeric, 9)] = 1;
  const steps = stepsFor(weights, marked);

  test("stops behind a marked instruction, or when the weight is reached", () => {
    const code = new CodeReader(
      Uint8Array.fromHex("200120800120ffffffff0f28021028808001000101fc09030b"),
    );
    code.seek(0, code.bytes.byteLength);
    expect([code.pass(steps, 2), code.at]).toEqual([2, 5]);
    expect([code.pass(steps, 100), code.op, code.index]).toEqual([
      5,
      prefixed(PREFIX.numeric, 9),
      3,
    ]);
    expect([code.pass(steps, 100), code.op]).toEqual([0, OP.end]);
    expect(code.at).toBe(code.bytes.byteLength);
  });

  test.each(["", "01", "2001", "280210", "20", "2802", "4101", "41", "fc"])(
    "refuses code that does not end: %s",
    (hex) => {
      for (const tail of ["", "ff"]) {
        const bytes = Uint8Array.fromHex(hex + tail);
        const code = new CodeReader(bytes);
        code.seek(0, bytes.byteLength - tail.length / 2);
        expect(() => code.pass(steps, 100)).toThrow(ModuleError);
      }
    },
  );
});

describe("CodeReader errors", () => {
  test.each([
    { name: "an unknown opcode", hex: "27", says: "the instruction 0x27 is not known (at byte 0)" },
    { name: "an unknown number", hex: "fc20", says: "the instruction 0xfc20 is not known" },
    { name: "a number far beyond", hex: "fc8080808001", says: "0xfc8080808001 is not known" },
    { name: "a number of the next prefix", hex: "fb8004", says: "0xfb8004 is not known" },
    { name: "33 bits", hex: "20ffffffff1f", says: "does not fit into 32 bits" },
    { name: "an i32 of six bytes", hex: "41808080808000", says: "longer than 5 bytes" },
    { name: "two types of a select", hex: "1c027f7f", says: "2 types of select: the limit is 1" },
  ])("refuse $name", ({ hex, says }) => {
    const bytes = Uint8Array.fromHex(`${hex}0b0b0b0b0b0b0b`);
    const code = new CodeReader(bytes);
    code.seek(0, bytes.byteLength);
    expect(() => code.next()).toThrow(says);
  });

  test.each([
    { name: "br_table", opcode: [0x0e], max: LIMITS.moduleBranchTargetsMax },
    { name: "try_table", opcode: [0x1f, 0x40], max: LIMITS.moduleCatchesMax },
  ])("refuse a $name one over the limit", ({ opcode, max }) => {
    const read = (count: number): CodeReader => {
      const code = new CodeReader(Uint8Array.from([...opcode, ...encodeU32(count), 0]));
      code.seek(0, code.bytes.byteLength);
      code.next();
      return code;
    };
    expect(read(max).index).toBe(max);
    expect(() => read(max + 1)).toThrow(`the limit is ${max}`);
  });

  test("never are of another kind, whatever the bytes", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const code = new CodeReader(Uint8Array.of(first, second, 0xff, 0x80, 0x0b));
        code.seek(0, 5);
        try {
          for (let n = 0; n < 5; n++) code.next();
        } catch (error) {
          if (!(error instanceof ModuleError)) throw error;
        }
        expect(code.at).toBeLessThan(64);
      }
    }
  });
});

describe("readConstant()", () => {
  test("stops behind the end and tells the functions", () => {
    const taken: number[] = [];
    const code = new CodeReader(Uint8Array.fromHex("d205d2060b41"));
    code.seek(0, 6);
    readConstant(code, (index) => taken.push(index));
    expect([code.at, ...taken]).toEqual([5, 5, 6]);
  });

  test("refuses blocks", () => {
    const code = new CodeReader(Uint8Array.fromHex("02400b0b"));
    code.seek(0, 4);
    expect(() => readConstant(code, () => {})).toThrow("cannot have blocks");
  });
});
