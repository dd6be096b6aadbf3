import { type ModuleOutline, readOutline } from "./binary/outline.ts";
import { compileModule, validateModule } from "./compile.ts";
import type { InstrumentedModule } from "./instrument/instrument.ts";

/** A module that can be instantiated. */
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

/** A module as it was rewritten; no engine may have seen it yet. Plain data: it can travel. */
export interface RewrittenModule extends InstrumentedModule {
  /** It polls: its guests need a watch. */
  readonly watched: boolean;
}

/**
 * Compiles a module that was rewritten elsewhere, by a process that has not asked the engine about
 * it. Why the original is validated: a rewrite could turn an invalid module into a valid one.
 * @param bytes the original
 * @throws ModuleError when the engine refuses it
 */
export function compileRewritten(bytes: Uint8Array, rewritten: RewrittenModule): LoadedModule {
  validateModule(bytes);
  return compileValidated(readOutline(bytes), rewritten);
}

/** @param outline of the original, which the engine has validated */
export function compileValidated(outline: ModuleOutline, module: RewrittenModule): LoadedModule {
  const { bytes, watched, ...rewritten } = module;
  const { setFuel, restore } = rewritten.names;
  const callable = [...callableExports(outline), { name: restore, params: 0, results: 1 }];
  if (setFuel !== undefined) callable.push({ name: setFuel, params: 1, results: 1 });
  return { module: compileModule(bytes), outline, callable, rewritten, watched };
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
