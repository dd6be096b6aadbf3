/**
 * A script that runs every vector instruction. Nothing is expected of the results but that they
 * are the same whatever the module was rewritten with: the point is that each is read rightly.
 */
import { body, name, section, signature, u32, vec, wasm } from "../support/wasm-bytes.ts";
import type { Part } from "../support/wasm-bytes.ts";
import type { Command, NumberType, Script, Value } from "./script.ts";

/**
 * "vv>v" for each range of opcodes; v: v128, i: i32, l: i64, f: f32, d: f64. Relaxed instructions
 * may answer one thing now and another when they are compiled anew (JavaScriptCore does), except
 * on r (small numbers) and m (lanes all zero or all one).
 */
const SHAPES: readonly (readonly [string, ...(number | readonly [number, number])[]])[] = [
  ["v>v", 77, [94, 98], [103, 106], 116, 117, 122, [124, 129], [135, 138], 148, 160, 161],
  ["v>v", [167, 170], 192, 193, [199, 202], 224, 225, 227, 236, 237, 239, [248, 255]],
  ["vv>v", 14, [35, 76], [78, 81], 101, 102, [110, 115], [118, 121], 123, 130, 133, 134],
  ["vv>v", [142, 147], [149, 153], [155, 159], 174, 177, [181, 186], [188, 191], 206, 209],
  ["vv>v", [213, 223], [228, 235], [240, 247]],
  ["vvv>v", 82],
  ["rr>v", 256, [269, 274]],
  ["r>v", [257, 260]],
  ["rrr>v", [261, 264], 275],
  ["rrm>v", [265, 268]],
  ["v>i", 83, 99, 100, 131, 132, 163, 164, 195, 196],
  ["vi>v", [107, 109], [139, 141], [171, 173], [203, 205]],
  ["i>v", [15, 17]],
  ["l>v", 18],
  ["f>v", 19],
  ["d>v", 20],
];

/** Instructions with a lane: opcode, shape, how many lanes there are. */
const LANES: readonly (readonly [number, string, number])[] = [
  [21, "v>i", 16],
  [22, "v>i", 16],
  [23, "vi>v", 16],
  [24, "v>i", 8],
  [25, "v>i", 8],
  [26, "vi>v", 8],
  [27, "v>i", 4],
  [28, "vi>v", 4],
  [29, "v>l", 2],
  [30, "vl>v", 2],
  [31, "v>f", 4],
  [32, "vf>v", 4],
  [33, "v>d", 2],
  [34, "vd>v", 2],
];

/** Loads and stores: opcode, shape, log2 of the width, lanes (0: no lane). */
const MEMORY: readonly (readonly [number, string, number, number])[] = [
  [0, "i>v", 4, 0],
  [1, "i>v", 3, 0],
  [2, "i>v", 3, 0],
  [3, "i>v", 3, 0],
  [4, "i>v", 3, 0],
  [5, "i>v", 3, 0],
  [6, "i>v", 3, 0],
  [7, "i>v", 0, 0],
  [8, "i>v", 1, 0],
  [9, "i>v", 2, 0],
  [10, "i>v", 3, 0],
  [11, "iv>", 4, 0],
  [84, "iv>v", 0, 16],
  [85, "iv>v", 1, 8],
  [86, "iv>v", 2, 4],
  [87, "iv>v", 3, 2],
  [88, "iv>", 0, 16],
  [89, "iv>", 1, 8],
  [90, "iv>", 2, 4],
  [91, "iv>", 3, 2],
  [92, "i>v", 2, 0],
  [93, "i>v", 3, 0],
];

const TYPES: Readonly<Record<string, { type: NumberType; code: number; values: bigint[] }>> = {
  v: {
    type: "v128",
    code: 0x7b,
    values: [
      0n,
      0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n,
      0xff80_7f01_8000_7fff_8000_0000_7fff_ffffn,
      0x7fc0_0000_ff80_0000_3fc0_0000_bf80_0001n,
      0x7ff8_0000_0000_0000_c000_0000_0000_0001n,
      0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffffn,
    ],
  },
  r: { type: "v128", code: 0x7b, values: [0n, 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n] },
  m: { type: "v128", code: 0x7b, values: [0n, (1n << 128n) - 1n, (1n << 64n) - 1n] },
  i: { type: "i32", code: 0x7f, values: [0n, 3n, 65n, 0xffff_ffffn] },
  l: { type: "i64", code: 0x7e, values: [0x0123_4567_89ab_cdefn] },
  f: { type: "f32", code: 0x7d, values: [0x3fc0_0000n, 0x7fa0_0001n] },
  d: { type: "f64", code: 0x7c, values: [0xbff8_0000_0000_0000n] },
};

