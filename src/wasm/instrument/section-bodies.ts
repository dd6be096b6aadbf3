import { encodeI32, encodeU32 } from "../binary/leb128.ts";
import type { ModuleOutline } from "../binary/outline.ts";
import { SECTION, sectionReader } from "../binary/sections.ts";
import type { ValueType } from "../binary/value-types.ts";
import { encodeName, joinBytes } from "../binary/writer.ts";
import type { AddedFunction } from "./added-functions.ts";
import type { Layout } from "./layout.ts";
import type { AddedNames } from "./private-names.ts";
import type { ModuleShape } from "./shape.ts";

export interface SectionBodiesOptions {
  readonly bytes: Uint8Array;
  readonly outline: ModuleOutline;
  readonly shape: ModuleShape;
  readonly layout: Layout;
  readonly names: AddedNames;
  readonly mutableGlobals: readonly number[];
  readonly added: readonly AddedFunction[];
  /** The body of the code section. */
  readonly code: Uint8Array;
  readonly memoryPagesMax: number;
  readonly tableEntriesMax: number;
}

/** Bodies of the sections that change, by id. */
export function newBodies(options: SectionBodiesOptions): Map<number, Uint8Array> {
  const { outline, shape, layout, added } = options;
  const bodies = new Map<number, Uint8Array>();
  bodies.set(SECTION.type, longer(options, SECTION.type, ADDED_TYPES));
  const types = added.map(({ type }) => encodeU32(type));
  bodies.set(SECTION.function, longer(options, SECTION.function, types));
  const globals = addedGlobals(options);
  if (globals.length > 0) bodies.set(SECTION.global, longer(options, SECTION.global, globals));
  const exports = addedExports(options);
  bodies.set(SECTION.export, longer(options, SECTION.export, exports));
  bodies.set(SECTION.code, options.code);
  if (shape.tables.length > 0) bodies.set(SECTION.table, tableSection(options));
  if (shape.memory !== undefined) {
    const { min, max } = shape.memory;
    const limits = encodeLimits(min, Math.min(max ?? Infinity, options.memoryPagesMax));
    bodies.set(SECTION.memory, joinBytes([encodeU32(1), limits]));
  }
  if (layout.functions.initialize !== undefined) {
    bodies.set(SECTION.data, dataSection(options));
    if (!outline.sections.some(({ id }) => id === SECTION.dataCount)) {
      bodies.set(SECTION.dataCount, encodeU32(shape.data.length));
    }
  }
  return bodies;
}

const I32 = 0x7f;
const I64 = 0x7e;

const ADDED_TYPES = [
  [0x60, 0, 0],
  [0x60, 0, 1, I32],
  [0x60, 1, I32, 1, I32],
].map((type) => Uint8Array.from(type));

/** A vector section with entries behind its old ones. */
function longer(
  { bytes, outline }: SectionBodiesOptions,
  id: number,
  entries: readonly Uint8Array[],
): Uint8Array {
  const reader = sectionReader(bytes, outline.sections, id);
  const count = reader?.u32("number of entries") ?? 0;
  const old = reader === undefined ? new Uint8Array() : bytes.subarray(reader.offset, reader.end);
  return joinBytes([encodeU32(count + entries.length), old, ...entries]);
}

const MUTABLE = 1;
const END = 0x0b;
/** The largest i32: code that runs before anybody has set the fuel ends all the same. */
const FUEL_AT_START = [0x42, 0xff, 0xff, 0xff, 0xff, 0x07];

function addedGlobals({ bytes, shape, layout }: SectionBodiesOptions): Uint8Array[] {
  const globals: Uint8Array[] = [];
  if (layout.fuel !== undefined) {
    globals.push(Uint8Array.from([I64, MUTABLE, ...FUEL_AT_START, END]));
  }
  if (layout.taint !== undefined) globals.push(Uint8Array.from([I32, MUTABLE, 0x41, 0, END]));
  if (layout.pages !== undefined) globals.push(pagesGlobal(shape.memory?.min ?? 0));
  for (const { global, type } of layout.shadows) {
    const own = shape.globals[global - shape.importedGlobals];
    // The one that is not the module's own is the number of pages.
    const { start, end } = own?.typeAt ?? { start: 0, end: 0 };
    const code = own === undefined ? [I32] : [...bytes.subarray(start, end)];
    globals.push(Uint8Array.from([...code, MUTABLE, ...zeroOf(type, code), END]));
  }
  return globals;
}

function pagesGlobal(pages: number): Uint8Array {
  return Uint8Array.from([I32, MUTABLE, 0x41, ...encodeI32(pages), END]);
}

const REF_NULL = 0xd0;
const NULLABLE = 0x63;

const ZEROS: Readonly<Record<string, readonly number[]>> = {
  i32: [0x41, 0],
  i64: [0x42, 0],
  f32: [0x43, 0, 0, 0, 0],
  f64: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  v128: [0xfd, 0x0c, ...new Uint8Array(16)],
};

/** A constant expression, without its end. @param code the type's bytes */
function zeroOf(type: ValueType, code: readonly number[]): readonly number[] {
  // A short form of a reference is the code of its heap type.
  return ZEROS[type] ?? [REF_NULL, ...(code[0] === NULLABLE ? code.slice(1) : code)];
}

const KIND_FUNCTION = 0;
const KIND_GLOBAL = 3;

function addedExports(options: SectionBodiesOptions): Uint8Array[] {
  const { outline, layout, names, mutableGlobals } = options;
  const { initialize, setFuel, capture, restore } = layout.functions;
  const exports: Uint8Array[] = [];
  const add = (name: string | undefined, kind: number, index: number | undefined): void => {
    if (name === undefined || index === undefined) return;
    exports.push(joinBytes([encodeName(name), Uint8Array.of(kind), encodeU32(index)]));
  };
  add(names.start, KIND_FUNCTION, outline.startFunction);
  add(names.initialize, KIND_FUNCTION, initialize);
  add(names.setFuel, KIND_FUNCTION, setFuel);
  add(names.capture, KIND_FUNCTION, capture);
  add(names.restore, KIND_FUNCTION, restore);
  add(names.pages, KIND_GLOBAL, layout.pages);
  for (const [at, global] of mutableGlobals.entries()) add(names.globals[at], KIND_GLOBAL, global);
  return exports;
}

function tableSection({ bytes, shape, tableEntriesMax }: SectionBodiesOptions): Uint8Array {
  const entries = shape.tables.map(({ limits, typeAt, value }) => {
    const { min, max } = limits;
    return joinBytes([
      value === undefined ? new Uint8Array() : Uint8Array.of(0x40, 0),
      bytes.subarray(typeAt.start, typeAt.end),
      encodeLimits(min, Math.min(max ?? Infinity, tableEntriesMax)),
      value === undefined ? new Uint8Array() : bytes.subarray(value.start, value.end),
    ]);
  });
  return joinBytes([encodeU32(entries.length), ...entries]);
}

function encodeLimits(min: number, max: number): Uint8Array {
  return joinBytes([Uint8Array.of(1), encodeU32(min), encodeU32(max)]);
}

const PASSIVE = 1;

/** All segments passive: initialize() writes what instantiating wrote before. */
function dataSection({ bytes, shape }: SectionBodiesOptions): Uint8Array {
  const segments = shape.data.flatMap(({ bytes: { start, end } }) => [
    Uint8Array.of(PASSIVE),
    encodeU32(end - start),
    bytes.subarray(start, end),
  ]);
  return joinBytes([encodeU32(shape.data.length), ...segments]);
}
