import { encodeU32 } from "./leb128.ts";
import type { ModuleOutline } from "./outline.ts";
import { SECTION, type Section, sectionReader } from "./sections.ts";
import { encodeName, encodeSection, joinBytes } from "./writer.ts";

/** No guest has it by accident; for one that has it on purpose the name gets longer. */
const NAME = "sluice:start";

const EXPORT_KIND_FUNCTION = 0;

/**
 * Turns a module's start section into an export.
 *
 *   … export │ start 12 │ element …   →   … export + ("sluice:start" → function 12) │ element …
 *
 * Why: an engine runs the start function inside `new WebAssembly.Instance`, before anybody can
 * reach `exports.memory`, so host functions called from there could not read their arguments.
 * AssemblyScript runs all top-level code that way.
 * @returns the bytes as they were, when there is no start section
 */
export function exportStart(
  bytes: Uint8Array,
  outline: ModuleOutline,
): { bytes: Uint8Array; name: string | undefined } {
  if (outline.startFunction === undefined) return { bytes, name: undefined };
  const name = freeName(outline);
  const parts: Uint8Array[] = [bytes.subarray(0, outline.sections[0]?.start)];
  let written = false;
  for (const section of outline.sections) {
    if (!isReplaced(section)) {
      parts.push(bytes.subarray(section.start, section.end));
    } else if (!written) {
      // An export section has its place right before the start section, so either place is right.
      parts.push(exportSection(bytes, outline, name, outline.startFunction));
      written = true;
    }
  }
  return { bytes: joinBytes(parts), name };
}

function isReplaced(section: Section): boolean {
  return section.id === SECTION.export || section.id === SECTION.start;
}

function exportSection(
  bytes: Uint8Array,
  outline: ModuleOutline,
  name: string,
  functionIndex: number,
): Uint8Array {
  const reader = sectionReader(bytes, outline.sections, SECTION.export);
  const count = reader?.u32("number of exports") ?? 0;
  const old = reader === undefined ? new Uint8Array() : bytes.subarray(reader.offset, reader.end);
  const added = [encodeName(name), Uint8Array.of(EXPORT_KIND_FUNCTION), encodeU32(functionIndex)];
  return encodeSection(SECTION.export, joinBytes([encodeU32(count + 1), old, ...added]));
}

function freeName(outline: ModuleOutline): string {
  const taken = new Set(outline.exports.map((each) => each.name));
  let name = NAME;
  // Ends: every turn makes the name longer, and there are finitely many exports.
  while (taken.has(name)) name += "'";
  return name;
}
