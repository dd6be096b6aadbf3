/**
 * Calls an export with exact bits. JavaScript can neither pass a v128 nor keep what a NaN says, so
 * a small module stands between them: floats travel as integers, vectors as two i64.
 */
import type { FunctionType } from "../../src/wasm/binary/outline.ts";
import { body, name, section, signature, vec, wasm } from "../support/wasm-bytes.ts";
import type { Part } from "../support/wasm-bytes.ts";

const CODES: Readonly<Record<string, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};
const I64 = 0x7e;

/** How one type travels, and the code that turns it back and forth. */
interface Lowered {
  readonly as: readonly number[];
  readonly lift: (firstLocal: number) => Part;
  /** Leaves the lowered values of a local on the stack. */
  readonly lower: (local: number) => Part;
}

const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const SPLAT_I64 = [0xfd, 0x12];
const REPLACE_HIGH = [0xfd, 0x1e, 1];
const EXTRACT_LOW = [0xfd, 0x1d, 0];
const EXTRACT_HIGH = [0xfd, 0x1d, 1];

const get = (local: number): Part => [LOCAL_GET, local];
const codes = (types: readonly string[]): number[] => types.map((type) => CODES[type] ?? 0);

function lowered(type: string): Lowered {
  switch (type) {
    case "f32":
      return { as: [0x7f], lift: (at) => [get(at), 0xbe], lower: (at) => [get(at), 0xbc] };
    case "f64":
      return { as: [I64], lift: (at) => [get(at), 0xbf], lower: (at) => [get(at), 0xbd] };
    case "v128":
      return {
        as: [I64, I64],
        lift: (at) => [get(at), SPLAT_I64, get(at + 1), REPLACE_HIGH],
        lower: (at) => [get(at), EXTRACT_LOW, get(at), EXTRACT_HIGH],
      };
    default:
      return { as: [CODES[type] ?? 0], lift: get, lower: get };
  }
}

const compiled = new Map<string, WebAssembly.Module>();

/** An export whose numbers are bits; undefined when its type has references of other kinds. */
export function bridge(
  callee: CallableFunction,
  type: FunctionType,
): ((...args: unknown[]) => unknown) | undefined {
  if ([...type.params, ...type.results].some((each) => CODES[each] === undefined)) return undefined;
  const key = `${type.params.join()}:${type.results.join()}`;
  const module = compiled.get(key) ?? new WebAssembly.Module(bridgeModule(type));
  compiled.set(key, module);
  const instance = new WebAssembly.Instance(module, { "": { f: callee } });
  return instance.exports["f"] as (...args: unknown[]) => unknown;
}

function bridgeModule({ params, results }: FunctionType): Uint8Array<ArrayBuffer> {
  const given = params.map(lowered);
  const taken = results.map(lowered);
  let local = 0;
  const lifts = given.map(({ as, lift }) => {
    local += as.length;
    return lift(local - as.length);
  });
  const sets = results.map((_, n) => [LOCAL_SET, local + n]).toReversed();
  const lowers = taken.map(({ lower }, n) => lower(local + n));
  const locals = codes(results).map((code) => [1, code]);
  const outside = signature(
    given.flatMap(({ as }) => as),
    taken.flatMap(({ as }) => as),
  );
  return wasm(
    section(1, vec([signature(codes(params), codes(results)), outside])),
    section(2, vec([[name(""), name("f"), 0, 0]])),
    section(3, vec([1])),
    section(7, vec([[name("f"), 0, 1]])),
    section(10, vec([body([lifts, 0x10, 0, sets, lowers], locals)])),
  );
}
