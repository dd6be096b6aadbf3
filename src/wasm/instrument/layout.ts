import type { ModuleOutline } from "../binary/outline.ts";
import { isNullable, isReference, type ValueType } from "../binary/value-types.ts";
import type { ModuleShape } from "./shape.ts";

/** A mutable global of the module and its copy. */
export interface Shadow {
  readonly global: number;
  readonly shadow: number;
  readonly type: ValueType;
}

/** Indices of what is added: at the end of each index space, so that none shifts. */
export interface Layout {
  /** () -> (), () -> i32 and (i32) -> i32 */
  readonly types: { readonly act: number; readonly answer: number; readonly exchange: number };
  /** Globals: i64, i32, i32. */
  readonly fuel: number | undefined;
  readonly taint: number | undefined;
  readonly pages: number | undefined;
  readonly shadows: readonly Shadow[];
  readonly functions: {
    readonly grow: number | undefined;
    readonly setFuel: number | undefined;
    readonly initialize: number | undefined;
    readonly capture: number;
    readonly restore: number;
  };
}

export interface Needs {
  readonly fuel: boolean;
  readonly taint: boolean;
  /** Of a virtual size, because the module grows its memory. */
  readonly pages: boolean;
}

export function layOut(outline: ModuleOutline, shape: ModuleShape, needs: Needs): Layout {
  const firstType = outline.types.length;
  let global = shape.importedGlobals + shape.globals.length;
  const fuel = needs.fuel ? global++ : undefined;
  const taint = needs.taint ? global++ : undefined;
  const pages = needs.pages ? global++ : undefined;
  const shadows: Shadow[] = [];
  for (const [own, { type, mutable }] of shape.globals.entries()) {
    if (!mutable || !hasDefault(type)) continue;
    shadows.push({ global: shape.importedGlobals + own, shadow: global++, type });
  }
  if (pages !== undefined) shadows.push({ global: pages, shadow: global++, type: "i32" });
  let next = outline.functions.length;
  return {
    types: { act: firstType, answer: firstType + 1, exchange: firstType + 2 },
    fuel,
    taint,
    pages,
    shadows,
    functions: {
      grow: needs.pages ? next++ : undefined,
      setFuel: needs.fuel ? next++ : undefined,
      initialize: shape.data.some(({ offset }) => offset !== undefined) ? next++ : undefined,
      capture: next++,
      restore: next++,
    },
  };
}

/** False for references that cannot be null: there is no value to begin a global of them with. */
export function hasDefault(type: ValueType): boolean {
  return !isReference(type) || isNullable(type);
}
