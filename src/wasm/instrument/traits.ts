import type { CompositeType } from "../binary/type-section.ts";
import { heapTypeOf, isReference, type ValueType } from "../binary/value-types.ts";
import { hasDefault } from "./layout.ts";
import type { ModuleShape } from "./shape.ts";

/** What stands in the way of putting an instance back to a captured state. */
export interface ModuleTraits {
  /**
   * Reasons, in words for operators, why a captured state cannot be put back into the same
   * instance. Empty: it can.
   */
  readonly unrestorable: readonly string[];
  /** Reasons why it cannot be copied into another instance; those of unrestorable are included. */
  readonly uncopyable: readonly string[];
  /** True when code changes tables or drops segments, which restore() then tells. */
  readonly mayTaint: boolean;
  /** It has types of structs or arrays: objects outside of its memory, which no limit bounds. */
  readonly hasObjects: boolean;
}

export function readTraits(
  shape: ModuleShape,
  types: readonly CompositeType[],
  mayTaint: boolean,
): ModuleTraits {
  const unrestorable: string[] = [];
  const uncopyable: string[] = [];
  for (const { module, name, global } of shape.imports) {
    if (global === undefined || !reachesHeap(global.type, types)) continue;
    unrestorable.push(`imported global "${module}.${name}" of type ${global.type} ${HEAP}`);
  }
  for (const [own, { type, mutable }] of shape.globals.entries()) {
    const index = shape.importedGlobals + own;
    const what = `${mutable ? "mutable " : ""}global ${index} of type ${type}`;
    if (reachesHeap(type, types)) unrestorable.push(`${what} ${HEAP}`);
    else if (!mutable) continue;
    else if (isExternal(type)) unrestorable.push(`${what} refers to objects of the host`);
    else if (!hasDefault(type)) unrestorable.push(`${what} cannot be copied: it is never null`);
    else if (type === "v128" || isReference(type)) {
      uncopyable.push(`${what} has a value that cannot be handed to another instance`);
    }
  }
  for (const [own, { type }] of shape.tables.entries()) {
    if (reachesHeap(type, types)) unrestorable.push(`table ${own} of type ${type} ${HEAP}`);
  }
  const hasObjects = types.some((type) => typeof type === "string");
  return { unrestorable, uncopyable: [...unrestorable, ...uncopyable], mayTaint, hasObjects };
}

const HEAP = "leads to objects that can change and are not captured";

/** Objects behind these may change without the global or the table changing. */
function reachesHeap(type: ValueType, types: readonly CompositeType[]): boolean {
  if (!isReference(type)) return false;
  const heap = heapTypeOf(type);
  if (["any", "eq", "struct", "array", "exn"].includes(heap)) return true;
  return typeof types[Number(heap)] === "string";
}

function isExternal(type: ValueType): boolean {
  return isReference(type) && heapTypeOf(type) === "extern";
}
