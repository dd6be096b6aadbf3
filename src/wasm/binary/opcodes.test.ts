import { describe, expect, test } from "bun:test";
import { encodeU32 } from "./leb128.ts";
import { IMMEDIATE, IMMEDIATES, PREFIX, prefixed } from "./opcodes.ts";
import { SECTION } from "./sections.ts";
import { encodeSection, joinBytes } from "./writer.ts";

describe("IMMEDIATES", () => {
  test.each([
    { name: "without a prefix", prefix: 0, numbers: 256 },
    { name: "behind the prefix of GC", prefix: PREFIX.gc, numbers: 0x140 },
    { name: "behind the numeric prefix", prefix: PREFIX.numeric, numbers: 0x140 },
    { name: "behind the prefix of SIMD", prefix: PREFIX.simd, numbers: 0x140 },
    { name: "behind the prefix of atomics", prefix: PREFIX.atomic, numbers: 0x140 },
  ])("know the instructions that the engine knows, $name", ({ prefix, numbers }) => {
    const known = [];
    const expected = [];
    for (let number = 0; number < numbers; number++) {
      if (prefix === 0 && number >= PREFIX.gc && number <= PREFIX.atomic) continue;
      if (IMMEDIATES[prefixed(prefix, number)] !== IMMEDIATE.unknown) known.push(number);
      const opcode = prefix === 0 ? [number] : [prefix, ...encodeU32(number)];
      if (isKnownToEngine(opcode)) expected.push(number);
    }
    expect(known).toEqual(expected);
  });
});

/** Whether the engine complains about anything else than an opcode that it does not know. */
function isKnownToEngine(opcode: readonly number[]): boolean {
  const body = Uint8Array.from([0, 0x00, ...opcode, ...new Uint8Array(20), 0x0b]);
  const bytes = joinBytes([
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
    encodeSection(SECTION.type, Uint8Array.of(1, 0x60, 0, 0)),
    encodeSection(SECTION.function, Uint8Array.of(1, 0)),
    encodeSection(SECTION.memory, Uint8Array.of(1, 0, 1)),
    encodeSection(SECTION.code, joinBytes([Uint8Array.of(1, body.byteLength), body])),
  ]);
  try {
    return new WebAssembly.Module(bytes) instanceof WebAssembly.Module;
  } catch (error) {
    return !/invalid (?:opcode|extended)/.test(String(error));
  }
}
