import { messageOf } from "../base/errors.ts";
import { ModuleError } from "./binary/module-error.ts";

/** @throws ModuleError with the engine's reason when it refuses the module */
export function validateModule(bytes: Uint8Array): void {
  if (WebAssembly.validate(bytes)) return;
  compileModule(bytes); // Compiled only to learn the reason: validate() gives none.
  throw new ModuleError("INVALID", "Cannot compile the module: the engine refuses it");
}

/** @throws ModuleError with the engine's reason */
export function compileModule(bytes: Uint8Array): WebAssembly.Module {
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
