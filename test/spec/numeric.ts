/**
 * A script of every scalar numeric instruction with the values at its edges. What has to come out
 * is worked out here, on integers of any size, from what the specification says in words.
 */
import { body, name, section, signature, u32, vec, wasm } from "../support/wasm-bytes.ts";
import type { Part } from "../support/wasm-bytes.ts";
import { type Command, type Expected, type NumberType, type Script, WIDTH } from "./script.ts";
import { bitsOf, floatOf } from "./values.ts";

type Scalar = Exclude<NumberType, "v128">;
/** Bits of the result; a NaN with its quiet bit set and the rest as it likes; or a trap. */
type Answer = bigint | "nan" | "trap";
type Oracle = (...bits: bigint[]) => Answer;

interface Instruction {
  readonly name: string;
  readonly code: Part;
  readonly params: readonly Scalar[];
  readonly result: Scalar;
  readonly oracle: Oracle;
}

const CODES: Readonly<Record<Scalar, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

const INTEGERS = [
  0n,
  1n,
  -1n,
  2n,
  7n,
  -7n,
  31n,
  32n,
  63n,
  64n,
  0x7fn,
  0x80n,
  0x8000n,
  0x1234_5678n,
  0x7fff_ffffn,
  0x8000_0000n,
  -0x8000_0000n,
  0x5555_5555_5555_5555n,
  0x7fff_ffff_ffff_ffffn,
  -0x8000_0000_0000_0000n,
];

const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-45,
  5e-324,
  1.17549435e-38,
  2.2250738585072014e-308,
  3.4028234663852886e38,
  1.7976931348623157e308,
  2147483647,
  2147483648,
  -2147483649,
  4294967295,
  4294967296,
  9223372036854774784,
  9223372036854775808,
  -9223372036854775808,
  18446744073709549568,
  18446744073709551616,
  0.1,
  Infinity,
  -Infinity,
];
const NANS: Readonly<Record<"f32" | "f64", readonly bigint[]>> = {
  f32: [0x7fc0_0000n, 0xffa0_0001n],
  f64: [0x7ff8_0000_0000_0000n, 0xfff4_0000_0000_0001n],
};

/** One script of one module; some 20,000 assertions. */
export function numericScript(): Script {
  const all = instructions();
  const assertions = all.flatMap((instruction, n): Command[] =>
    inputsOf(instruction.params).map((inputs) => {
      const args = inputs.map((bits, at) => ({ type: instruction.params[at] ?? "i32", bits }));
      const action = { kind: "invoke", module: undefined, field: instruction.name, args } as const;
      const answer = instruction.oracle(...inputs);
      if (answer === "trap") return { line: n, kind: "trap", action };
      return { line: n, kind: "return", action, expected: [expected(instruction.result, answer)] };
    }),
  );
  const module: Command = { line: 0, kind: "module", name: undefined, bytes: moduleOf(all) };
  return { name: "numeric", commands: [module, ...assertions] };
}

function expected(type: Scalar, answer: bigint | "nan"): Expected {
  return {
    type,
    laneBits: WIDTH[type] as 32 | 64,
    lanes: [answer === "nan" ? "arithmetic" : answer],
  };
}

function inputsOf(params: readonly Scalar[]): bigint[][] {
  const [first = [], second] = params.map(valuesOf);
  if (second === undefined) return first.map((bits) => [bits]);
  return first.flatMap((left) => second.map((right) => [left, right]));
}

function valuesOf(type: Scalar): readonly bigint[] {
  if (type === "i32" || type === "i64") {
    return [...new Set(INTEGERS.map((value) => BigInt.asUintN(WIDTH[type], value)))];
  }
  return [...new Set([...FLOATS.map((value) => bitsOf(type, value)), ...NANS[type]])];
}

function moduleOf(all: readonly Instruction[]): Uint8Array {
  const types = all.map(({ params, result }) =>
    signature(
      params.map((type) => CODES[type]),
      [CODES[result]],
    ),
  );
  return wasm(
    section(1, vec(types)),
    section(3, vec(all.map((_, n) => u32(n)))),
    section(7, vec(all.map((each, n) => [name(each.name), 0, u32(n)]))),
    section(10, vec(all.map(({ code, params }) => body([params.map((_, n) => [0x20, n]), code])))),
  );
}

function instructions(): Instruction[] {
  return [...integers("i32"), ...integers("i64"), ...floats("f32"), ...floats("f64"), ...between()];
}

/** Names in the order of their opcodes, each with what it does. */
function group(
  type: string,
  first: number,
  shape: Pick<Instruction, "params" | "result">,
  oracles: Readonly<Record<string, Oracle>>,
): Instruction[] {
  return Object.entries(oracles).map(([key, oracle], n) => {
    return { name: `${type}.${key}`, code: first + n, ...shape, oracle };
  });
}

const truth = (value: boolean): bigint => (value ? 1n : 0n);

