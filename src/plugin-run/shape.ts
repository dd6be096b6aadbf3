import type { TracedMemory } from "../filter/guest-trace.ts";
import { decodePairs } from "../abi/proxy-wasm/pairs.ts";
import type { Pairs, Value, Values } from "./transcript.ts";
import { numberOf, wordOf, type Vocabulary } from "./words.ts";

/**
 * How the parameters of a function are read, as the ABI means them. Written as text:
 *
 *   "map key:text > value:bytes = status"      fields in, fields out, result; NAME:TYPE or TYPE
 *
 * A field takes as many parameters as its type needs: a text two (address, length), a number one.
 * An out field is where the host writes: `bytes` are two addresses (of an address, of a length),
 * `u32` is one; `fill` and `upto` are memory of the guest's (address, length).
 */
export interface Shape {
  readonly ins: readonly Field[];
  readonly outs: readonly Field[];
  readonly result: FieldType | "void";
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Index of its first parameter. */
  readonly at: number;
}

/** Parameters that a type takes. */
const WIDTHS = {
  i32: 1,
  u32: 1,
  bool: 1,
  i64: 1,
  u64: 1,
  text: 2,
  bytes: 2,
  pairs: 2,
  iovecs: 2,
  /** Memory that is filled to its end. */
  fill: 2,
  /** Memory of which as much is written as the result says, if that fits. */
  upto: 2,
  /** An address that means nothing to a reader. */
  hidden: 1,
  status: 1,
  errno: 1,
  action: 1,
  level: 1,
  severity: 1,
  buffer: 1,
  map: 1,
  stream: 1,
  metric: 1,
  kind: 1,
} as const;

export type FieldType = keyof typeof WIDTHS;

const PLAIN: ReadonlySet<string> = new Set(["text", "bytes", "pairs", "iovecs", "fill", "upto"]);

/** True for what is bytes of the guest's or the host's, and false for words and numbers. */
export function isText(type: FieldType | "void"): boolean {
  return PLAIN.has(type);
}

export function shape(text: string): Shape {
  const [fields = "", result = "status"] = text.split("=").map((part) => part.trim());
  const [ins = "", outs = ""] = fields.split(">");
  let at = 0;
  const read = (list: string): Field[] =>
    list
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => {
        const [name = "", type = name] = word.split(":");
        const field = { name, type: type as FieldType, at };
        at += WIDTHS[field.type];
        return field;
      });
  return { ins: read(ins), outs: read(outs), result: result as FieldType | "void" };
}

/** How many parameters the function of that shape has. */
export function paramsOf({ ins, outs }: Shape): number {
  return [...ins, ...outs].reduce((sum, { type }) => sum + WIDTHS[type], 0);
}

export type Args = readonly (number | bigint)[];

/** What the guest hands over. */
export function readIns({ ins }: Shape, args: Args, memory: TracedMemory): Values {
  const values: Record<string, Value> = {};
  for (const { name, type, at } of ins) {
    if (type === "hidden") continue;
    const first = args[at] ?? 0;
    const second = Number(args[at + 1] ?? 0);
    if (type === "pairs") values[name] = pairsAt(memory, Number(first), second);
    else if (type === "iovecs") values[name] = iovecsAt(memory, Number(first), second);
    else if (isText(type)) values[name] = textAt(memory, Number(first), second);
    else values[name] = scalar(type, first);
  }
  return values;
}

/** What has been written into the guest's memory; call it only when the function has succeeded. */
export function readOuts(
  { outs }: Shape,
  args: Args,
  memory: TracedMemory,
  result: number | bigint | void,
): Values {
  const values: Record<string, Value> = {};
  for (const { name, type, at } of outs) {
    if (type === "hidden") continue;
    const first = Number(args[at] ?? 0);
    const second = Number(args[at + 1] ?? 0);
    if (type === "fill") values[name] = textAt(memory, first, second);
    else if (type === "upto") values[name] = textAt(memory, first, written(second, result));
    else if (type === "u64" || type === "i64") values[name] = wideAt(memory, first);
    else if (type === "bytes" || type === "pairs") {
      const ptr = memory.readU32(first) ?? 0;
      const byteLength = memory.readU32(second) ?? 0;
      values[name] =
        type === "bytes" ? textAt(memory, ptr, byteLength) : pairsAt(memory, ptr, byteLength);
    } else values[name] = scalar(type, memory.readU32(first) ?? 0);
  }
  return values;
}

export function readResult({ result }: Shape, value: number | bigint | undefined | void): Value {
  if (result === "void" || value === undefined) return null;
  return scalar(result, value);
}

/** The number that stands for a value: the reverse of what readIns() and readResult() do. */
export function toNumber(type: FieldType | "void", value: Value | undefined): number | bigint {
  if (type === "void" || value === null || value === undefined) return 0;
  if (type === "i64" || type === "u64") return BigInt(value as string);
  if (typeof value === "string") return numberOf(type as Vocabulary, value);
  return Number(value);
}

function scalar(type: FieldType, value: number | bigint): Value {
  if (type === "u64") return String(BigInt.asUintN(64, BigInt(value)));
  if (type === "i64") return String(BigInt.asIntN(64, BigInt(value)));
  if (type === "i32") return Number(value) | 0;
  if (type === "u32") return Number(value) >>> 0;
  if (type === "bool") return value !== 0;
  return wordOf(type as Vocabulary, Number(value) | 0);
}

/** Of the length that a result tells in its low half: nothing is written when it does not fit. */
function written(lengthMax: number, result: number | bigint | void): number {
  const told = Number(BigInt.asUintN(32, BigInt(result ?? 0)));
  return told > lengthMax >>> 0 ? 0 : told;
}

function textAt(memory: TracedMemory, ptr: number, byteLength: number): string | null {
  const bytes = memory.read(ptr, byteLength);
  return bytes === undefined ? null : Buffer.from(bytes).toString("latin1");
}

/** Pairs that are malformed come as the text that they are. */
function pairsAt(memory: TracedMemory, ptr: number, byteLength: number): Pairs | string | null {
  const bytes = memory.read(ptr, byteLength);
  if (bytes === undefined) return null;
  const pairs = decodePairs(bytes);
  if (pairs === undefined) return Buffer.from(bytes).toString("latin1");
  return pairs.names.map((name, index) => [name, pairs.values[index] ?? ""] as const);
}

/** count; as many as WASI's fd_write takes. */
const IOVECS_MAX = 1024;

function iovecsAt(memory: TracedMemory, ptr: number, count: number): string | null {
  let text = "";
  for (let index = 0; index < Math.min(count >>> 0, IOVECS_MAX); index++) {
    const at = (ptr >>> 0) + 8 * index;
    const piece = textAt(memory, memory.readU32(at) ?? 0, memory.readU32(at + 4) ?? 0);
    if (piece === null || !memory.contains(at, 8)) return null;
    text += piece;
  }
  return text;
}

function wideAt(memory: TracedMemory, ptr: number): string | null {
  const bytes = memory.read(ptr, 8);
  return bytes === undefined ? null : String(Buffer.from(bytes).readBigUInt64LE());
}
