/**
 * A test script of the WebAssembly specification, whatever it was read from: modules, calls of
 * their exports, and what has to come of them.
 */
export interface Script {
  readonly name: string;
  readonly commands: readonly Command[];
}

export type Command = { readonly line: number } & (
  | { readonly kind: "module"; readonly name: string | undefined; readonly bytes: Uint8Array }
  | { readonly kind: "definition"; readonly name: string | undefined; readonly bytes: Uint8Array }
  | {
      readonly kind: "instance";
      readonly name: string | undefined;
      readonly definition: string | undefined;
    }
  | { readonly kind: "register"; readonly name: string | undefined; readonly as: string }
  | { readonly kind: "action"; readonly action: Action }
  | { readonly kind: "return"; readonly action: Action; readonly expected: readonly Expected[] }
  | { readonly kind: "trap" | "exception"; readonly action: Action }
  /** The engine must not take the module at all. */
  | { readonly kind: "refused"; readonly bytes: Uint8Array }
  /** The module is valid, but making an instance of it must fail. */
  | { readonly kind: "unlinkable"; readonly bytes: Uint8Array }
);

export interface Action {
  readonly kind: "invoke" | "get";
  /** Undefined: the last module. */
  readonly module: string | undefined;
  readonly field: string;
  readonly args: readonly Value[];
}

export type NumberType = "i32" | "i64" | "f32" | "f64" | "v128";

export type Value =
  | { readonly type: NumberType; readonly bits: bigint }
  | { readonly type: "null" }
  | { readonly type: "host"; readonly id: number };

export type Lane = bigint | "canonical" | "arithmetic";

/** A number of one lane, or a vector of several, the lowest first. */
export interface ExpectedNumber {
  readonly type: NumberType;
  readonly laneBits: 8 | 16 | 32 | 64;
  readonly lanes: readonly Lane[];
}

export type Expected =
  | ExpectedNumber
  | { readonly type: "null" }
  | { readonly type: "host"; readonly id: number }
  /** Some reference that is not null. */
  | { readonly type: "ref" }
  | { readonly type: "either"; readonly values: readonly Expected[] };

/** Bits of a number type. */
export const WIDTH: Readonly<Record<NumberType, 32 | 64 | 128>> = {
  i32: 32,
  i64: 64,
  f32: 32,
  f64: 64,
  v128: 128,
};

/** True when a number's bits are one of those that are expected. */
export function matches(expected: ExpectedNumber, bits: bigint): boolean {
  return expected.lanes.every((lane, n) => {
    const found = BigInt.asUintN(expected.laneBits, bits >> BigInt(n * expected.laneBits));
    return typeof lane === "bigint" ? lane === found : isNan(lane, found, expected.laneBits);
  });
}

function isNan(which: "canonical" | "arithmetic", bits: bigint, width: number): boolean {
  const mantissa = width === 32 ? 23n : 52n;
  const quiet = 1n << (mantissa - 1n);
  const positive = BigInt.asUintN(width - 1, bits);
  const canonical = ((((1n << BigInt(width - 1)) - 1n) >> mantissa) << mantissa) | quiet;
  return which === "canonical" ? positive === canonical : (positive & canonical) === canonical;
}
