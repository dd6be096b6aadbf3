import { readOutline } from "./binary/outline.ts";
import { compileValidated, type LoadedModule, type ModuleSettings } from "./module.ts";
import { rewriteModule } from "./rewrite.ts";
import { meter } from "./sandbox/meter.ts";

/**
 * From a file's bytes to a compiled module.
 *
 *   bytes ─▶ outline ─▶ loader limits ─▶ engine validates the original ─▶ rewrite ─▶ compile
 *
 * Takes some 40 ms per MB of code and blocks meanwhile.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function loadModule(bytes: Uint8Array, settings: ModuleSettings): LoadedModule {
  const outline = readOutline(bytes);
  const canWatch = meter.watch !== undefined;
  return compileValidated(outline, rewriteModule(bytes, settings, { canWatch }, outline));
}
