import { assert } from "../base/assert.ts";
import type { loadModule } from "../wasm/load-module.ts";
import { compileRewritten, type LoadedModule } from "../wasm/module.ts";
import { meter } from "../wasm/sandbox/meter.ts";
import type { PlanModule } from "./messages.ts";

/**
 * Modules of plans, as a worker gets them: rewritten by the master, or to be rewritten here. What
 * that takes is loaded when it is needed, which at a start it mostly is not.
 */
export class ModuleLoader {
  #loadModule: typeof loadModule | undefined;

  /** To be awaited before load() is called for any of them. */
  async prepare(modules: readonly PlanModule[]): Promise<void> {
    if (this.#loadModule !== undefined || !modules.some(needsRewriting)) return;
    ({ loadModule: this.#loadModule } = await import("../wasm/load-module.ts"));
  }

  /** @throws ModuleError naming what is wrong and at which byte */
  load(module: PlanModule): LoadedModule {
    const { name, hash, bytes, settings, rewritten } = module;
    assert(bytes !== undefined, `Cannot find the bytes of plugin ${name} (${hash})`);
    if (rewritten !== undefined && !needsRewriting(module))
      return compileRewritten(bytes, rewritten);
    assert(this.#loadModule !== undefined, `Cannot rewrite plugin ${name}: not prepared`);
    return this.#loadModule(bytes, settings);
  }
}

function needsRewriting({ bytes, rewritten }: PlanModule): boolean {
  if (bytes === undefined) return false;
  return rewritten === undefined || (rewritten.watched && meter.watch === undefined);
}