function integers(type: "i32" | "i64"): Instruction[] {
  const width = WIDTH[type];
  const bits = BigInt(width);
  const wide = type === "i64";
  const wrap = (value: bigint): bigint => BigInt.asUintN(width, value);
  const signed = (value: bigint): bigint => BigInt.asIntN(width, value);
  const digits = (value: bigint): string => value.toString(2).padStart(width, "0");
  const rotl = (value: bigint, by: bigint): bigint => {
    const n = by % bits;
    return wrap((value << n) | (value >> (bits - n)));
  };
  const compare: Record<string, Oracle> = {
    eq: (a = 0n, b = 0n) => truth(a === b),
    ne: (a = 0n, b = 0n) => truth(a !== b),
    lt_s: (a = 0n, b = 0n) => truth(signed(a) < signed(b)),
    lt_u: (a = 0n, b = 0n) => truth(a < b),
    gt_s: (a = 0n, b = 0n) => truth(signed(a) > signed(b)),
    gt_u: (a = 0n, b = 0n) => truth(a > b),
    le_s: (a = 0n, b = 0n) => truth(signed(a) <= signed(b)),
    le_u: (a = 0n, b = 0n) => truth(a <= b),
    ge_s: (a = 0n, b = 0n) => truth(signed(a) >= signed(b)),
    ge_u: (a = 0n, b = 0n) => truth(a >= b),
  };
  const unary: Record<string, Oracle> = {
    clz: (a = 0n) => BigInt(/^0*/.exec(digits(a))?.[0].length ?? 0),
    ctz: (a = 0n) => BigInt(/0*$/.exec(digits(a))?.[0].length ?? 0),
    popcnt: (a = 0n) => BigInt(digits(a).replaceAll("0", "").length),
  };
  const binary: Record<string, Oracle> = {
    add: (a = 0n, b = 0n) => wrap(a + b),
    sub: (a = 0n, b = 0n) => wrap(a - b),
    mul: (a = 0n, b = 0n) => wrap(a * b),
    div_s: (a = 0n, b = 0n) => {
      if (b === 0n || (signed(b) === -1n && a === 1n << (bits - 1n))) return "trap";
      return wrap(signed(a) / signed(b));
    },
    div_u: (a = 0n, b = 0n) => (b === 0n ? "trap" : a / b),
    rem_s: (a = 0n, b = 0n) => (b === 0n ? "trap" : wrap(signed(a) % signed(b))),
    rem_u: (a = 0n, b = 0n) => (b === 0n ? "trap" : a % b),
    and: (a = 0n, b = 0n) => a & b,
    or: (a = 0n, b = 0n) => a | b,
    xor: (a = 0n, b = 0n) => a ^ b,
    shl: (a = 0n, b = 0n) => wrap(a << (b % bits)),
    shr_s: (a = 0n, b = 0n) => wrap(signed(a) >> (b % bits)),
    shr_u: (a = 0n, b = 0n) => a >> (b % bits),
    rotl: (a = 0n, b = 0n) => rotl(a, b),
    rotr: (a = 0n, b = 0n) => rotl(a, bits - (b % bits)),
  };
  const extend =
    (from: number): Oracle =>
    (a = 0n) =>
      wrap(BigInt.asIntN(from, a));
  const extensions: Record<string, Oracle> = { extend8_s: extend(8), extend16_s: extend(16) };
  if (wide) extensions["extend32_s"] = extend(32);
  const one = { params: [type], result: type };
  const two = { params: [type, type], result: type };
  const test = { params: [type, type], result: "i32" as const };
  return [
    ...group(
      type,
      wide ? 0x50 : 0x45,
      { params: [type], result: "i32" },
      { eqz: (a) => truth(a === 0n) },
    ),
    ...group(type, wide ? 0x51 : 0x46, test, compare),
    ...group(type, wide ? 0x79 : 0x67, one, unary),
    ...group(type, wide ? 0x7c : 0x6a, two, binary),
    ...group(type, wide ? 0xc2 : 0xc0, one, extensions),
  ];
}

function floats(type: "f32" | "f64"): Instruction[] {
  const wide = type === "f64";
  const sign = 1n << BigInt(WIDTH[type] - 1);
  const number = (bits: bigint): number => floatOf(type, bits);
  const answer = (value: number): Answer => (Number.isNaN(value) ? "nan" : bitsOf(type, value));
  const on1 =
    (f: (a: number) => number): Oracle =>
    (a = 0n) =>
      answer(f(number(a)));
  const on2 = (f: (a: number, b: number) => number): Oracle => {
    return (a = 0n, b = 0n) => answer(f(number(a), number(b)));
  };
  const test = (f: (a: number, b: number) => boolean): Oracle => {
    return (a = 0n, b = 0n) => truth(f(number(a), number(b)));
  };
  const compare: Record<string, Oracle> = {
    eq: test((a, b) => a === b),
    ne: test((a, b) => a !== b),
    lt: test((a, b) => a < b),
    gt: test((a, b) => a > b),
    le: test((a, b) => a <= b),
    ge: test((a, b) => a >= b),
  };
  const unary: Record<string, Oracle> = {
    abs: (a = 0n) => a & ~sign,
    neg: (a = 0n) => a ^ sign,
    ceil: on1(Math.ceil),
    floor: on1(Math.floor),
    trunc: on1(Math.trunc),
    nearest: on1(toEven),
    sqrt: on1(Math.sqrt),
  };
  // Math.min and Math.max treat a NaN and a negative zero as the specification does.
  const binary: Record<string, Oracle> = {
    add: on2((a, b) => a + b),
    sub: on2((a, b) => a - b),
    mul: on2((a, b) => a * b),
    div: on2((a, b) => a / b),
    min: on2(Math.min),
    max: on2(Math.max),
    copysign: (a = 0n, b = 0n) => (a & ~sign) | (b & sign),
  };
  const two = { params: [type, type], result: type };
  return [
    ...group(type, wide ? 0x61 : 0x5b, { params: [type, type], result: "i32" }, compare),
    ...group(type, wide ? 0x99 : 0x8b, { params: [type], result: type }, unary),
    ...group(type, wide ? 0xa0 : 0x92, two, binary),
  ];
}

