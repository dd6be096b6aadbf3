import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { ModuleError } from "./module-error.ts";
import { type FunctionType, readOutline, renderType } from "./outline.ts";

// Modules typed by hand from the specification's binary format.
const HEADER = "0061736d 01000000";
//                    id size  n  func 2 i32 i64 1 i32   func 0 0
const TYPES = "01 0a 02 60 02 7f 7e 01 7f 60 00 00";
//                      n  3 "env"    1 "f" func type 0
const IMPORTS = "02 09 01 03 656e76 01 66 00 00";
//                        n  type 1
const FUNCTIONS = "03 02 01 01";
//                     n  min 1, max 2
const MEMORY = "05 04 01 01 01 02";
//                      n  1 "m" memory 0   1 "g" function 1
const EXPORTS = "07 09 02 01 6d 02 00 01 67 00 01";
const START = "08 01 01";
//                   n  size 2: 0 locals, end
const CODE = "0a 04 01 02 00 0b";

describe("readOutline()", () => {
  test("reads an empty module", () => {
    expect(readOutline(hex(HEADER))).toMatchObject({
      byteLength: 8,
      imports: [],
      exports: [],
      memory: undefined,
      startFunction: undefined,
    });
  });

  test("reads types, imports, exports, memory and start", () => {
    const bytes = hex(HEADER, TYPES, IMPORTS, FUNCTIONS, MEMORY, EXPORTS, START, CODE);
    expect(WebAssembly.validate(bytes)).toBe(true); // The engine agrees that this is a module.
    const outline = readOutline(bytes);
    const imported: FunctionType = { params: ["i32", "i64"], results: ["i32"] };
    expect(outline.imports).toEqual([
      { module: "env", name: "f", kind: "function", type: imported },
    ]);
    expect(outline.exports).toEqual([
      { name: "m", kind: "memory", type: undefined },
      { name: "g", kind: "function", type: { params: [], results: [] } },
    ]);
    expect(outline.memory).toEqual({ pagesMin: 1, pagesMax: 2 });
    expect(outline.startFunction).toBe(1);
  });

  test("reads imports of every kind", () => {
    //      n   1a 1b table funcref min 0 │ memory min 1 │ global i32 var │ tag, type 0
    const imports =
      "02 1e 04 01 61 01 62 01 70 00 00 01 61 01 62 02 00 01" +
      "01 61 01 62 03 7f 01 01 61 01 62 04 00 00";
    const kinds = readOutline(hex(HEADER, "01 04 01 60 00 00", imports)).imports;
    expect(kinds.map((each) => each.kind)).toEqual(["table", "memory", "global", "tag"]);
  });

  test("passes over custom sections wherever they stand", () => {
    const custom = "00 03 01 61 ff";
    const bytes = hex(HEADER, custom, TYPES, custom, IMPORTS, custom);
    expect(readOutline(bytes).imports).toHaveLength(1);
  });
});

