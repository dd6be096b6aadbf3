/** What the tests of this folder share: modules from text, rewritten and instantiated. */
import initWabt from "wabt";
import { type InstrumentedModule, type InstrumentOptions, instrument } from "./instrument.ts";

const wabt = await initWabt();

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
  function_references: true,
  threads: true,
  relaxed_simd: true,
};

/** @param text of a whole module, or its fields */
export function wat(text: string): Uint8Array<ArrayBuffer> {
  const whole = text.startsWith("(module") ? text : `(module ${text})`;
  const module = wabt.parseWat("test.wat", whole, FEATURES);
  const bytes = new Uint8Array(module.toBinary({}).buffer);
  module.destroy(); // Its memory is not collected, and random tests make thousands.
  return bytes;
}

export const FUEL = { poll: false, fuel: true } as const;
export const POLL = { poll: true, fuel: false } as const;
export const BOTH = { poll: true, fuel: true } as const;
export const NONE = { poll: false, fuel: false } as const;

export function rewrite(
  module: Uint8Array | string,
  options: Partial<InstrumentOptions> = {},
): InstrumentedModule {
  return instrument(typeof module === "string" ? wat(module) : module, {
    memoryPagesMax: 100,
    tableEntriesMax: 1000,
    checks: FUEL,
    ...options,
  });
}

type HostImports = Record<string, Record<string, (...args: never[]) => unknown>>;

export type Guest = Record<string, (...args: unknown[]) => unknown>;

export interface Rewritten extends InstrumentedModule {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly call: Guest;
  /** The added functions; throws for one that was not added. */
  readonly added: (name: keyof InstrumentedModule["names"], ...args: number[]) => number;
  readonly global: (name: string | undefined) => number;
}

/** Rewrites and instantiates; the data segments are written. */
export function start(
  module: Uint8Array | string,
  options: Partial<InstrumentOptions> = {},
  imports: HostImports = {},
): Rewritten {
  const rewritten = rewrite(module, options);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(rewritten.bytes), imports);
  const call = exports as unknown as Guest;
  const added = (name: keyof InstrumentedModule["names"], ...args: number[]): number => {
    const exported = rewritten.names[name];
    if (exported === undefined) throw new Error(`Cannot call ${name}: it was not added`);
    return call[exported]?.(...args) as number;
  };
  if (rewritten.names.initialize !== undefined) added("initialize");
  return {
    ...rewritten,
    exports,
    call,
    added,
    global: (name = "") => (exports[name] as unknown as WebAssembly.Global).value as number,
  };
}

/** The module as it was. */
export function original(module: Uint8Array | string, imports: HostImports = {}): Guest {
  const bytes = typeof module === "string" ? wat(module) : (module as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    .exports as unknown as Guest;
}

/** What a call comes to: its result, or what it throws without the script that called. */
export function outcome(guest: Guest, name: string, ...args: unknown[]): unknown {
  try {
    return guest[name]?.(...args);
  } catch (error) {
    return String(error).replace(/ \(evaluating.*/s, "");
  }
}
