/** Values of scripts as JavaScript passes them, and results as text that can be compared. */
import type { FunctionType } from "../../src/wasm/binary/outline.ts";
import { type Expected, matches, type NumberType, type Value, WIDTH } from "./script.ts";

/** A result: its bits, or the reference itself. */
export type Result =
  | { readonly type: NumberType; readonly bits: bigint }
  | { readonly ref: unknown };

/** Stands for `(ref.host 7)`; the same object for the same number. */
const hosts = new Map<number, object>();

function hostOf(id: number): object {
  const host = hosts.get(id) ?? { host: id };
  hosts.set(id, host);
  return host;
}

/** Arguments for a bridge. */
export function lowerArguments(values: readonly Value[]): unknown[] {
  return values.flatMap((value): unknown[] => {
    if (value.type === "null") return [null];
    if (value.type === "host") return [hostOf(value.id)];
    if (WIDTH[value.type] === 32) return [Number(BigInt.asIntN(32, value.bits))];
    const low = BigInt.asIntN(64, value.bits);
    return value.type === "v128" ? [low, BigInt.asIntN(64, value.bits >> 64n)] : [low];
  });
}

/** Results of a bridge. */
export function liftResults(returned: unknown, { results }: FunctionType): Result[] {
  const values = listOf(
    returned,
    results.flatMap((type) => (type === "v128" ? [0, 0] : [0])).length,
  );
  let at = 0;
  return results.map((type): Result => {
    const value = values[at++];
    if (!(type in WIDTH)) return { ref: value };
    const number = type as NumberType;
    if (number === "v128") {
      const high = BigInt.asUintN(64, values[at++] as bigint) << 64n;
      return { type: number, bits: BigInt.asUintN(64, value as bigint) | high };
    }
    return { type: number, bits: BigInt.asUintN(WIDTH[number], BigInt(value as number | bigint)) };
  });
}

/** Arguments without a bridge. */
export function plainArguments(values: readonly Value[]): unknown[] {
  return values.map((value) => {
    if (value.type === "null") return null;
    if (value.type === "host") return hostOf(value.id);
    if (value.type === "f32" || value.type === "f64") return floatOf(value.type, value.bits);
    return value.type === "i32" ? Number(BigInt.asIntN(32, value.bits)) : value.bits;
  });
}

/** Results without a bridge, read as the types that are expected. */
export function plainResults(returned: unknown, expected: readonly Expected[]): Result[] {
  const values = listOf(returned, expected.length);
  return values.map((value, n): Result => {
    const type = expected[n]?.type ?? (typeof value === "bigint" ? "i64" : "f64");
    if (typeof value === "bigint") return { type: "i64", bits: BigInt.asUintN(64, value) };
    if (typeof value !== "number" || !(type in WIDTH)) return { ref: value };
    if (type === "i32") return { type, bits: BigInt.asUintN(32, BigInt(value)) };
    const float = type === "f32" ? "f32" : "f64";
    return { type: float, bits: bitsOf(float, value) };
  });
}

export function fits(result: Result | undefined, expected: Expected): boolean {
  if (result === undefined) return false;
  if (expected.type === "either") return expected.values.some((each) => fits(result, each));
  if ("lanes" in expected) {
    return "bits" in result && result.type === expected.type && matches(expected, result.bits);
  }
  if (!("ref" in result)) return false;
  if (expected.type === "null") return result.ref === null;
  if (expected.type === "host") return result.ref === hostOf(expected.id);
  return result.ref !== null;
}

/** Text that is equal for equal results; a NaN is a NaN, whatever else it says. */
export function render(result: Result): string {
  if ("ref" in result) {
    if (result.ref === null) return "null";
    const id = [...hosts].find(([, host]) => host === result.ref)?.[0];
    return id === undefined ? typeof result.ref : `host ${id}`;
  }
  const float = result.type === "f32" || result.type === "f64";
  if (float && Number.isNaN(floatOf(result.type, result.bits))) return `${result.type} nan`;
  return `${result.type} 0x${result.bits.toString(16)}`;
}

const scratch = new DataView(new ArrayBuffer(8));

export function floatOf(type: "f32" | "f64", bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return type === "f32" ? scratch.getFloat32(4) : scratch.getFloat64(0);
}

export function bitsOf(type: "f32" | "f64", value: number): bigint {
  if (type === "f64") scratch.setFloat64(0, value);
  else scratch.setFloat32(0, value);
  return type === "f64" ? scratch.getBigUint64(0) : BigInt(scratch.getUint32(0));
}

function listOf(returned: unknown, count: number): unknown[] {
  if (count === 0) return [];
  return count === 1 ? [returned] : [...(returned as Iterable<unknown>)];
}
