import type { FunctionType, ValueType } from "../wasm/binary/outline.ts";

const LETTERS: Readonly<Record<string, ValueType>> = { i: "i32", I: "i64" };

/**
 * Reads the short form in which the tables of host functions are written.
 * @param short parameters, then ">" and results: "iI>i" is (i32, i64) -> i32
 */
export function signature(short: string): FunctionType {
  const [params = "", results = ""] = short.split(">");
  return { params: valueTypes(params), results: valueTypes(results) };
}

/**
 * True when a guest that declares `found` can call a host function of type `expected`. A guest may
 * drop the result; it may not invent one.
 */
export function isCallableAs(found: FunctionType, expected: FunctionType): boolean {
  const resultFits = found.results.length === 0 || found.results.join() === expected.results.join();
  return resultFits && found.params.join() === expected.params.join();
}

function valueTypes(letters: string): ValueType[] {
  return letters.split("").map((letter) => LETTERS[letter] as ValueType);
}
