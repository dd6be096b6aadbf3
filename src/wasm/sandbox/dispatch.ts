import { assert } from "../../base/assert.ts";
import { LIMITS } from "../../base/limits.ts";
import { SECTION } from "../binary/sections.ts";
import { encodeSection, joinBytes } from "../binary/writer.ts";

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

/**
 * For every signature: its type, the same with the slot before it, and a function between them. In
 * plain lists of bytes, because this runs once, cold, while a worker starts: half of the time that
 * the writer's functions take. Each number is below 128, so one byte is its LEB128.
 */
function dispatchModule(): Uint8Array<ArrayBuffer> {
  const types: number[] = [];
  const functions: number[] = [];
  const exports: number[] = [];
  const bodies: number[] = [];
  let count = 0;
  pushEntry(exports, "table", KIND_TABLE, 0);
  for (let results = 0; results <= 1; results++) {
    for (let params = 0; params <= DISPATCH_PARAMS_MAX; params++) {
      pushType(types, params, results);
      pushType(types, params + 1, results);
      functions.push(2 * count + 1);
      pushEntry(exports, nameOf(params, results), KIND_FUNCTION, count);
      pushBody(bodies, params, 2 * count);
      count++;
    }
  }
  return joinBytes([
    Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00),
    section(SECTION.type, 2 * count, types),
    section(SECTION.function, count, functions),
    section(SECTION.table, 1, [FUNCREF, 0, 0]), // No maximum, no entries.
    section(SECTION.export, count + 1, exports),
    section(SECTION.code, count, bodies),
  ]);
}

function section(id: number, count: number, items: number[]): Uint8Array {
  items.unshift(count);
  return encodeSection(id, Uint8Array.from(items));
}

function pushType(into: number[], params: number, results: number): void {
  into.push(FUNCTION_FORM, params);
  for (let at = 0; at < params; at++) into.push(I32);
  into.push(results);
  for (let at = 0; at < results; at++) into.push(I32);
}

function pushEntry(into: number[], name: string, kind: number, index: number): void {
  into.push(name.length);
  for (let at = 0; at < name.length; at++) into.push(name.charCodeAt(at));
  into.push(kind, index);
}

/** The arguments, then the slot (which came first), then the call. */
function pushBody(into: number[], params: number, typeIndex: number): void {
  into.push(2 * params + 7, 0); // Bytes that follow; no locals.
  for (let at = 1; at <= params; at++) into.push(LOCAL_GET, at);
  into.push(LOCAL_GET, 0, CALL_INDIRECT, typeIndex, 0, END);
}

/** The thread's own. */
export const dispatch = new Dispatch();
