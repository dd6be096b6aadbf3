import { LIMITS } from "../base/limits.ts";
import { ModuleError } from "./binary/module-error.ts";
import { type ModuleOutline, readOutline } from "./binary/outline.ts";
import { instrument } from "./instrument/instrument.ts";
import type { ModuleTraits } from "./instrument/traits.ts";
import type { ModuleSettings, RewrittenModule } from "./module.ts";

export interface RewriteOptions {
  /** Whether the process that will run it has a watch. */
  readonly canWatch: boolean;
  /** False: see InstrumentOptions. */
  readonly validate?: boolean;
}

/**
 * Checks and rewrites a module; takes some 20 ms per MB of code and blocks meanwhile.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function rewriteModule(
  bytes: Uint8Array,
  settings: ModuleSettings,
  { canWatch, validate = true }: RewriteOptions,
  outline: ModuleOutline = readOutline(bytes),
): RewrittenModule {
  // A memory without a page has no place in the address space yet, and nothing to be watched by.
  const hasPages = (outline.memory?.pagesMin ?? 0) > 0;
  const watched = hasPages && canWatch;
  const rewritten = instrument(bytes, {
    memoryPagesMax: settings.memoryPages,
    tableEntriesMax: LIMITS.guestTableEntriesMax,
    checks: { poll: watched, fuel: settings.fuel || !watched },
    validate,
  });
  refuseObjects(rewritten.traits);
  return { ...rewritten, watched };
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
