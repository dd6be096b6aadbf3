import { LIMITS } from "../../base/limits.ts";
import { ByteReader } from "./byte-reader.ts";
import { ModuleError } from "./module-error.ts";

/**
 * The section table of a module.
 *
 *   00 61 73 6d │ 01 00 00 00 │ id size body… │ id size body… │ …
 *   "\0asm"       version 1     ▲start  ▲bodyStart      ▲end
 */
export interface Section {
  readonly id: number;
  /** Offset of the id byte. */
  readonly start: number;
  readonly bodyStart: number;
  /** First byte behind the section. */
  readonly end: number;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

const NAMES: readonly string[] = Object.keys(SECTION);

/** Sections but custom ones come in this order, each at most once. */
export const ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

const HEADER_BYTES = 8;
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x01, 0x00, 0x00, 0x00];

/**
 * Reads the section table; bodies are not looked at.
 * @throws ModuleError when this is not a module, ends too early, or has sections out of order
 */
export function readSections(bytes: Uint8Array): Section[] {
  checkHeader(bytes);
  const sections: Section[] = [];
  const reader = new ByteReader(bytes, {
    start: HEADER_BYTES,
    end: bytes.byteLength,
    where: "section table",
  });
  let place = -1;
  while (!reader.done) {
    const start = reader.offset;
    if (sections.length === LIMITS.moduleSectionsMax) {
      throw reader.tooLarge("more sections", LIMITS.moduleSectionsMax, start);
    }
    const id = reader.byte("a section id");
    const name = NAMES[id];
    if (name === undefined) throw reader.malformed(`unknown section id ${id}`, start);
    const size = reader.u32(`size of the ${name} section`);
    const left = reader.end - reader.offset;
    if (size > left) {
      throw new ModuleError(
        "TRUNCATED",
        `Cannot read the ${name} section: it claims ${size} bytes, the file has ${left} left`,
        { offset: start },
      );
    }
    if (id !== SECTION.custom) {
      const next = ORDER.indexOf(id);
      if (next <= place) {
        throw reader.malformed(`the ${name} section is repeated or out of order`, start);
      }
      place = next;
    }
    sections.push({ id, start, bodyStart: reader.offset, end: reader.offset + size });
    reader.offset += size;
  }
  return sections;
}

/** A reader over the body of the section with that id, undefined when the module has none. */
export function sectionReader(
  bytes: Uint8Array,
  sections: readonly Section[],
  id: number,
): ByteReader | undefined {
  const section = sections.find((each) => each.id === id);
  if (section === undefined) return undefined;
  return new ByteReader(bytes, {
    start: section.bodyStart,
    end: section.end,
    where: `${NAMES[id]} section`,
  });
}

function checkHeader(bytes: Uint8Array): void {
  const magicSeen = Math.min(bytes.byteLength, MAGIC.length);
  for (let at = 0; at < magicSeen; at++) {
    if (bytes[at] !== MAGIC[at]) {
      throw new ModuleError(
        "NOT_WASM",
        `Cannot read a module: it does not start with "\\0asm" but with ${shown(bytes)}`,
        { offset: at },
      );
    }
  }
  if (bytes.byteLength === 0) {
    throw new ModuleError("NOT_WASM", "Cannot read a module: the file is empty");
  }
  if (bytes.byteLength < HEADER_BYTES) {
    throw new ModuleError(
      "TRUNCATED",
      `Cannot read the module header: it has ${HEADER_BYTES} bytes, the file ${bytes.byteLength}`,
      { offset: bytes.byteLength },
    );
  }
  if (VERSION.some((byte, at) => bytes[MAGIC.length + at] !== byte)) {
    const component = bytes[6] === 1 && bytes[7] === 0;
    throw new ModuleError(
      "NOT_WASM",
      component
        ? "Cannot read a module: this is a component; a core module (version 1) is needed"
        : `Cannot read a module: version 1 is needed, this is ${shown(bytes.subarray(4))}`,
      { offset: MAGIC.length },
    );
  }
}

function shown(bytes: Uint8Array): string {
  return bytes.subarray(0, 4).toHex();
}
