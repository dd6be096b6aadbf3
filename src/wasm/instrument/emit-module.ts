import { readU32 } from "../binary/leb128.ts";
import { ORDER, SECTION } from "../binary/sections.ts";
import { encodeSection, joinBytes } from "../binary/writer.ts";
import { newBodies, type SectionBodiesOptions } from "./section-bodies.ts";

/** Puts the module together again; custom sections stay where they were. */
export function emitModule(options: SectionBodiesOptions): Uint8Array<ArrayBuffer> {
  const { bytes, outline } = options;
  const bodies = newBodies(options);
  const own = outline.sections.filter(({ id }) => id !== SECTION.custom);
  const parts: Uint8Array[] = [bytes.subarray(0, HEADER_BYTES)];
  let written = 0;
  /** Sections that the module had not, up to a place in the order. */
  const addMissing = (end: number): void => {
    for (; written < end; written++) {
      const id = ORDER[written] as number;
      const body = bodies.get(id);
      if (body !== undefined) parts.push(encodeSection(id, body));
    }
  };
  let seen = 0;
  for (const { id, start, bodyStart, end } of outline.sections) {
    if (id === SECTION.custom) {
      if (!isMadeForOffsets(bytes, bodyStart, end)) parts.push(bytes.subarray(start, end));
      continue;
    }
    const place = ORDER.indexOf(id);
    addMissing(place);
    const body = bodies.get(id);
    if (body !== undefined) parts.push(encodeSection(id, body));
    else if (id !== SECTION.start) parts.push(bytes.subarray(start, end));
    written = place + 1;
    seen++;
    // A custom section that follows may want to stand behind what is added: names do.
    const next = own[seen];
    addMissing(next === undefined ? ORDER.length : ORDER.indexOf(next.id));
  }
  addMissing(ORDER.length);
  return joinBytes(parts);
}

const HEADER_BYTES = 8;

/** Hints for the engine about the code at certain bytes, which is not there any more. */
function isMadeForOffsets(bytes: Uint8Array, bodyStart: number, end: number): boolean {
  const length = readU32(bytes, bodyStart, end);
  if ("wrong" in length) return false;
  const name = new TextDecoder().decode(bytes.subarray(length.end, length.end + length.value));
  return name.startsWith("metadata.code.");
}