function toEven(value: number): number {
  const below = Math.floor(value);
  const odd = below % 2 !== 0;
  const up = value - below > 0.5 || (value - below === 0.5 && odd);
  const rounded = up ? below + 1 : below;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

const TYPES = ["i32", "i64", "f32", "f64"] as const;

const same: Oracle = (a = 0n) => a;

function floatTo(from: "f32" | "f64", to: "f32" | "f64"): Oracle {
  return (a = 0n) => {
    const value = floatOf(from, a);
    return Number.isNaN(value) ? "nan" : bitsOf(to, value);
  };
}

/** Instructions from one type to another, as [name, opcode, from, to, what]. */
function between(): Instruction[] {
  const found: Instruction[] = [];
  const add = (code: Part, key: string, from: Scalar, to: Scalar, oracle: Oracle): void => {
    found.push({ name: `${to}.${key}_${from}`, code, params: [from], result: to, oracle });
  };
  const both = [true, false];
  let saturating = 0;
  for (const to of ["i32", "i64"] as const) {
    let code = to === "i32" ? 0xa8 : 0xae;
    for (const from of ["f32", "f64"] as const) {
      for (const signed of both) {
        const suffix = signed ? "s" : "u";
        add(code++, `trunc_${suffix}`, from, to, (a = 0n) =>
          truncated(floatOf(from, a), to, signed),
        );
        add([0xfc, saturating++], `trunc_sat_${suffix}`, from, to, (a = 0n) =>
          saturated(floatOf(from, a), to, signed),
        );
      }
    }
  }
  for (const to of ["f32", "f64"] as const) {
    let code = to === "f32" ? 0xb2 : 0xb7;
    for (const from of ["i32", "i64"] as const) {
      for (const signed of both) {
        add(code++, `convert_${signed ? "s" : "u"}`, from, to, (a = 0n) => {
          const exact = signed ? BigInt.asIntN(WIDTH[from], a) : a;
          return bitsOf(to, to === "f32" ? nearestF32(exact) : Number(exact));
        });
      }
    }
  }
  add(0xa7, "wrap", "i64", "i32", (a = 0n) => BigInt.asUintN(32, a));
  add(0xac, "extend_s", "i32", "i64", (a = 0n) => BigInt.asUintN(64, BigInt.asIntN(32, a)));
  add(0xad, "extend_u", "i32", "i64", same);
  add(0xb6, "demote", "f64", "f32", floatTo("f64", "f32"));
  add(0xbb, "promote", "f32", "f64", floatTo("f32", "f64"));
  TYPES.forEach((to, n) => {
    add(0xbc + n, "reinterpret", (["f32", "f64", "i32", "i64"] as const)[n] ?? "i32", to, same);
  });
  return found;
}

function bounds(to: "i32" | "i64", signed: boolean): readonly [bigint, bigint] {
  const bits = BigInt(WIDTH[to]);
  return signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

function truncated(value: number, to: "i32" | "i64", signed: boolean): Answer {
  if (!Number.isFinite(value)) return "trap";
  const [low, high] = bounds(to, signed);
  const whole = BigInt(Math.trunc(value));
  return whole < low || whole > high ? "trap" : BigInt.asUintN(WIDTH[to], whole);
}

function saturated(value: number, to: "i32" | "i64", signed: boolean): Answer {
  if (Number.isNaN(value)) return 0n;
  const [low, high] = bounds(to, signed);
  if (value === Infinity) return high;
  if (value === -Infinity) return BigInt.asUintN(WIDTH[to], low);
  const whole = BigInt(Math.trunc(value));
  const within = whole < low ? low : whole > high ? high : whole;
  return BigInt.asUintN(WIDTH[to], within);
}

/** Rounds once: by way of a double it would be twice, and wrong now and then. */
function nearestF32(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const extra = BigInt(Math.max(0, magnitude.toString(2).length - 40));
  const sticky = magnitude & ((1n << extra) - 1n) ? 1n : 0n;
  const rounded = Math.fround(Number((magnitude >> extra) | sticky)) * 2 ** Number(extra);
  return value < 0n ? -rounded : rounded;
}
