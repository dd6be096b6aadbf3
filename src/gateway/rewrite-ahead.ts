import { systemLibc } from "../base/libc.ts";
import { LIMITS } from "../base/limits.ts";
import type { RewrittenModule } from "../wasm/module.ts";
import { rewriteModule } from "../wasm/rewrite.ts";
import type { PlanModule } from "./messages.ts";

/**
 * Rewrites modules in the master while the first workers are still loading their code, once for all
 * of them. Only for a start: later a module that takes long must not hold up who watches over the
 * workers. One that cannot be rewritten is left to the workers too, who say why.
 */
export function rewriteAhead(modules: readonly PlanModule[]): PlanModule[] {
  let left: number = LIMITS.rewrittenAheadBytesMax;
  return modules.map((module) => {
    left -= module.bytes?.byteLength ?? 0;
    return left < 0 ? module : { ...module, rewritten: rewrite(module) };
  });
}

function rewrite({ bytes, settings }: PlanModule): RewrittenModule | undefined {
  if (bytes === undefined) return undefined;
  // Where there is a C library there is a watch; a worker without one starts from the original.
  const canWatch = systemLibc() !== undefined;
  try {
    // The engine is asked by the workers: a module that crashes it must not take the master along.
    return rewriteModule(bytes, settings, { canWatch, validate: false });
  } catch {
    return undefined;
  }
}
