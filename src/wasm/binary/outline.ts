import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ModuleError } from "./module-error.ts";
import { readSections, SECTION, type Section, sectionReader } from "./sections.ts";

/**
 * What a module says about itself before it is compiled: types, imports, exports, memory, start.
 * Code bodies are left to the engine. Made for inspection, and the base of every rewrite.
 */
export interface ModuleOutline {
  readonly byteLength: number;
  readonly sections: readonly Section[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Its own memory; an imported one stands in `imports`. */
  readonly memory: MemoryLimits | undefined;
  /** Index of the start function, imported ones counted first. */
  readonly startFunction: number | undefined;
}

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref";

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

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
  const types = all(sectionReader(bytes, sections, SECTION.type), "types", readType);
  const imports = all(sectionReader(bytes, sections, SECTION.import), "imports", (reader) =>
    readImport(reader, types),
  );
  const own = all(sectionReader(bytes, sections, SECTION.function), "functions", (reader) =>
    typeAt(reader, types),
  );
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

const FUNCTION_FORM = 0x60;
const VALUE_TYPES: Readonly<Record<number, ValueType>> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
  0x70: "funcref",
  0x6f: "externref",
};

function readType(reader: ByteReader): FunctionType {
  const start = reader.offset;
  const form = reader.byte("a type");
  if (form !== FUNCTION_FORM) {
    throw reader.unsupported(`type form 0x${form.toString(16)} is no function type`, start);
  }
  return {
    params: readValueTypes(reader, "parameters"),
    results: readValueTypes(reader, "results"),
  };
}

function readValueTypes(reader: ByteReader, what: string): ValueType[] {
  const types: ValueType[] = [];
  for (let left = reader.count(what); left > 0; left--) types.push(readValueType(reader));
  return types;
}

function readValueType(reader: ByteReader): ValueType {
  const start = reader.offset;
  const code = reader.byte("a value type");
  const type = VALUE_TYPES[code];
  if (type === undefined) {
    throw reader.unsupported(`value type 0x${code.toString(16)} is not known`, start);
  }
  return type;
}

function typeAt(reader: ByteReader, types: readonly FunctionType[]): FunctionType {
  const start = reader.offset;
  const index = reader.u32("a type index");
  const type = types[index];
  if (type === undefined) {
    throw reader.malformed(`type ${index} does not exist, there are ${types.length}`, start);
  }
  return type;
}

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];

function readKind(reader: ByteReader): ExternKind {
  const start = reader.offset;
  const code = reader.byte("a kind");
  const kind = KINDS[code];
  if (kind === undefined) throw reader.malformed(`kind ${code} is not known`, start);
  return kind;
}

function readImport(reader: ByteReader, types: readonly FunctionType[]): ModuleImport {
  const module = reader.text("an import's module");
  const name = reader.text("an import's name");
  const kind = readKind(reader);
  let type: FunctionType | undefined;
  switch (kind) {
    case "function":
      type = typeAt(reader, types);
      break;
    case "table":
      readValueType(reader);
      readLimits(reader);
      break;
    case "memory":
      readLimits(reader);
      break;
    case "global":
      readValueType(reader);
      reader.byte("a global's mutability");
      break;
    case "tag":
      reader.byte("a tag's attribute");
      typeAt(reader, types);
      break;
  }
  return { module, name, kind, type };
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

const LIMITS_HAS_MAX = 1;
const LIMITS_KNOWN = 1;

function readLimits(reader: ByteReader): { min: number; max: number | undefined } {
  const start = reader.offset;
  const flags = reader.byte("limits");
  if (flags > LIMITS_KNOWN) {
    throw reader.unsupported("shared and 64-bit memories and tables cannot be used", start);
  }
  const min = reader.u32("a minimum");
  return { min, max: flags === LIMITS_HAS_MAX ? reader.u32("a maximum") : undefined };
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