describe("readOutline() errors", () => {
  test.each([
    { name: "no bytes", bytes: "", code: "NOT_WASM", says: "the file is empty" },
    {
      name: "text",
      bytes: "2f2f20686921",
      code: "NOT_WASM",
      says: "but with 2f2f2068 (at byte 0)",
    },
    { name: "half a magic number", bytes: "0061", code: "TRUNCATED", says: "header" },
    { name: "version 2", bytes: "0061736d 02000000", code: "NOT_WASM", says: "02000000" },
    { name: "a component", bytes: "0061736d 0d000100", code: "NOT_WASM", says: "component" },
    { name: "section 14", bytes: `${HEADER} 0e 00`, code: "MALFORMED", says: "id 14 (at byte 8)" },
    { name: "no section size", bytes: `${HEADER} 01`, code: "TRUNCATED", says: "size of the type" },
    {
      name: "a section longer than the file",
      bytes: `${HEADER} 01 05 01`,
      code: "TRUNCATED",
      says: "type section: it claims 5 bytes, the file has 1 left (at byte 8)",
    },
    {
      name: "a repeated section",
      bytes: `${HEADER} 01 01 00 01 01 00`,
      code: "MALFORMED",
      says: "type section is repeated or out of order (at byte 11)",
    },
    {
      name: "sections out of order",
      bytes: `${HEADER} 03 01 00 01 01 00`,
      code: "MALFORMED",
      says: "out of order",
    },
    {
      name: "a count that cannot be true",
      bytes: `${HEADER} 01 05 ffffffff0f`,
      code: "MALFORMED",
      says: "4294967295 types claimed, at most 0 fit (at byte 10)",
    },
    {
      name: "bytes behind a vector",
      bytes: `${HEADER} 01 02 00 00`,
      code: "MALFORMED",
      says: "type section: 1 bytes too many (at byte 11)",
    },
    {
      name: "a form of type that is not known",
      bytes: `${HEADER} 01 03 01 5d 00`,
      code: "UNSUPPORTED",
      says: "0x5d",
    },
    {
      name: "an unknown value type",
      bytes: `${HEADER} 01 05 01 60 01 65 00`,
      code: "UNSUPPORTED",
      says: "0x65",
    },
    {
      name: "an import of a type that is not there",
      bytes: `${HEADER} 02 07 01 01 61 01 62 00 09`,
      code: "MALFORMED",
      says: "type 9 does not exist, there are 0",
    },
    {
      name: "a name that is not UTF-8",
      bytes: `${HEADER} 02 07 01 01 ff 01 62 00 09`,
      code: "MALFORMED",
      says: "an import's module: it is not UTF-8",
    },
    {
      name: "a name longer than its section",
      bytes: `${HEADER} 02 03 01 70 61 0a 00`,
      code: "MALFORMED",
      says: "the section ends",
    },
    {
      name: "a kind that is not known",
      bytes: `${HEADER} 07 05 01 01 61 05 00`,
      code: "MALFORMED",
      says: "kind 5",
    },
    {
      name: "an export of a function that is not there",
      bytes: `${HEADER} 07 05 01 01 61 00 03`,
      code: "MALFORMED",
      says: 'export "a" is function 3, there are 0',
    },
    {
      name: "a start function that is not there",
      bytes: `${HEADER} 08 01 00`,
      code: "MALFORMED",
      says: "function 0 cannot be the start function",
    },
    {
      name: "a shared memory",
      bytes: `${HEADER} 05 04 01 03 01 01`,
      code: "UNSUPPORTED",
      says: "shared and 64-bit",
    },
    {
      name: "two memories",
      bytes: `${HEADER} 05 05 02 00 01 00 01`,
      code: "UNSUPPORTED",
      says: "several memories",
    },
    {
      name: "functions without code",
      bytes: `${HEADER} 01 04 01 60 00 00 03 02 01 00`,
      code: "TRUNCATED",
      says: "code section: 1 functions are declared and the file ends",
    },
  ])("refuses $name", ({ bytes, code, says }) => {
    const error = refusal(hex(bytes));
    expect<string>(error.code).toBe(code);
    expect(error.message).toContain(says);
  });

  test("refuses every shorter piece of a module with an error of its own kind", () => {
    const whole = hex(HEADER, TYPES, IMPORTS, FUNCTIONS, MEMORY, EXPORTS, START, CODE);
    for (let end = 0; end < whole.byteLength; end++) {
      const piece = whole.slice(0, end);
      // A piece may end between two sections and be a whole module again.
      if (WebAssembly.validate(piece)) continue;
      expect(refusal(piece)).toBeInstanceOf(ModuleError);
    }
  });

  test("refuses more bytes than a module may have, without reading them", () => {
    const error = refusal(new Uint8Array(LIMITS.moduleBytesMax + 1));
    expect(error.code).toBe("TOO_LARGE");
    expect(error.message).toContain(`${LIMITS.moduleBytesMax + 1} bytes`);
  });

  test("never throws anything else, whatever single byte is wrong", () => {
    const whole = hex(HEADER, TYPES, IMPORTS, FUNCTIONS, MEMORY, EXPORTS, START, CODE);
    for (let at = 0; at < whole.byteLength; at++) {
      for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const broken = whole.slice();
        broken[at] = byte;
        try {
          readOutline(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(ModuleError);
        }
      }
    }
  });
});

describe("renderType()", () => {
  test("shows parameters and results", () => {
    expect(renderType({ params: ["i32", "i64"], results: ["i32"] })).toBe("(i32, i64) -> i32");
    expect(renderType({ params: [], results: [] })).toBe("() -> ()");
  });
});

function hex(...parts: string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(parts.join("").replaceAll(" ", ""));
}

function refusal(bytes: Uint8Array): ModuleError {
  try {
    readOutline(bytes);
  } catch (error) {
    if (error instanceof ModuleError) return error;
    throw error;
  }
  throw new Error("the bytes were accepted");
}
