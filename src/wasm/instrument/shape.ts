import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "../binary/byte-reader.ts";
import { CodeReader, readConstant } from "../binary/code-reader.ts";
import {
  type GlobalType,
  type ImportEntry,
  type Limits,
  readGlobalType,
  readImport,
  readKind,
  readLimits,
  readTableType,
  type TableType,
} from "../binary/externs.ts";
import { ModuleError } from "../binary/module-error.ts";
import type { ModuleOutline } from "../binary/outline.ts";
import { SECTION, sectionReader } from "../binary/sections.ts";
import { readValueType } from "../binary/value-types.ts";
import {
  type DataSegment,
  readAll,
  type ReadConstant,
  readData,
  readElements,
  type Span,
} from "./segments.ts";

export interface OwnGlobal extends GlobalType {
  /** Its value type. */
  readonly typeAt: Span;
}

export interface OwnTable extends TableType {
  /** Its initial value, when it has one. */
  readonly value: Span | undefined;
  readonly typeAt: Span;
}

/** What a rewrite has to know of a module beside its code. */
export interface ModuleShape {
  readonly imports: readonly ImportEntry[];
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  readonly memory: Limits | undefined;
  readonly tables: readonly OwnTable[];
  readonly globals: readonly OwnGlobal[];
  readonly data: readonly DataSegment[];
  /** By function, imported ones first: 1 when something takes a reference of it or exports it. */
  readonly taken: Uint8Array;
}

/**
 * Reads the sections around the code, strictly.
 * @throws ModuleError for what is malformed, over a limit, or cannot be kept inside of a sandbox
 */
export function readShape(bytes: Uint8Array, outline: ModuleOutline): ModuleShape {
  const code = new CodeReader(bytes);
  const taken = new Uint8Array(outline.functions.length);
  const constant = (reader: ByteReader): Span => {
    const start = reader.offset;
    code.seek(start, reader.end);
    readConstant(code, (index) => {
      taken[index] = 1; // An index that does not exist is left to the engine.
    });
    reader.offset = code.at;
    return { start, end: code.at };
  };
  const open = (id: number): ByteReader | undefined => sectionReader(bytes, outline.sections, id);
  const imports = readAll(open(SECTION.import), "imports", LIMITS.moduleEntriesMax, (reader) =>
    readImport(reader, outline.types),
  );
  refuseSharedState(imports);
  readAll(open(SECTION.export), "exports", LIMITS.moduleEntriesMax, (reader) => {
    reader.text("an export's name");
    if (readKind(reader) === "function") taken[reader.u32("an index")] = 1;
    else reader.u32("an index");
  });
  const tables = readAll(open(SECTION.table), "tables", LIMITS.moduleTablesMax, (reader) =>
    readTable(reader, constant),
  );
  const memories = readAll(open(SECTION.memory), "memories", 1, readLimits);
  const globals = readAll(open(SECTION.global), "globals", LIMITS.moduleGlobalsMax, (reader) => {
    const start = reader.offset;
    readValueType(reader);
    const typeAt = { start, end: reader.offset };
    reader.offset = start;
    const global = { ...readGlobalType(reader), typeAt };
    constant(reader);
    return global;
  });
  readElements(open(SECTION.element), taken, constant);
  const data = readAll(
    open(SECTION.data),
    "data segments",
    LIMITS.moduleDataSegmentsMax,
    (reader) => readData(reader, constant),
  );
  return {
    imports,
    importedFunctions: imports.filter(({ kind }) => kind === "function").length,
    importedGlobals: imports.filter(({ kind }) => kind === "global").length,
    memory: memories[0],
    tables,
    globals,
    data,
    taken,
  };
}

/** State that lives outside of the instance can neither be bounded nor put back. */
function refuseSharedState(imports: readonly ImportEntry[]): void {
  for (const { kind, module, name, global } of imports) {
    const isMutable = global?.mutable === true;
    if (kind !== "memory" && kind !== "table" && !isMutable) continue;
    const what = isMutable ? "mutable global" : kind;
    throw new ModuleError(
      "UNSUPPORTED",
      `Cannot run this module: it imports the ${what} "${module}.${name}"; only functions, ` +
        "tags and constants can be imported",
    );
  }
}

const TABLE_WITH_VALUE = 0x40;

function readTable(reader: ByteReader, constant: ReadConstant): OwnTable {
  const hasValue = reader.bytes[reader.offset] === TABLE_WITH_VALUE;
  if (hasValue) {
    reader.byte("a table");
    const reserved = reader.byte("a table");
    if (reserved !== 0) throw reader.malformed(`a table's reserved byte is ${reserved}`);
  }
  const start = reader.offset;
  readValueType(reader);
  const typeAt = { start, end: reader.offset };
  reader.offset = start;
  const table = readTableType(reader);
  return { ...table, typeAt, value: hasValue ? constant(reader) : undefined };
}
