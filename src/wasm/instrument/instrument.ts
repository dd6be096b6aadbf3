import { ModuleError } from "../binary/module-error.ts";
import { type ModuleOutline, readOutline } from "../binary/outline.ts";
import { SECTION, sectionReader } from "../binary/sections.ts";
import type { ValueType } from "../binary/value-types.ts";
import { validateModule } from "../compile.ts";
import { LIMITS } from "../../base/limits.ts";
import { addedFunctions } from "./added-functions.ts";
import { planChecks } from "./check-plan.ts";
import { emitCode } from "./emit-code.ts";
import { emitModule } from "./emit-module.ts";
import { layOut } from "./layout.ts";
import { nameExports } from "./private-names.ts";
import { scanCode } from "./scan-code.ts";
import { type ModuleShape, readShape } from "./shape.ts";
import { EDIT, emptyScan, type ScannedCode } from "./trace.ts";
import { type ModuleTraits, readTraits } from "./traits.ts";

export interface InstrumentOptions {
  /** Pages of 64 KiB; the memory's maximum becomes this or its own, whichever is less. */
  readonly memoryPagesMax: number;
  /** The same for every table. */
  readonly tableEntriesMax: number;
  /** What a check does. In a module without a memory `poll` means `fuel`. */
  readonly checks: { readonly poll: boolean; readonly fuel: boolean };
}

export interface InstrumentedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of the exports that were added; one that the module has already gets longer. */
  readonly names: {
    /** () -> (): what the start section ran. */
    readonly start: string | undefined;
    /** () -> (): writes the data segments that were active; to be called before `start`. */
    readonly initialize: string | undefined;
    /** (i32) -> i32: sets the units that are left, returns what was left, as near as an i32 is. */
    readonly setFuel: string | undefined;
    /** () -> (): copies the mutable globals aside. */
    readonly capture: string;
    /**
     * () -> i32: puts them back; 1 when a table or a segment has been changed by code since
     * capture() or since instantiation, which is not put back.
     */
    readonly restore: string;
  };
  /** The exported mutable globals: the module's own that had to be exported, and `pages`. */
  readonly globals: readonly { readonly name: string; readonly type: ValueType }[];
  /** Exported mutable i32: pages of memory 0 that the guest sees; undefined when it never grows. */
  readonly pages: string | undefined;
  readonly traits: ModuleTraits;
}

/**
 * Rewrites a module so that it can be stopped, bounded, and put back.
 *
 *   bytes ─▶ outline ─▶ shape, code (limits, strict) ─▶ engine validates ─▶ plan ─▶ emit
 *
 * What is added stands at the end of its index space, so no index changes. A check that polls
 * stores into the page below 4 GiB, which is reserved but never a part of the memory: the host maps
 * a page there, and takes it away when the time is up, which the engine turns into a trap. A check
 * for fuel subtracts from a global and traps below zero.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function instrument(bytes: Uint8Array, options: InstrumentOptions): InstrumentedModule {
  const outline = readOutline(bytes);
  const shape = readShape(bytes, outline);
  checkSizes(shape, options);
  checkResults(outline);
  const scan = scanModule(bytes, outline, shape);
  validateModule(bytes);
  const poll = options.checks.poll && shape.memory !== undefined;
  const fuel = options.checks.fuel || (options.checks.poll && !poll);
  const mayTaint = hasEdit(scan, EDIT.taint);
  const layout = layOut(outline, shape, { fuel, taint: mayTaint, pages: hasEdit(scan, EDIT.grow) });
  const mutableGlobals = [...shape.globals.entries()]
    .filter(([, { mutable }]) => mutable)
    .map(([own]) => shape.importedGlobals + own);
  const names = nameExports(new Set(outline.exports.map(({ name }) => name)), layout, {
    hasStart: outline.startFunction !== undefined,
    mutableGlobals,
  });
  const pagesMax = memoryMax(shape, options);
  const added = addedFunctions(layout, { bytes, data: shape.data, pagesMax });
  const plan = planChecks(scan, shape.importedFunctions, ownTaken(shape));
  const code = emitCode({ bytes, scan, plan, layout, poll }, added);
  const { start, initialize, setFuel, capture, restore, pages } = names;
  return {
    bytes: emitModule({
      bytes,
      outline,
      shape,
      layout,
      names,
      mutableGlobals,
      added,
      code,
      memoryPagesMax: pagesMax,
      tableEntriesMax: options.tableEntriesMax,
    }),
    names: { start, initialize, setFuel, capture, restore },
    globals: listGlobals(shape, names, mutableGlobals),
    pages,
    traits: readTraits(shape, outline.types, mayTaint),
  };
}

function scanModule(bytes: Uint8Array, outline: ModuleOutline, shape: ModuleShape): ScannedCode {
  const reader = sectionReader(bytes, outline.sections, SECTION.code);
  if (reader === undefined) return emptyScan(0, 0);
  const own = outline.functions.slice(shape.importedFunctions);
  return scanCode(reader, {
    params: own.map(({ params }) => params.length),
    functions: outline.functions.length,
    onReference: (index) => {
      shape.taken[index] = 1;
    },
  });
}

/** The page for polls must not become a part of the memory. */
const MEMORY_PAGES_POSSIBLE = 65_535;

