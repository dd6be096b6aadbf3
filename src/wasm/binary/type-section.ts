import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "./byte-reader.ts";
import { readValueType, type ValueType } from "./value-types.ts";

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Of structs and arrays only the form matters here: the engine checks their fields. */
export type CompositeType = FunctionType | "struct" | "array";

const FORM = {
  recursionGroup: 0x4e,
  finalSubtype: 0x4f,
  subtype: 0x50,
  array: 0x5e,
  struct: 0x5f,
  function: 0x60,
} as const;

/** Values that a field of a struct or an array may have beside the value types. */
const PACKED = [0x78, 0x77];

/**
 * Reads a type section. Entries are types or groups of them that may name each other:
 *
 *   entries │ 60 … function │ 4e n (type × n) group │ 50 supertypes type │ 5f … struct │ …
 *
 * @param reader over the section's body
 * @returns the types in the order of their indices, groups taken apart
 */
export function readTypes(reader: ByteReader): CompositeType[] {
  const size = reader.end - reader.offset;
  if (size > LIMITS.moduleTypeBytesMax) {
    throw reader.tooLarge(`${size} bytes of types`, LIMITS.moduleTypeBytesMax);
  }
  const types: CompositeType[] = [];
  for (let left = reader.count("types"); left > 0; left--) {
    if (reader.bytes[reader.offset] === FORM.recursionGroup) {
      reader.byte("a type");
      readSubtypes(reader, types, reader.count("types of a group"));
    } else {
      readSubtypes(reader, types, 1);
    }
  }
  reader.expectDone();
  return types;
}

function readSubtypes(reader: ByteReader, types: CompositeType[], count: number): void {
  if (types.length + count > LIMITS.moduleTypesMax) {
    throw reader.tooLarge(`${types.length + count} types`, LIMITS.moduleTypesMax);
  }
  for (let left = count; left > 0; left--) types.push(readSubtype(reader));
}

function readSubtype(reader: ByteReader): CompositeType {
  const form = reader.bytes[reader.offset];
  if (form === FORM.subtype || form === FORM.finalSubtype) {
    reader.byte("a type");
    for (let left = reader.count("supertypes"); left > 0; left--) reader.u32("a supertype");
  }
  return readComposite(reader);
}

function readComposite(reader: ByteReader): CompositeType {
  const start = reader.offset;
  const form = reader.byte("a type");
  switch (form) {
    case FORM.function: {
      const params = readValueTypes(reader, "parameters");
      if (params.length > LIMITS.moduleParametersMax) {
        const what = `${params.length} parameters of one function`;
        throw reader.tooLarge(what, LIMITS.moduleParametersMax, start);
      }
      return { params, results: readValueTypes(reader, "results") };
    }
    case FORM.struct:
      for (let left = reader.count("fields"); left > 0; left--) skipField(reader);
      return "struct";
    case FORM.array:
      skipField(reader);
      return "array";
    default:
      throw reader.unsupported(`type form 0x${form.toString(16)} is not known`, start);
  }
}

function skipField(reader: ByteReader): void {
  if (PACKED.includes(reader.bytes[reader.offset] ?? 0)) reader.byte("a packed type");
  else readValueType(reader);
  reader.byte("a field's mutability");
}

function readValueTypes(reader: ByteReader, what: string): ValueType[] {
  const types: ValueType[] = [];
  for (let left = reader.count(what); left > 0; left--) types.push(readValueType(reader));
  return types;
}
