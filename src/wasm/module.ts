import { LIMITS } from "../base/limits.ts";
import { type ModuleOutline, readOutline } from "./binary/outline.ts";
import { ModuleError } from "./binary/module-error.ts";
import { compileModule } from "./compile.ts";
import { instrument, type InstrumentedModule } from "./instrument/instrument.ts";
import type { ModuleTraits } from "./instrument/traits.ts";
import { meter } from "./sandbox/meter.ts";

/**
 * From a file's bytes to a compiled module.
 *
 *   bytes ─▶ outline ─▶ loader limits ─▶ engine validates the original ─▶ rewrite ─▶ compile
 *
 * Why the original is validated: a rewrite could turn an invalid module into a valid one.
 */
export interface LoadedModule {
  readonly module: WebAssembly.Module;
  /** Of the original bytes. */
  readonly outline: ModuleOutline;
  /** Exported functions of nothing but i32, the added ones included, with at most one result. */
  readonly callable: readonly Callable[];
  /** What the rewriting has added and found. */
  readonly rewritten: Omit<InstrumentedModule, "bytes">;
  /** The guest is stopped by the watch; else by fuel alone. */
  readonly watched: boolean;
}

export interface Callable {
  readonly name: string;
  /** Counts. */
  readonly params: number;
  readonly results: number;
}

/** What of a plugin's settings is written into its module. */
export interface ModuleSettings {
  /** Pages of 64 KiB that its memory may have. */
  readonly memoryPages: number;
  /** Its instructions are counted. */
  readonly fuel: boolean;
}

/**
 * Checks, rewrites and compiles a module; takes some 40 ms per MB of code and blocks meanwhile.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function loadModule(bytes: Uint8Array, settings: ModuleSettings): LoadedModule {
  const outline = readOutline(bytes);
  // A memory without a page has no place in the address space yet, and nothing to be watched by.
  const hasPages = (outline.memory?.pagesMin ?? 0) > 0;
  const watched = hasPages && meter.watch !== undefined;
  const { bytes: written, ...rewritten } = instrument(bytes, {
    memoryPagesMax: settings.memoryPages,
    tableEntriesMax: LIMITS.guestTableEntriesMax,
    checks: { poll: watched, fuel: settings.fuel || !watched },
  });
  refuseObjects(rewritten.traits);
  const { setFuel, restore } = rewritten.names;
  const callable = [...callableExports(outline), { name: restore, params: 0, results: 1 }];
  if (setFuel !== undefined) callable.push({ name: setFuel, params: 1, results: 1 });
  return { module: compileModule(written), outline, callable, rewritten, watched };
}

/**
 * The engine collects structs and arrays as it does JavaScript's objects, on one heap for all:
 * a guest that keeps them would take memory that is the worker's.
 * @throws ModuleError when the module has types for them
 */
export function refuseObjects({ hasObjects }: ModuleTraits): void {
  if (!hasObjects) return;
  throw new ModuleError(
    "UNSUPPORTED",
    "Cannot run this module: it has types of structs or arrays, whose memory limits.memory " +
      "cannot bound; compile it without garbage collection by the engine",
  );
}

function callableExports(outline: ModuleOutline): Callable[] {
  const callable: Callable[] = [];
  for (const { name, type } of outline.exports) {
    if (type === undefined || type.results.length > 1) continue;
    const { params, results } = type;
    if (![...params, ...results].every((each) => each === "i32")) continue;
    callable.push({ name, params: params.length, results: results.length });
  }
  return callable;
}
