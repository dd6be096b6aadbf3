import type { ByteReader } from "./byte-reader.ts";
import type { CompositeType, FunctionType } from "./type-section.ts";
import { readValueType, type ValueType } from "./value-types.ts";

/** What crosses a module's border, and how its type is written in every section. */
export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

/** Entries of a table, or pages of 64 KiB of a memory. */
export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
}

export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

export interface TableType {
  readonly type: ValueType;
  readonly limits: Limits;
}

export interface ImportEntry {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of functions only. */
  readonly type: FunctionType | undefined;
  /** Of globals only. */
  readonly global: GlobalType | undefined;
}

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];

export function readKind(reader: ByteReader): ExternKind {
  const start = reader.offset;
  const code = reader.byte("a kind");
  const kind = KINDS[code];
  if (kind === undefined) throw reader.malformed(`kind ${code} is not known`, start);
  return kind;
}

export function readImport(reader: ByteReader, types: readonly CompositeType[]): ImportEntry {
  const module = reader.text("an import's module");
  const name = reader.text("an import's name");
  const kind = readKind(reader);
  let type: FunctionType | undefined;
  let global: GlobalType | undefined;
  switch (kind) {
    case "function":
      type = readFunctionType(reader, types);
      break;
    case "table":
      readTableType(reader);
      break;
    case "memory":
      readLimits(reader);
      break;
    case "global":
      global = readGlobalType(reader);
      break;
    case "tag":
      reader.byte("a tag's attribute");
      readFunctionType(reader, types);
      break;
  }
  return { module, name, kind, type, global };
}

/** An index that has to be a function type's. */
export function readFunctionType(
  reader: ByteReader,
  types: readonly CompositeType[],
): FunctionType {
  const start = reader.offset;
  const index = reader.u32("a type index");
  const type = types[index];
  if (type === undefined) {
    throw reader.malformed(`type ${index} does not exist, there are ${types.length}`, start);
  }
  if (typeof type === "string") {
    throw reader.malformed(`type ${index} is a type of ${type}s, a function's is needed`, start);
  }
  return type;
}

const LIMITS_HAS_MAX = 1;
const LIMITS_KNOWN = 1;

export function readLimits(reader: ByteReader): Limits {
  const start = reader.offset;
  const flags = reader.byte("limits");
  if (flags > LIMITS_KNOWN) {
    throw reader.unsupported("shared and 64-bit memories and tables cannot be used", start);
  }
  const min = reader.u32("a minimum");
  return { min, max: flags === LIMITS_HAS_MAX ? reader.u32("a maximum") : undefined };
}

export function readTableType(reader: ByteReader): TableType {
  return { type: readValueType(reader), limits: readLimits(reader) };
}

export function readGlobalType(reader: ByteReader): GlobalType {
  const type = readValueType(reader);
  return { type, mutable: reader.byte("a global's mutability") === 1 };
}
