import { systemLibc } from "../base/libc.ts";
import { LIMITS } from "../base/limits.ts";
import type { RewrittenModule } from "../wasm/module.ts";
import { rewriteModule } from "../wasm/rewrite.ts";
import type { PlanModule } from "./messages.ts";

/**
 * Rewrites modules in the master while the first workers are still loading their code, once for all
 * of them. Only for a start: later a module that takes long must not hold up who watches over the
 * workers. The workers get the rest, and what cannot be rewritten, of which they say why.
 * @param isAwaited a worker has nothing to do but to wait for the modules
 */
export async function rewriteAhead(
  modules: readonly PlanModule[],
  isAwaited: () => boolean,
): Promise<PlanModule[]> {
  const ahead: PlanModule[] = [];
  let left: number = LIMITS.rewrittenAheadBytesMax;
  for (const module of modules) {
    // Lets the message in that says so.
    if (ahead.length > 0) await new Promise((resolve) => setImmediate(resolve));
    left -= module.bytes?.byteLength ?? 0;
    ahead.push(left < 0 || isAwaited() ? module : { ...module, rewritten: rewrite(module) });
  }
  return ahead;
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
