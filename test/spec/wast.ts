/** Scripts as text: the .wast files of corpus/. Modules in them become bytes with `toBytes`. */
import { type Node, readNodes } from "./s-expression.ts";
import type { Action, Command, Expected, Lane, NumberType, Script, Value } from "./script.ts";
import { WIDTH } from "./script.ts";
import { bitsOf } from "./values.ts";

/** Translates the text of one module. */
export type Translate = (text: string, where: string) => Uint8Array;

/** @throws Error on what is no script, with its line */
export function readWast(name: string, text: string, toBytes: Translate): Script {
  const commands = readNodes(text).map((node) => {
    const line = text.slice(0, node.start).split("\n").length;
    try {
      return { line, ...commandOf(node, text, toBytes) };
    } catch (cause) {
      throw new Error(`Cannot read ${name}:${line}: ${String(cause)}`, { cause });
    }
  });
  return { name, commands };
}

type WithoutLine<T> = T extends unknown ? Omit<T, "line"> : never;

function commandOf(node: Node, text: string, toBytes: Translate): WithoutLine<Command> {
  const [head, ...rest] = node.list;
  const first = rest[0];
  const module = (from: Node | undefined): Uint8Array => moduleBytes(from, text, toBytes);
  switch (head?.word ?? "") {
    case "module":
      return { kind: "module", name: idOf(first), bytes: module(node) };
    case "register":
      return { kind: "register", as: stringOf(first), name: idOf(rest[1]) };
    case "invoke":
    case "get":
      return { kind: "action", action: actionOf(node) };
    case "assert_return":
      return { kind: "return", action: actionOf(first), expected: rest.slice(1).map(expectedOf) };
    case "assert_trap":
    case "assert_exhaustion":
      if (first?.list[0]?.word === "module") return { kind: "unlinkable", bytes: module(first) };
      return { kind: "trap", action: actionOf(first) };
    case "assert_exception":
      return { kind: "exception", action: actionOf(first) };
    case "assert_invalid":
    case "assert_malformed":
      return { kind: "refused", bytes: module(first) };
    case "assert_unlinkable":
      return { kind: "unlinkable", bytes: module(first) };
    default:
      throw new Error(`unknown command "${head?.word ?? ""}"`);
  }
}

function moduleBytes(node: Node | undefined, text: string, toBytes: Translate): Uint8Array {
  if (node?.list[0]?.word !== "module") throw new Error("a module is missing");
  const strings = node.list.filter((each) => each.string !== undefined);
  if (node.list.some((each) => each.word === "binary")) {
    return Uint8Array.from(strings.flatMap((each) => [...(each.string ?? [])]));
  }
  const line = text.slice(0, node.start).split("\n").length;
  return toBytes(text.slice(node.start, node.end), `line ${line}`);
}

function actionOf(node: Node | undefined): Action {
  const [head, ...rest] = node?.list ?? [];
  if (head?.word !== "invoke" && head?.word !== "get") throw new Error("an action is missing");
  const module = idOf(rest[0]);
  const [field, ...args] = module === undefined ? rest : rest.slice(1);
  return { kind: head.word, module, field: stringOf(field), args: args.map(valueOf) };
}

function idOf(node: Node | undefined): string | undefined {
  return node?.word?.startsWith("$") === true ? node.word : undefined;
}

function stringOf(node: Node | undefined): string {
  if (node?.string === undefined) throw new Error("a string is missing");
  return new TextDecoder().decode(node.string);
}

function valueOf(node: Node): Value {
  const expected = expectedOf(node);
  if ("lanes" in expected) {
    let bits = 0n;
    expected.lanes.forEach((lane, n) => {
      if (typeof lane === "string") throw new Error(`"nan:${lane}" is no argument`);
      bits |= lane << BigInt(n * expected.laneBits);
    });
    return { type: expected.type, bits };
  }
  if (expected.type === "null" || expected.type === "host") return expected;
  throw new Error(`"${node.list[0]?.word}" is no argument`);
}

const SHAPE = /^([if])(8|16|32|64)x\d+$/;

function expectedOf(node: Node): Expected {
  const [head, ...rest] = node.list;
  const words = rest.map(({ word }) => word ?? "");
  const kind = head?.word ?? "";
  switch (kind) {
    case "i32.const":
    case "i64.const":
    case "f32.const":
    case "f64.const": {
      const type = kind.slice(0, 3) as NumberType;
      const laneBits = WIDTH[type] as 32 | 64;
      return { type, laneBits, lanes: [laneOf(words[0] ?? "", kind.startsWith("f"), laneBits)] };
    }
    case "v128.const": {
      const shape = SHAPE.exec(words[0] ?? "");
      const laneBits = Number(shape?.[2]) as 8 | 16 | 32 | 64;
      const lanes = words.slice(1).map((word) => laneOf(word, shape?.[1] === "f", laneBits));
      if (lanes.length * laneBits !== 128) throw new Error("a v128 has 128 bits");
      return { type: "v128", laneBits, lanes };
    }
    case "ref.null":
      return { type: "null" };
    case "ref.extern":
    case "ref.host":
      return words.length === 0 ? { type: "ref" } : { type: "host", id: Number(words[0]) };
    case "either":
      return { type: "either", values: rest.map(expectedOf) };
    default:
      if (!kind.startsWith("ref.")) throw new Error(`unknown value "${kind}"`);
      return { type: "ref" };
  }
}

function laneOf(text: string, float: boolean, bits: number): Lane {
  const word = text.replaceAll("_", "");
  if (word === "nan:canonical" || word === "nan:arithmetic") {
    return word.slice(4) as "canonical" | "arithmetic";
  }
  return float ? floatBits(word, bits === 32 ? "f32" : "f64") : BigInt.asUintN(bits, intOf(word));
}

function intOf(word: string): bigint {
  return word.startsWith("-") ? -BigInt(word.slice(1)) : BigInt(word.replace("+", ""));
}

function floatBits(word: string, type: "f32" | "f64"): bigint {
  const width = WIDTH[type];
  const sign = word.startsWith("-") ? 1n << BigInt(width - 1) : 0n;
  const bare = word.replace(/^[+-]/, "");
  const exponent = type === "f32" ? 0x7f80_0000n : 0x7ff0_0000_0000_0000n;
  if (bare === "inf") return sign | exponent;
  if (bare === "nan") return sign | exponent | (type === "f32" ? 1n << 22n : 1n << 51n);
  if (bare.startsWith("nan:")) return sign | exponent | BigInt(bare.slice(4));
  const value = bare.startsWith("0x") ? hexFloat(bare) : Number(bare);
  if (Number.isNaN(value)) throw new Error(`"${word}" is no number`);
  return sign | bitsOf(type, value);
}

/** Only for what a double holds exactly; the corpus has nothing else. */
function hexFloat(word: string): number {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^0x([0-9a-fA-F]+)\.?([0-9a-fA-F]*)(?:[pP]([+-]?\d+))?$/.exec(word) ?? [];
  let scale = Number(exponent) - 4 * fraction.length;
  let value = Number(BigInt(`0x${whole}${fraction}`));
  // In steps, because 2 ** -1074 times a large mantissa is exact and 2 ** -1126 is zero.
  for (; scale < -1000; scale += 500) value *= 2 ** -500;
  return value * 2 ** scale;
}
