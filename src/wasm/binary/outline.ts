import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type ExternKind, readFunctionType, readImport, readKind, readLimits } from "./externs.ts";
import { ModuleError } from "./module-error.ts";
import { readSections, SECTION, type Section, sectionReader } from "./sections.ts";
import { type CompositeType, type FunctionType, readTypes } from "./type-section.ts";

export type { ExternKind } from "./externs.ts";
export type { FunctionType } from "./type-section.ts";
export type { ValueType } from "./value-types.ts";

/**
 * What a module says about itself before it is compiled: types, imports, exports, memory, start.
 * Code bodies are left to the engine. Made for inspection, and the base of every rewrite.
 */
export interface ModuleOutline {
  readonly byteLength: number;
  readonly sections: readonly Section[];
  readonly types: readonly CompositeType[];
  /** Of all functions, imported ones first. */
  readonly functions: readonly FunctionType[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Its own memory; an imported one stands in `imports`. */
  readonly memory: MemoryLimits | undefined;
  /** Index of the start function, imported ones counted first. */
  readonly startFunction: number | undefined;
}

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of functions only. */
  readonly type: FunctionType | undefined;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
  /** Of functions only. */
  readonly type: FunctionType | undefined;
}

export interface MemoryLimits {
  /** In pages of 64 KiB. */
  readonly pagesMin: number;
  readonly pagesMax: number | undefined;
}

/**
 * Reads a module's outline, strictly: every count, index and length is checked.
 * @throws ModuleError naming what is wrong and at which byte
 */
export function readOutline(bytes: Uint8Array): ModuleOutline {
  if (bytes.byteLength > LIMITS.moduleBytesMax) {
    throw new ModuleError(
      "TOO_LARGE",
      `Cannot load a module of ${bytes.byteLength} bytes: the limit is ${LIMITS.moduleBytesMax}`,
    );
  }
  const sections = readSections(bytes);
  const typeReader = sectionReader(bytes, sections, SECTION.type);
  const types = typeReader === undefined ? [] : readTypes(typeReader);
  const imports = all(sectionReader(bytes, sections, SECTION.import), "imports", (reader) => {
    const { module, name, kind, type } = readImport(reader, types);
    return { module, name, kind, type };
  });
  const own = readOwnFunctions(sectionReader(bytes, sections, SECTION.function), types);
  if (own.length > 0 && !sections.some((section) => section.id === SECTION.code)) {
    throw new ModuleError(
      "TRUNCATED",
      `Cannot read the code section: ${own.length} functions are declared and the file ends`,
      { offset: bytes.byteLength },
    );
  }
  const functions: FunctionType[] = [];
  for (const each of imports) if (each.type !== undefined) functions.push(each.type);
  functions.push(...own);
  const exports = all(sectionReader(bytes, sections, SECTION.export), "exports", (reader) =>
    readExport(reader, functions),
  );
  const memories = all(sectionReader(bytes, sections, SECTION.memory), "memories", readMemory);
  if (memories.length > 1) {
    throw new ModuleError("UNSUPPORTED", "Cannot run a module with several memories");
  }
  return {
    byteLength: bytes.byteLength,
    sections,
    types,
    functions,
    imports,
    exports,
    memory: memories[0],
    startFunction: readStart(sectionReader(bytes, sections, SECTION.start), functions),
  };
}

/** For messages: "(i32, i64) -> i32". */
export function renderType(type: FunctionType): string {
  const results = type.results.length === 0 ? "()" : type.results.join(", ");
  return `(${type.params.join(", ")}) -> ${results}`;
}

/** The entries of a section that is a vector, none when the section is missing. */
function all<T>(reader: ByteReader | undefined, what: string, read: (from: ByteReader) => T): T[] {
  if (reader === undefined) return [];
  const entries: T[] = [];
  for (let left = reader.count(what); left > 0; left--) entries.push(read(reader));
  reader.expectDone();
  return entries;
}

function readOwnFunctions(
  reader: ByteReader | undefined,
  types: readonly CompositeType[],
): FunctionType[] {
  const functions = all(reader, "functions", (each) => readFunctionType(each, types));
  if (reader !== undefined && functions.length > LIMITS.moduleFunctionsMax) {
    throw reader.tooLarge(`${functions.length} functions`, LIMITS.moduleFunctionsMax);
  }
  return functions;
}

function readExport(reader: ByteReader, functions: readonly FunctionType[]): ModuleExport {
  const name = reader.text("an export's name");
  const kind = readKind(reader);
  const start = reader.offset;
  const index = reader.u32(`index of export "${name}"`);
  if (kind !== "function") return { name, kind, type: undefined };
  const type = functions[index];
  if (type === undefined) {
    throw reader.malformed(
      `export "${name}" is function ${index}, there are ${functions.length}`,
      start,
    );
  }
  return { name, kind, type };
}

function readMemory(reader: ByteReader): MemoryLimits {
  const { min, max } = readLimits(reader);
  return { pagesMin: min, pagesMax: max };
}

function readStart(
  reader: ByteReader | undefined,
  functions: readonly FunctionType[],
): number | undefined {
  if (reader === undefined) return undefined;
  const index = reader.u32("the start function");
  reader.expectDone();
  const type = functions[index];
  if (type === undefined || type.params.length > 0 || type.results.length > 0) {
    throw reader.malformed(`function ${index} cannot be the start function`);
  }
  return index;
}
