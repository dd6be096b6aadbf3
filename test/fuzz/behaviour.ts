/** What a module does when its exports are called, as lines that are equal for equal behaviour. */
import type { FunctionType } from "../../src/wasm/binary/outline.ts";
import { bridge } from "../spec/bridge.ts";
import type { Value } from "../spec/script.ts";
import { liftResults, lowerArguments, render } from "../spec/values.ts";
import { type Live, MEMORY_EXPORT, type Prepared, start } from "../spec/variant.ts";
import type { Random } from "../support/random.ts";
import { LIMIT } from "./module-generator.ts";

export interface Call {
  readonly name: string;
  readonly args: readonly Value[];
  /** Loop turns and function entries that it may have, where the module counts them itself. */
  readonly limit: number | undefined;
}

const EDGES = [0n, 1n, 2n, 0xffff_ffffn, 0x8000_0000n, 0x3fc0_0000n, 0x7fc0_0000n, 65_535n];
const WIDE_EDGES = [0n, 1n, -1n, 1n << 63n, 0x3ff8_0000_0000_0000n, 0x7ff8_0000_0000_0000n];

export function callsOf(random: Random, { functions }: Surface, limits: readonly number[]): Call[] {
  if (functions.length === 0) return [];
  return random.list(10, () => {
    const { name, type } = random.pick(functions);
    const args = type.params.map((each) => valueOf(random, each));
    return { name, args, limit: limits.length === 0 ? undefined : random.pick(limits) };
  });
}

/** A function with other references has no bridge and is not called: null will do. */
function valueOf(random: Random, type: FunctionType["params"][number]): Value {
  if (type === "i32" || type === "f32") return { type, bits: random.pick(EDGES) };
  if (type === "i64" || type === "f64") {
    return { type, bits: BigInt.asUintN(64, random.pick(WIDE_EDGES)) };
  }
  if (type === "v128") {
    return { type, bits: (BigInt(random.bits()) << 90n) | BigInt(random.bits()) };
  }
  const hosted = type === "externref" && random.oneIn(2);
  return hosted ? { type: "host", id: random.below(3) } : { type: "null" };
}

/** What is called and looked at. */
export interface Surface {
  readonly functions: readonly { readonly name: string; readonly type: FunctionType }[];
  /** Names of globals. */
  readonly globals: readonly string[];
  /** Names of tables. */
  readonly tables: readonly string[];
  /** @param trace takes a line for what the host is told */
  readonly host: (trace: (line: string) => void) => Bun.WebAssembly.Imports;
}

/** Of a larger memory only the first bytes are looked at. */
const HASHED_BYTES_MAX = 1024 * 1024;

const ENTRIES_SHOWN_MAX = 16;

/** An instance under observation. */
export class Subject {
  readonly #surface: Surface;
  readonly #live: Live;
  readonly #pages: WebAssembly.Global | undefined;
  readonly #bridges = new Map<string, ReturnType<typeof bridge>>();
  #lines: string[];
  #snapshot = new Uint8Array();
  readonly #names: NonNullable<Prepared["rewritten"]>["names"] | undefined;
  /** True when a call, or the start function, has ended for want of fuel. */
  ranShort: boolean;