function memoryMax(shape: ModuleShape, { memoryPagesMax }: InstrumentOptions): number {
  return Math.min(shape.memory?.max ?? Infinity, memoryPagesMax, MEMORY_PAGES_POSSIBLE);
}

function checkSizes(shape: ModuleShape, options: InstrumentOptions): void {
  const { memory, tables } = shape;
  const pagesMax = Math.min(options.memoryPagesMax, MEMORY_PAGES_POSSIBLE);
  if (memory !== undefined && memory.min > pagesMax) {
    const pages = `${memory.min} pages of memory at its start`;
    throw new ModuleError(
      "TOO_LARGE",
      `Cannot run a module with ${pages}: the limit is ${pagesMax}`,
    );
  }
  const entriesMax = Math.min(options.tableEntriesMax, LIMITS.moduleTableEntriesMax);
  for (const { limits } of tables) {
    if (limits.min <= entriesMax) continue;
    const entries = `a table of ${limits.min} entries at its start`;
    throw new ModuleError(
      "TOO_LARGE",
      `Cannot run a module with ${entries}: the limit is ${entriesMax}`,
    );
  }
}

function checkResults({ sections, types }: ModuleOutline): void {
  let widest = 0;
  for (const type of types) {
    if (typeof type === "object") widest = Math.max(widest, type.results.length);
  }
  const code = sections.find(({ id }) => id === SECTION.code);
  if (code === undefined) return;
  const size = code.end - code.bodyStart;
  if (size * widest <= LIMITS.moduleResultBytesMax) return;
  const what = `${size} bytes of code and a type of ${widest} results`;
  const max = LIMITS.moduleResultBytesMax;
  throw new ModuleError(
    "TOO_LARGE",
    `Cannot load a module with ${what}: the limit of their product is ${max}`,
    { offset: code.start },
  );
}

function hasEdit({ edits }: ScannedCode, kind: number): boolean {
  for (let edit = 0; edit < edits.length; edit++)
    if (edits.fields[3 * edit + 1] === kind) return true;
  return false;
}

function ownTaken(shape: ModuleShape): Uint8Array {
  return shape.taken.subarray(shape.importedFunctions);
}

function listGlobals(
  shape: ModuleShape,
  names: { readonly globals: readonly string[]; readonly pages: string | undefined },
  mutableGlobals: readonly number[],
): InstrumentedModule["globals"] {
  const listed = mutableGlobals.map((global, at) => ({
    name: names.globals[at] ?? "",
    type: shape.globals[global - shape.importedGlobals]?.type ?? "i32",
  }));
  return names.pages === undefined ? listed : [...listed, { name: names.pages, type: "i32" }];
}
