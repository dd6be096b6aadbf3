import { LIMITS } from "../base/limits.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import { type ModuleOutline, readOutline } from "../wasm/binary/outline.ts";
import { instrument } from "../wasm/instrument/instrument.ts";
import { refuseObjects } from "../wasm/rewrite.ts";
import { type AbiChoice, inspectOutline, type ModuleReport } from "./inspect-outline.ts";

/** It may still be put back: only an instance that has run that code cannot. */
const MAY_CHANGE = "its code can change its tables or drop segments: when it has, it cannot";

/** Looks at a module from every side; never throws, whatever the bytes are. */
export function inspectModule(bytes: Uint8Array, abi: AbiChoice = "auto"): ModuleReport {
  return inspect(bytes, abi, () => obstaclesOf(bytes));
}

/**
 * The same without its code, which is nearly all of the work: problems of that are found by who
 * loads the module.
 */
export function inspectInterface(bytes: Uint8Array, abi: AbiChoice = "auto"): ModuleReport {
  return inspect(bytes, abi, () => undefined);
}

/** @param lookAtCode @throws ModuleError */
function inspect(
  bytes: Uint8Array,
  abi: AbiChoice,
  lookAtCode: () => string[] | undefined,
): ModuleReport {
  let outline: ModuleOutline | undefined;
  try {
    outline = readOutline(bytes);
    return { ...inspectOutline(outline, abi), obstacles: lookAtCode() };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    // What the outline shows is nearer to what its author did.
    const report = outline && inspectOutline(outline, abi);
    if (report !== undefined && error.code !== "INVALID" && report.problems.length > 0) {
      return report;
    }
    return {
      byteLength: bytes.byteLength,
      abi: "unknown",
      imports: [],
      exports: [],
      callbacks: [],
      missing: [],
      pages: undefined,
      obstacles: undefined,
      problems: [{ code: error.code, message: error.message }],
    };
  }
}

/** @throws ModuleError when it cannot be rewritten, or the engine refuses it */
function obstaclesOf(bytes: Uint8Array): string[] {
  const { traits } = instrument(bytes, {
    memoryPagesMax: LIMITS.guestPagesMax,
    tableEntriesMax: LIMITS.guestTableEntriesMax,
    checks: { poll: true, fuel: true },
  });
  refuseObjects(traits);
  const changes = traits.mayTaint ? [MAY_CHANGE] : [];
  return [...new Set([...traits.unrestorable, ...traits.uncopyable, ...changes])];
}