  /**
   * @param fuel units for each call; undefined: ample
   * @throws whatever making an instance throws
   */
  constructor(prepared: Prepared, surface: Surface, fuel?: number) {
    this.#surface = surface;
    this.#lines = [];
    const host = surface.host((line) => this.#lines.push(line));
    this.#live = start(prepared, host, fuel);
    this.ranShort = this.#live.refuel() < 0;
    const { rewritten } = prepared;
    this.#names = rewritten?.names;
    this.#pages = rewritten?.pages === undefined ? undefined : this.#export(rewritten.pages);
    for (const { name, type } of surface.functions) {
      this.#bridges.set(name, bridge(this.#export(name), type));
    }
  }

  /** What happened while it started. */
  get started(): readonly string[] {
    return [...this.#lines, this.#state()];
  }

  /** @param fuel what each call gets; undefined: as much as it started with */
  run(calls: readonly Call[], fuel?: number): string[] {
    const lines: string[] = [];
    this.#lines = lines;
    for (const call of calls) {
      this.#live.refuel();
      if (fuel !== undefined) this.#setFuel(fuel);
      if (call.limit !== undefined) this.#export<WebAssembly.Global>(LIMIT).value = call.limit;
      lines.push(`${call.name}: ${this.#outcome(call)}`, this.#state());
      if (this.#live.refuel() < 0) this.ranShort = true;
    }
    return lines;
  }

  /** True when the real memory is larger now than at capture(). */
  get hasGrown(): boolean {
    const memory = this.#export<WebAssembly.Memory | undefined>(MEMORY_EXPORT);
    return memory !== undefined && memory.buffer.byteLength > this.#snapshot.byteLength;
  }

  capture(): void {
    this.#export<() => void>(this.#names?.capture ?? "")();
    this.#snapshot = this.#memory().slice();
  }

  /** @returns false when something has changed that cannot be put back */
  restore(): boolean {
    if (this.#export<() => number>(this.#names?.restore ?? "")() !== 0) return false;
    const memory = this.#export<WebAssembly.Memory | undefined>(MEMORY_EXPORT);
    if (memory !== undefined) {
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(0, this.#snapshot.byteLength);
      bytes.set(this.#snapshot);
    }
    return true;
  }

  #outcome({ name, args }: Call): string {
    const type = this.#surface.functions.find((each) => each.name === name)?.type;
    const bridged = this.#bridges.get(name);
    if (type === undefined || bridged === undefined) return "not called";
    try {
      return liftResults(bridged(...lowerArguments(args)), type)
        .map(render)
        .join(", ");
    } catch (error) {
      return error instanceof RangeError
        ? "stack"
        : String(error).replace(/ \(evaluating .*$/s, "");
    }
  }

  #setFuel(units: number): void {
    const { setFuel } = this.#names ?? {};
    if (setFuel !== undefined) this.#export<(units: number) => void>(setFuel)(units);
  }

  #state(): string {
    const globals = this.#surface.globals.map((name) => this.#global(name));
    const memory = this.#memory();
    const hash = Bun.hash(memory.subarray(0, HASHED_BYTES_MAX)).toString(16);
    const tables = this.#surface.tables.map((name) => this.#table(name));
    return `  ${memory.byteLength} bytes ${hash}, ${[...globals, ...tables].join(" ")}`;
  }

  /** What the guest sees of its memory. */
  #memory(): Uint8Array {
    const memory = this.#export<WebAssembly.Memory | undefined>(MEMORY_EXPORT);
    if (memory === undefined) return new Uint8Array();
    const bytes = new Uint8Array(memory.buffer);
    return this.#pages === undefined
      ? bytes
      : bytes.subarray(0, Number(this.#pages.value) * 65_536);
  }

  #global(name: string): string {
    try {
      const { value } = this.#export<{ readonly value: unknown }>(name);
      if (typeof value === "function") return "function";
      return typeof value === "object" && value !== null ? "object" : String(value);
    } catch {
      return "vector"; // JavaScript cannot read it.
    }
  }

  /** Functions by their index, which is the name that the engine gives them. */
  #table(name: string): string {
    const table = this.#export<WebAssembly.Table>(name);
    const entries = Array.from({ length: Math.min(table.length, ENTRIES_SHOWN_MAX) }, (_, n) => {
      const entry: unknown = table.get(n);
      return typeof entry === "function" ? entry.name : JSON.stringify(entry);
    });
    return `${table.length}:[${entries.join()}]`;
  }

  // The caller knows what kind of export it asks for.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  #export<T>(name: string): T {
    return this.#live.exports[name] as unknown as T;
  }
}
