/**
 * Which instructions there are and what follows their opcodes: all that the engine takes.
 *
 *   20 05          local.get 5          one byte of opcode, an index
 *   fc 0a 00 00    memory.copy          a prefix, its number as a u32, two indices
 *
 * An instruction is numbered by its byte, or behind one of the prefixes by prefixed(): the numbers
 * lie close together, because every process fills tables of all of them before it serves.
 */

/** Forms of what follows an opcode. */
export const IMMEDIATE = {
  none: 0,
  /** u32 */
  index: 1,
  /** u32 u32 */
  indices: 2,
  /** alignment, memory when its bit 6 is set, offset */
  memory: 3,
  /** the same and a lane */
  memoryLane: 4,
  byte: 5,
  bytes4: 6,
  bytes8: 7,
  bytes16: 8,
  /** signed LEB128 of 32 bits */
  signed32: 9,
  signed64: 10,
  /** empty, a value type, or a type's index */
  blockType: 11,
  /** a vector of labels and one more */
  labels: 12,
  /** a vector of value types */
  types: 13,
  heapType: 14,
  /** flags, label, two heap types */
  castBranch: 15,
  /** block type, a vector of catch clauses */
  tryTable: 16,
  unknown: 255,
} as const;

export const PREFIX = { gc: 0xfb, numeric: 0xfc, simd: 0xfd, atomic: 0xfe } as const;

/** Numbers behind a prefix are below this. */
export const PREFIXED_MAX = 0x200;

/** The first prefix has the second PREFIXED_MAX numbers. */
const PREFIX_BASE = PREFIX.gc - 1;

/** @param prefix 0: none */
export function prefixed(prefix: number, number: number): number {
  return prefix === 0 ? number : ((prefix - PREFIX_BASE) * PREFIXED_MAX) | number;
}

/** Numbers of instructions are below this. */
export const OPS = prefixed(PREFIX.atomic + 1, 0);

/** The instructions that a rewriter has to know one by one. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  tryTable: 0x1f,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  refFunc: 0xd2,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  arrayNew: prefixed(PREFIX.gc, 0x06),
  arrayNewDefault: prefixed(PREFIX.gc, 0x07),
  arrayNewData: prefixed(PREFIX.gc, 0x09),
  arrayNewElem: prefixed(PREFIX.gc, 0x0a),
  arrayFill: prefixed(PREFIX.gc, 0x10),
  arrayCopy: prefixed(PREFIX.gc, 0x11),
  arrayInitData: prefixed(PREFIX.gc, 0x12),
  arrayInitElem: prefixed(PREFIX.gc, 0x13),
  brOnCast: prefixed(PREFIX.gc, 0x18),
  brOnCastFail: prefixed(PREFIX.gc, 0x19),
  memoryInit: prefixed(PREFIX.numeric, 0x08),
  dataDrop: prefixed(PREFIX.numeric, 0x09),
  memoryCopy: prefixed(PREFIX.numeric, 0x0a),
  memoryFill: prefixed(PREFIX.numeric, 0x0b),
  tableInit: prefixed(PREFIX.numeric, 0x0c),
  elemDrop: prefixed(PREFIX.numeric, 0x0d),
  tableCopy: prefixed(PREFIX.numeric, 0x0e),
  tableGrow: prefixed(PREFIX.numeric, 0x0f),
  tableFill: prefixed(PREFIX.numeric, 0x11),
} as const;

/** By prefix (0: none) and form, numbers in hexadecimal; a later form overrides an earlier one. */
const FORMS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  0: {
    none: "0-1 5 a-b f 19-1b 45-c4 d1 d3-d4",
    index: "7-9 c-d 10 12 14-15 18 20-26 3f-40 d2 d5-d6",
    indices: "11 13",
    memory: "28-3e",
    blockType: "2-4 6",
    labels: "e",
    types: "1c",
    tryTable: "1f",
    signed32: "41",
    signed64: "42",
    bytes4: "43",
    bytes8: "44",
    heapType: "d0",
  },
  [PREFIX.gc]: {
    none: "f 1a-1e",
    index: "0-1 6-7 b-e 10",
    indices: "2-5 8-a 11-13",
    heapType: "14-17",
    castBranch: "18-19",
  },
  [PREFIX.numeric]: {
    none: "0-7 13-16",
    index: "9 b d f-11",
    indices: "8 a c e",
  },
  [PREFIX.simd]: {
    none: "e-14 23-53 5e-99 9b-a1 a3-a4 a7-ae b1 b5-ba bc-c1 c3-c4 c7-ce d1 d5-e1 e3-ed ef-113",
    memory: "0-b 5c-5d",
    memoryLane: "54-5b",
    bytes16: "c-d",
    byte: "15-22",
  },
  [PREFIX.atomic]: { memory: "0-2 10-4e", byte: "3" },
};

/** Form of what follows, by instruction. */
export const IMMEDIATES: Readonly<Uint8Array> = immediates();

function immediates(): Uint8Array {
  const table = new Uint8Array(OPS).fill(IMMEDIATE.unknown);
  for (const prefix of [0, ...Object.values(PREFIX)]) {
    for (const [form, ranges] of Object.entries(FORMS[prefix] ?? {})) {
      for (const range of ranges.split(" ")) {
        const [first = "", last = first] = range.split("-");
        const start = prefixed(prefix, Number.parseInt(first, 16));
        const end = prefixed(prefix, Number.parseInt(last, 16));
        table.fill(IMMEDIATE[form as keyof typeof IMMEDIATE], start, end + 1);
      }
    }
  }
  return table;
}