const PAGE_BYTES = 65_536;

interface Vector {
  readonly key: string;
  readonly shape: string;
  readonly code: Part;
  /** Of loads and stores: the first byte behind those that address 0 reaches. */
  readonly end?: number;
}

export function vectorScript(): Script {
  const all = [...plain(), ...lanes(), ...memory(), ...constants()];
  const types = all.map(({ shape }) => {
    const [params = "", results = ""] = shape.split(">");
    return signature(codesOf(params), codesOf(results));
  });
  const bytes = wasm(
    section(1, vec(types)),
    section(3, vec(all.map((_, n) => u32(n)))),
    section(5, vec([[1, 1, 1]])),
    section(7, vec(all.map(({ key }, n) => [name(key), 0, u32(n)]))),
    section(10, vec(all.map(bodyOf))),
  );
  const module: Command = { line: 0, kind: "module", name: undefined, bytes };
  const calls = all.flatMap(({ key, shape, end }, line): Command[] =>
    inputsOf(shape.split(">")[0] ?? "").map((args) => {
      const [address] = args;
      const outside = end !== undefined && address !== undefined && "bits" in address;
      const traps = outside && Number(address.bits) + end > PAGE_BYTES;
      const action = { kind: "invoke", module: undefined, field: key, args } as const;
      return { line, kind: traps ? "trap" : "action", action };
    }),
  );
  return { name: "vectors", commands: [module, ...calls] };
}

function codesOf(letters: string): number[] {
  return Array.from(letters, (letter) => TYPES[letter]?.code ?? 0);
}

function inputsOf(letters: string): Value[][] {
  let inputs: Value[][] = [[]];
  for (const letter of letters) {
    const { type, values } = TYPES[letter] ?? { type: "i32", values: [] };
    inputs = inputs.flatMap((before) => values.map((bits) => [...before, { type, bits }]));
  }
  return inputs;
}

function bodyOf({ shape, code }: Vector): Part {
  const count = shape.indexOf(">");
  return body([Array.from({ length: count }, (_, n) => [0x20, n]), code]);
}

function plain(): Vector[] {
  return SHAPES.flatMap(([shape, ...ranges]) =>
    ranges.flatMap((range) => {
      const [first, last] = typeof range === "number" ? [range, range] : range;
      return Array.from({ length: last - first + 1 }, (_, n) => {
        return { key: `op ${first + n}`, shape, code: [0xfd, u32(first + n)] };
      });
    }),
  );
}

function lanes(): Vector[] {
  return LANES.flatMap(([opcode, shape, count]) =>
    Array.from({ length: count }, (_, lane) => {
      return { key: `op ${opcode} lane ${lane}`, shape, code: [0xfd, u32(opcode), lane] };
    }),
  );
}

/** Each aligned and not, near and far, at its first lane and at its last. */
function memory(): Vector[] {
  return MEMORY.flatMap(([opcode, shape, align, count]) =>
    [
      { at: 0, log2: align, lane: 0 },
      { at: 0x0b0b, log2: 0, lane: count - 1 },
      { at: 65_532, log2: 0, lane: count - 1 },
    ].map(({ at, log2, lane }) => {
      const place = [u32(log2), u32(at), count === 0 ? [] : lane];
      const code = [0xfd, u32(opcode), place];
      return { key: `op ${opcode} at ${at}`, shape, code, end: at + 2 ** align };
    }),
  );
}

/** Immediates full of what would be instructions if they were read a byte too early or too late. */
function constants(): Vector[] {
  return [0x00, 0x0b, 0x03, 0x10, 0x40, 0xfd, 0xff].flatMap((byte) => [
    { key: `const ${byte}`, shape: ">v", code: [0xfd, 12, Array(16).fill(byte)] },
    { key: `shuffle ${byte}`, shape: "vv>v", code: [0xfd, 13, Array(16).fill(byte % 32)] },
  ]);
}
