import { messageOf } from "../base/errors.ts";
import { ModuleError } from "./binary/module-error.ts";
import { type ModuleOutline, readOutline } from "./binary/outline.ts";
import { exportStart } from "./binary/start-export.ts";

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
  return { module: compile(rewritten.bytes), outline, startExport: rewritten.name };
}

/** @throws ModuleError with the engine's reason when it refuses the module */
export function validateModule(bytes: Uint8Array): void {
  if (WebAssembly.validate(bytes)) return;
  compile(bytes); // Compiled only to learn the reason: validate() gives none.
  throw new ModuleError("INVALID", "Cannot compile the module: the engine refuses it");
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw refused(error);
  }
}

/** The engine's message, without its name for what we did and the source line that it quotes. */
function refused(error: unknown): ModuleError {
  const message = messageOf(error)
    .replace(/^WebAssembly\.Module /, "")
    .replace(/ \(evaluating '.*$/s, "");
  return new ModuleError("INVALID", `Cannot compile the module: the engine says "${message}"`, {
    cause: error,
  });
}
