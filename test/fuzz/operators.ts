/** Instructions by what they take and give, for the generator of random code. */
import type { Part } from "../support/wasm-bytes.ts";

export type Type = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref";

export const TYPE_CODES: Readonly<Record<Type, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};

export const ALL_TYPES = ["i32", "i64", "f32", "f64", "v128", "funcref", "externref"] as const;

export interface Operator {
  readonly takes: readonly Type[];
  readonly code: Part;
  /** Its NaN may be any NaN, so it is made the one before somebody sees its bits. */
  readonly vague: boolean;
}

function range(first: number, last: number, takes: readonly Type[], vague = false): Operator[] {
  return Array.from({ length: last - first + 1 }, (_, n) => {
    return { takes, code: first + n, vague };
  });
}

function saturating(first: number, takes: readonly Type[]): Operator[] {
  return [0, 1].map((n) => ({ takes, code: [0xfc, first + n], vague: false }));
}

/** Vector instructions whose results are exact: integers only. */
function vectors(takes: readonly Type[], ...opcodes: readonly number[]): Operator[] {
  return opcodes.map((opcode) => {
    const code = opcode < 0x80 ? [0xfd, opcode] : [0xfd, (opcode & 0x7f) | 0x80, opcode >> 7];
    return { takes, code, vague: false };
  });
}

export const OPERATORS: Readonly<Record<Type, readonly Operator[]>> = {
  i32: [
    ...range(0x45, 0x45, ["i32"]),
    ...range(0x46, 0x4f, ["i32", "i32"]),
    ...range(0x50, 0x50, ["i64"]),
    ...range(0x51, 0x5a, ["i64", "i64"]),
    ...range(0x5b, 0x60, ["f32", "f32"]),
    ...range(0x61, 0x66, ["f64", "f64"]),
    ...range(0x67, 0x69, ["i32"]),
    ...range(0x6a, 0x78, ["i32", "i32"]),
    ...range(0xa7, 0xa7, ["i64"]),
    ...range(0xa8, 0xa9, ["f32"]),
    ...range(0xbc, 0xbc, ["f32"]),
    ...range(0xc0, 0xc1, ["i32"]),
    ...saturating(0, ["f32"]),
    ...saturating(2, ["f64"]),
    ...vectors(["v128"], 83, 99, 100, 131, 163, 196),
  ],
  i64: [
    ...range(0x79, 0x7b, ["i64"]),
    ...range(0x7c, 0x8a, ["i64", "i64"]),
    ...range(0xac, 0xad, ["i32"]),
    ...range(0xb0, 0xb1, ["f64"]),
    ...range(0xbd, 0xbd, ["f64"]),
    ...range(0xc2, 0xc4, ["i64"]),
    ...saturating(4, ["f32"]),
    ...saturating(6, ["f64"]),
  ],
  f32: [
    ...range(0x8b, 0x8c, ["f32"]),
    ...range(0x8d, 0x91, ["f32"], true),
    ...range(0x92, 0x97, ["f32", "f32"], true),
    ...range(0x98, 0x98, ["f32", "f32"]),
    ...range(0xb2, 0xb3, ["i32"]),
    ...range(0xb4, 0xb5, ["i64"]),
    ...range(0xb6, 0xb6, ["f64"], true),
    ...range(0xbe, 0xbe, ["i32"]),
  ],
  f64: [
    ...range(0x99, 0x9a, ["f64"]),
    ...range(0x9b, 0x9f, ["f64"], true),
    ...range(0xa0, 0xa5, ["f64", "f64"], true),
    ...range(0xa6, 0xa6, ["f64", "f64"]),
    ...range(0xb7, 0xb8, ["i32"]),
    ...range(0xb9, 0xba, ["i64"]),
    ...range(0xbb, 0xbb, ["f32"], true),
    ...range(0xbf, 0xbf, ["i64"]),
  ],
  v128: [
    ...vectors(["i32"], 15, 16, 17),
    ...vectors(["i64"], 18),
    ...vectors(["v128"], 77, 96, 97, 98, 128, 137, 160, 167, 192, 199),
    ...vectors(["v128", "v128"], 14, 35, 40, 55, 78, 80, 81, 101, 110, 111, 133, 147, 149, 174),
    ...vectors(["v128", "v128"], 181, 186, 188, 206, 213, 214, 219),
    ...vectors(["v128", "i32"], 107, 140, 173, 203),
    ...vectors(["v128", "v128", "v128"], 82),
  ],
  funcref: [],
  externref: [],
};

export interface Access {
  readonly code: Part;
  readonly type: Type;
  /** log2 of how many bytes. */
  readonly align: number;
}

function accesses(first: number, list: readonly (readonly [Type, number])[]): Access[] {
  return list.map(([type, align], n) => ({ code: first + n, type, align }));
}

export const LOADS: readonly Access[] = [
  ...accesses(0x28, [
    ["i32", 2],
    ["i64", 3],
    ["f32", 2],
    ["f64", 3],
    ["i32", 0],
    ["i32", 0],
  ]),
  ...accesses(0x2e, [
    ["i32", 1],
    ["i32", 1],
    ["i64", 0],
    ["i64", 0],
    ["i64", 1],
    ["i64", 1],
  ]),
  ...accesses(0x34, [
    ["i64", 2],
    ["i64", 2],
  ]),
  { code: [0xfd, 0], type: "v128", align: 4 },
  { code: [0xfd, 1], type: "v128", align: 3 },
  { code: [0xfd, 8], type: "v128", align: 1 },
  { code: [0xfd, 93], type: "v128", align: 3 },
];

export const STORES: readonly Access[] = [
  ...accesses(0x36, [
    ["i32", 2],
    ["i64", 3],
    ["f32", 2],
    ["f64", 3],
    ["i32", 0],
    ["i32", 1],
  ]),
  ...accesses(0x3c, [
    ["i64", 0],
    ["i64", 1],
    ["i64", 2],
  ]),
  { code: [0xfd, 11], type: "v128", align: 4 },
];
