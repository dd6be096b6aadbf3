import { LIMITS } from "../../base/limits.ts";
import type { ByteReader } from "../binary/byte-reader.ts";
import { readValueType } from "../binary/value-types.ts";

/** Bytes of the file, from the first to the one behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An active segment has an offset, the expression without its `end`. */
export interface DataSegment {
  readonly offset: Span | undefined;
  readonly bytes: Span;
}

/** Reads a constant expression with its `end`. */
export type ReadConstant = (reader: ByteReader) => Span;

/** The entries of a section that is a vector, none when the section is missing. */
export function readAll<T>(
  reader: ByteReader | undefined,
  what: string,
  max: number,
  read: (from: ByteReader) => T,
): T[] {
  if (reader === undefined) return [];
  const start = reader.offset;
  const count = reader.u32(`number of ${what}`);
  if (count > max) throw reader.tooLarge(`${count} ${what}`, max, start);
  const entries: T[] = [];
  for (let left = count; left > 0; left--) entries.push(read(reader));
  reader.expectDone();
  return entries;
}

/** Bits of an element segment's flags. */
const ELEMENT = { passive: 1, explicit: 2, expressions: 4 } as const;

/** Marks the functions that element segments hold. */
export function readElements(
  reader: ByteReader | undefined,
  taken: Uint8Array,
  constant: ReadConstant,
): void {
  let elements = 0;
  readAll(reader, "element segments", LIMITS.moduleEntriesMax, (from) => {
    const start = from.offset;
    const flags = from.u32("an element segment");
    if (flags > 7) throw from.malformed(`element segment of kind ${flags}`, start);
    const isActive = (flags & ELEMENT.passive) === 0;
    if (isActive && (flags & ELEMENT.explicit) !== 0) from.u32("a table index");
    if (isActive) constant(from);
    const asExpressions = (flags & ELEMENT.expressions) !== 0;
    if ((flags & (ELEMENT.passive | ELEMENT.explicit)) !== 0) {
      if (asExpressions) readValueType(from);
      else from.byte("an element kind");
    }
    const count = from.u32("number of elements");
    elements += count;
    if (elements > LIMITS.moduleElementsMax) {
      throw from.tooLarge(`${elements} elements`, LIMITS.moduleElementsMax, start);
    }
    for (let left = count; left > 0; left--) {
      if (asExpressions) constant(from);
      else taken[from.u32("a function")] = 1;
    }
  });
}

const DATA_PASSIVE = 1;
const DATA_EXPLICIT = 2;

export function readData(reader: ByteReader, constant: ReadConstant): DataSegment {
  const start = reader.offset;
  const flags = reader.u32("a data segment");
  if (flags > DATA_EXPLICIT) throw reader.malformed(`data segment of kind ${flags}`, start);
  if (flags === DATA_EXPLICIT) reader.u32("a memory index");
  const expression = flags === DATA_PASSIVE ? undefined : constant(reader);
  const size = reader.u32("size of a data segment");
  const bytes = { start: reader.offset, end: reader.offset + size };
  if (bytes.end > reader.end) throw reader.truncated("a data segment");
  reader.offset = bytes.end;
  return { offset: expression && { start: expression.start, end: expression.end - 1 }, bytes };
}
