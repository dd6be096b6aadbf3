/** Pieces of random code that need little of what stands around them. */
import type { Random } from "../support/random.ts";
import { type Part, sleb, u32 } from "../support/wasm-bytes.ts";
import { type Type, TYPE_CODES } from "./operators.ts";
import type { Shape } from "./shape.ts";

const NOP = 0x01;
const END = 0x0b;
const EMPTY = 0x40;
const FLOATS = [0, -0, 1, -1.5, 2.75, 1e30, -1e-30, 5e-324, 4294967296, Infinity, -Infinity, NaN];

export function floatBytes(width: 4 | 8, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(width));
  if (width === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}

export function constant(random: Random, type: Type, functions: number): Part {
  switch (type) {
    case "i32":
      return [0x41, sleb(random.oneIn(2) ? random.below(20) - 4 : random.bits() | 0)];
    case "i64": {
      const scale = random.oneIn(2) ? 1 : 0x1_0000_0001;
      return [0x42, sleb(BigInt(random.bits() | 0) * BigInt(scale))];
    }
    case "f32":
      return [0x43, floatBytes(4, random.pick(FLOATS))];
    case "f64":
      return [0x44, floatBytes(8, random.pick(FLOATS))];
    case "v128":
      return [0xfd, 12, random.list(16, () => random.below(256))];
    case "funcref":
      return random.oneIn(3) ? [0xd0, TYPE_CODES.funcref] : [0xd2, u32(random.below(functions))];
    case "externref":
      return [0xd0, TYPE_CODES.externref];
    default:
      return type satisfies never;
  }
}

/**
 * Code that takes from a stack that nobody filled, which is valid where nothing is reached.
 * @param context free: the innermost label takes nothing along; memory: there is one
 */
export function dead(random: Random, context: { free: boolean; memory: boolean }): Part {
  const choices: Part[] = [
    [],
    [0x6a, 0x1a],
    [0x1a, 0x1a],
    [0x1b, 0x1a],
    [0x7c, 0xa7, 0x04, EMPTY, 0x05, END],
    [0x03, EMPTY, 0x0c, 0, END],
  ];
  if (context.free) choices.push([0x0d, 0]);
  if (context.memory) choices.push([0x28, 2, 0, 0x1a]);
  return random.pick(choices);
}

/** How a generator makes what instructions take. */
export interface Operands {
  readonly value: (type: Type) => Part;
  /** Mostly within a small table. */
  readonly index: () => Part;
  /** Mostly within the first page. */
  readonly address: () => Part;
}

/** Instructions on many bytes or entries at once, and those on one entry of a table. */
export function bulk(random: Random, shape: Shape, operands: Operands): Part {
  return random.oneIn(2) ? onMemory(random, shape, operands) : onTable(random, shape, operands);
}

function onMemory(random: Random, { memory, data }: Shape, operands: Operands): Part {
  if (memory === undefined) return NOP;
  const { value, address } = operands;
  const length: Part = random.oneIn(6) ? value("i32") : [0x41, random.below(40)];
  const choice = random.below(5);
  if (choice === 0) return [address(), value("i32"), length, 0xfc, 11, 0];
  if (choice < 3) return [address(), address(), length, 0xfc, 10, 0, 0];
  if (data.length === 0) return NOP;
  const segment = u32(random.below(data.length));
  if (choice === 3) return [address(), 0x41, random.below(4), length, 0xfc, 8, segment, 0];
  return random.oneIn(3) ? [0xfc, 9, segment] : NOP;
}

function onTable(random: Random, { tables, elements }: Shape, operands: Operands): Part {
  if (tables.length === 0) return NOP;
  const { value, index } = operands;
  const table = random.below(tables.length);
  const type = tables[table]?.type ?? "funcref";
  const few: Part = [0x41, random.below(4)];
  const choice = random.below(4);
  if (choice === 0) return [index(), value(type), 0x26, u32(table)];
  if (choice === 1) return [index(), value(type), few, 0xfc, 17, u32(table)];
  if (choice === 2) return [index(), index(), few, 0xfc, 14, u32(table), u32(table)];
  if (elements.length === 0 || type !== "funcref") return NOP;
  const segment = u32(random.below(elements.length));
  if (random.oneIn(4)) return [0xfc, 13, segment];
  return [index(), 0x41, random.below(3), few, 0xfc, 12, segment, u32(table)];
}
