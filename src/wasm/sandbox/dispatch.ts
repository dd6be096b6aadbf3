import { assert } from "../../base/assert.ts";
import { LIMITS } from "../../base/limits.ts";
import { encodeU32 } from "../binary/leb128.ts";
import { SECTION } from "../binary/sections.ts";
import { encodeName, encodeSection, joinBytes } from "../binary/writer.ts";

/**
 * Calls of guests' exports through one table.
 *
 *   host ─▶ closure ─▶ dispatch export (slot, a, b) ─▶ call_indirect ─▶ the guest's export
 *
 * Why: a JavaScript call site that has seen more than 8 different Wasm functions takes 85 to 110 ns
 * for a call, and every sandbox brings its own. Here all sites see a dozen functions of one module,
 * whatever number of sandboxes there is: 5 ns. A trap passes through it as it is.
 */
export type Dispatched = (
  a?: number,
  b?: number,
  c?: number,
  d?: number,
  e?: number,
) => number | undefined;

type SlotCall = (
  slot: number,
  a?: number,
  b?: number,
  c?: number,
  d?: number,
  e?: number,
) => number | undefined;

/** Parameters of the callback that has the most: `proxy_on_http_call_response`. */
export const DISPATCH_PARAMS_MAX = 5;
const GROWTH_MIN = 256;

/** What the dispatch module exports. */
interface Exports {
  readonly table: WebAssembly.Table;
  /** By results, then by parameters. */
  readonly calls: readonly (readonly SlotCall[])[];
}

export class Dispatch {
  /** Made for the first guest: a process that has none starts without it. */
  #made: Exports | undefined;
  readonly #free: number[] = [];
  #used = 0;

  /** Slots that are taken. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /**
   * @param target an export of a guest with that many i32 parameters (0 to DISPATCH_PARAMS_MAX) and
   *   i32 results (0 or 1)
   * @returns the function to call in its place, and the slot to give back to remove()
   * @throws Error above LIMITS.dispatchSlotsMax
   */
  add(
    target: unknown,
    params: number,
    results: number,
  ): { readonly call: Dispatched; readonly slot: number } {
    const { table, calls } = (this.#made ??= makeDispatch());
    const call = calls[results]?.[params];
    assert(call !== undefined, `Cannot dispatch ${params} parameters and ${results} results`);
    const slot = this.#free.pop() ?? this.#newSlot(table);
    table.set(slot, target);
    return { call: (a, b, c, d, e) => call(slot, a, b, c, d, e), slot };
  }

  /** What was called through the slot can be collected. */
  remove(slot: number): void {
    this.#made?.table.set(slot, null);
    this.#free.push(slot);
  }

  #newSlot(table: WebAssembly.Table): number {
    if (this.#used === table.length) {
      if (this.#used >= LIMITS.dispatchSlotsMax) {
        throw new Error(`Cannot call more than ${LIMITS.dispatchSlotsMax} exports of guests`);
      }
      table.grow(Math.max(GROWTH_MIN, this.#used));
    }
    return this.#used++;
  }
}

function makeDispatch(): Exports {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(dispatchModule()), {});
  const calls = [0, 1].map((results) =>
    Array.from(
      { length: DISPATCH_PARAMS_MAX + 1 },
      (_, params) => exports[nameOf(params, results)] as unknown as SlotCall,
    ),
  );
  return { table: exports["table"] as WebAssembly.Table, calls };
}

const I32 = 0x7f;
const FUNCTION_FORM = 0x60;
const FUNCREF = 0x70;
const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
const LOCAL_GET = 0x20;
const CALL_INDIRECT = 0x11;
const END = 0x0b;

function nameOf(params: number, results: number): string {
  return `p${params}r${results}`;
}

/** For every signature: its type, the same with the slot before it, and a function between them. */
function dispatchModule(): Uint8Array<ArrayBuffer> {
  const types: Uint8Array[] = [];
  const functions: Uint8Array[] = [];
  const exports: Uint8Array[] = [entry("table", KIND_TABLE, 0)];
  const bodies: Uint8Array[] = [];
  for (let results = 0; results <= 1; results++) {
    for (let params = 0; params <= DISPATCH_PARAMS_MAX; params++) {
      const index = types.length;
      types.push(functionType(params, results), functionType(params + 1, results));
      exports.push(entry(nameOf(params, results), KIND_FUNCTION, functions.length));
      functions.push(encodeU32(index + 1));
      bodies.push(body(params, index));
    }
  }
  const table = Uint8Array.of(1, FUNCREF, 0, 0); // One table, no maximum, no entries.
  return joinBytes([
    Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
    encodeSection(SECTION.type, vector(types)),
    encodeSection(SECTION.function, vector(functions)),
    encodeSection(SECTION.table, table),
    encodeSection(SECTION.export, vector(exports)),
    encodeSection(SECTION.code, vector(bodies)),
  ]);
}

function vector(items: readonly Uint8Array[]): Uint8Array {
  return joinBytes([encodeU32(items.length), ...items]);
}

function functionType(params: number, results: number): Uint8Array {
  return Uint8Array.of(FUNCTION_FORM, params, ...ints(params), results, ...ints(results));
}

function ints(count: number): number[] {
  return Array.from({ length: count }, () => I32);
}

function entry(name: string, kind: number, index: number): Uint8Array {
  return joinBytes([encodeName(name), Uint8Array.of(kind), encodeU32(index)]);
}

/** The arguments, then the slot (which came first), then the call. */
function body(params: number, typeIndex: number): Uint8Array {
  const code: number[] = [0]; // No locals.
  for (let at = 1; at <= params; at++) code.push(LOCAL_GET, at);
  code.push(LOCAL_GET, 0, CALL_INDIRECT, typeIndex, 0, END);
  return joinBytes([encodeU32(code.length), Uint8Array.from(code)]);
}

/** The thread's own. */
export const dispatch = new Dispatch();
