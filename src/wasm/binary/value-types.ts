import type { ByteReader } from "./byte-reader.ts";

export type NumberType = "i32" | "i64" | "f32" | "f64";

/** In the notation of the text format; a type of the module is written as its index: "(ref 7)". */
export type ReferenceType =
  | "funcref"
  | "externref"
  | "anyref"
  | "eqref"
  | "i31ref"
  | "structref"
  | "arrayref"
  | "exnref"
  | "nullref"
  | "nullfuncref"
  | "nullexternref"
  | "nullexnref"
  | `(ref ${string})`;

export type ValueType = NumberType | "v128" | ReferenceType;

const NUMBERS: Readonly<Record<number, NumberType | "v128">> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
};

/** By the code of the heap type, which as a value type is a nullable reference to it. */
const HEAP_TYPES: Readonly<Record<number, { heap: string; reference: ReferenceType }>> = {
  0x74: { heap: "noexn", reference: "nullexnref" },
  0x73: { heap: "nofunc", reference: "nullfuncref" },
  0x72: { heap: "noextern", reference: "nullexternref" },
  0x71: { heap: "none", reference: "nullref" },
  0x70: { heap: "func", reference: "funcref" },
  0x6f: { heap: "extern", reference: "externref" },
  0x6e: { heap: "any", reference: "anyref" },
  0x6d: { heap: "eq", reference: "eqref" },
  0x6c: { heap: "i31", reference: "i31ref" },
  0x6b: { heap: "struct", reference: "structref" },
  0x6a: { heap: "array", reference: "arrayref" },
  0x69: { heap: "exn", reference: "exnref" },
};

const REF = 0x64;
const REF_NULL = 0x63;

/** @throws ModuleError when the next bytes are no value type */
export function readValueType(reader: ByteReader): ValueType {
  const start = reader.offset;
  const code = reader.byte("a value type");
  const known = NUMBERS[code] ?? HEAP_TYPES[code]?.reference;
  if (known !== undefined) return known;
  if (code === REF) return `(ref ${readHeapType(reader)})`;
  if (code === REF_NULL) return nullable(readHeapType(reader));
  throw reader.unsupported(`value type 0x${code.toString(16)} is not known`, start);
}

/** The same type has one spelling: "(ref null func)" is funcref. */
function nullable(heap: string): ReferenceType {
  const short = Object.values(HEAP_TYPES).find((each) => each.heap === heap);
  return short?.reference ?? `(ref null ${heap})`;
}

/** The name of an abstract heap type, or the index of a type. */
function readHeapType(reader: ByteReader): string {
  const start = reader.offset;
  const code = reader.bytes[start] ?? 0;
  // A one-byte negative number stands for an abstract type, everything else is an index.
  if (code < 0x40 || code >= 0x80) return String(reader.u32("a heap type"));
  reader.byte("a heap type");
  const known = HEAP_TYPES[code];
  if (known === undefined) {
    throw reader.unsupported(`heap type 0x${code.toString(16)} is not known`, start);
  }
  return known.heap;
}

export function isReference(type: ValueType): type is ReferenceType {
  return type.endsWith("ref") || type.startsWith("(");
}

/** True when null belongs to the type, so that a global of it can be made without a value. */
export function isNullable(type: ReferenceType): boolean {
  return !type.startsWith("(ref ") || type.startsWith("(ref null ");
}

/** What a reference of this type points to: the name of an abstract type, or a type's index. */
export function heapTypeOf(type: ReferenceType): string {
  const short = Object.values(HEAP_TYPES).find((each) => each.reference === type);
  return short?.heap ?? type.replace(/^\(ref (?:null )?|\)$/g, "");
}
