/** What a module does when its exports are called, as lines that are equal for equal behaviour. */
import { bridge } from "../spec/bridge.ts";
import type { Value } from "../spec/script.ts";
import { liftResults, lowerArguments, render } from "../spec/values.ts";
import { type Live, MEMORY_EXPORT, type Prepared, start } from "../spec/variant.ts";
import type { Random } from "../support/random.ts";
import { type Generated, hostOf, LIMIT } from "./module-generator.ts";
import type { Type } from "./operators.ts";

export interface Call {
  readonly name: string;
  readonly args: readonly Value[];
  /** Loop turns and function entries that it may have. */
  readonly limit: number;
}

const EDGES = [0n, 1n, 2n, 0xffff_ffffn, 0x8000_0000n, 0x3fc0_0000n, 0x7fc0_0000n, 65_535n];
const WIDE_EDGES = [0n, 1n, -1n, 1n << 63n, 0x3ff8_0000_0000_0000n, 0x7ff8_0000_0000_0000n];

export function callsOf(random: Random, { functions }: Generated): Call[] {
  return random.list(10, () => {
    const { name, type } = random.pick(functions);
    const args = type.params.map((each) => valueOf(random, each));
    return { name, args, limit: random.pick([20, 300, 3000]) };
  });
}

function valueOf(random: Random, type: Type): Value {
  switch (type) {
    case "i32":
    case "f32":
      return { type, bits: random.pick(EDGES) };
    case "i64":
    case "f64":
      return { type, bits: BigInt.asUintN(64, random.pick(WIDE_EDGES)) };
    case "v128":
      return { type, bits: (BigInt(random.bits()) << 90n) | BigInt(random.bits()) };
    case "funcref":
      return { type: "null" };
    case "externref":
      return random.oneIn(2) ? { type: "null" } : { type: "host", id: random.below(3) };
  }
}

/** An instance under observation. */
export class Subject {
  readonly #generated: Generated;
  readonly #live: Live;
  readonly #pages: WebAssembly.Global | undefined;
  readonly #bridges = new Map<string, (...args: unknown[]) => unknown>();
  #lines: string[];
  #snapshot = new Uint8Array();
  readonly #names: NonNullable<Prepared["rewritten"]>["names"] | undefined;

  /** @throws whatever making an instance throws */
  constructor(prepared: Prepared, generated: Generated) {
    this.#generated = generated;
    this.#lines = [];
    this.#live = start(
      prepared,
      hostOf((line) => this.#lines.push(line)),
    );
    const { rewritten } = prepared;
    this.#names = rewritten?.names;
    this.#pages = rewritten?.pages === undefined ? undefined : this.#export(rewritten.pages);
    for (const { name, type } of generated.functions) {
      const bridged = bridge(this.#export(name), type);
      if (bridged === undefined) throw new Error(`Cannot bridge ${name}`);
      this.#bridges.set(name, bridged);
    }
  }

  /** What happened while it started. */
  get started(): readonly string[] {
    return [...this.#lines, this.#state()];
  }

  /** @param fuel what each call gets; undefined: ample */
  run(calls: readonly Call[], fuel?: number): string[] {
    const lines: string[] = [];
    this.#lines = lines;
    for (const call of calls) {
      this.#live.refuel();
      if (fuel !== undefined) this.#setFuel(fuel);
      this.#export<WebAssembly.Global>(LIMIT).value = call.limit;
      lines.push(`${call.name}: ${this.#outcome(call)}`, this.#state());
    }
    return lines;
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
    const type = this.#generated.functions.find((each) => each.name === name)?.type;
    try {
      const returned = this.#bridges.get(name)?.(...lowerArguments(args));
      return liftResults(returned, type ?? { params: [], results: [] })
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
    const globals = this.#generated.globals.map((name) => this.#global(name));
    const memory = this.#memory();
    return `  ${memory.byteLength} bytes ${Bun.hash(memory).toString(16)}, ${globals.join(" ")}`;
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

  #export<T>(name: string): T {
    return this.#live.exports[name] as unknown as T;
  }
}
