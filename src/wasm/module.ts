import { type ModuleOutline, readOutline } from "./binary/outline.ts";
import { exportStart } from "./binary/start-export.ts";
import { compileModule, validateModule } from "./compile.ts";

/**
 * From a file's bytes to a compiled module.
 *
 *   bytes ─▶ outline (limits, strict) ─▶ engine validates the original ─▶ rewrite ─▶ compile
 *
 * Why the original is validated: a rewrite could turn an invalid module into a valid one.
 */
export interface LoadedModule {
  readonly module: WebAssembly.Module;
  /** Of the original bytes. */
  readonly outline: ModuleOutline;
  /** Export to call first, once memory is attached; undefined when there was no start section. */
  readonly startExport: string | undefined;
}

/**
 * Checks, rewrites and compiles a module; takes some 10 ms per MB of code and blocks meanwhile.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function loadModule(bytes: Uint8Array): LoadedModule {
  const outline = readOutline(bytes);
  validateModule(bytes);
  const rewritten = exportStart(bytes, outline);
  return { module: compileModule(rewritten.bytes), outline, startExport: rewritten.name };
}
