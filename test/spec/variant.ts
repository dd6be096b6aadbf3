/** What a script is played with: modules as they are, or rewritten with some kind of check. */
import { readSections, SECTION, sectionReader } from "../../src/wasm/binary/sections.ts";
import { type InstrumentedModule, instrument } from "../../src/wasm/instrument/instrument.ts";
import { mapPollPage } from "../support/poll-page.ts";
import { bytes as join, name, section, u32 } from "../support/wasm-bytes.ts";

export const VARIANTS = ["plain", "poll", "fuel", "both"] as const;
export type Variant = (typeof VARIANTS)[number];

/** Ample: no script comes near it between two calls. */
const FUEL = 2 ** 31 - 1;
/** One below what 32 bits address, because the poll page is the last one. */
const PAGES_MAX = 65_535;
const TABLE_ENTRIES_MAX = 10_000_000;
/** Added to every module, in every variant, for whoever has to see the memory. */
export const MEMORY_EXPORT = "spec:memory";

export interface Prepared {
  readonly module: WebAssembly.Module;
  readonly rewritten: InstrumentedModule | undefined;
  readonly polls: boolean;
}

export interface Live {
  readonly exports: Bun.WebAssembly.Exports;
  /** To be called before every call; returns the units that were left, below zero: none. */
  readonly refuel: () => number;
}

/**
 * Rewrites and compiles.
 * @throws ModuleError when the rewriter refuses it
 * @throws CompileError when the engine does, which for what was rewritten is a bug
 */
export function prepare(bytes: Uint8Array, variant: Variant): Prepared {
  const seen = withMemoryExport(bytes);
  if (variant === "plain") {
    return { module: compile(seen), rewritten: undefined, polls: false };
  }
  const polls = variant !== "fuel" && hasBase(seen);
  const rewritten = instrument(seen, {
    memoryPagesMax: PAGES_MAX,
    tableEntriesMax: TABLE_ENTRIES_MAX,
    checks: { poll: polls, fuel: variant !== "poll" || !polls },
  });
  return { module: compile(rewritten.bytes), rewritten, polls };
}

/**
 * Makes an instance in the order that the specification has: elements, data, start.
 * @param fuel units for each call
 */
export function start(
  { module, rewritten, polls }: Prepared,
  imports: Bun.WebAssembly.Imports,
  fuel = FUEL,
): Live {
  const { exports } = new WebAssembly.Instance(module, imports);
  const memory = exports[MEMORY_EXPORT] as WebAssembly.Memory | undefined;
  if (polls && memory !== undefined) mapPollPage(memory);
  const setFuel = functionOf(exports, rewritten?.names.setFuel);
  const refuel = (): number => Number(setFuel?.(fuel) ?? fuel);
  refuel();
  functionOf(exports, rewritten?.names.initialize)?.();
  refuel();
  functionOf(exports, rewritten?.names.start)?.();
  return { exports, refuel };
}

function functionOf(exports: Bun.WebAssembly.Exports, key: string | undefined) {
  return key === undefined ? undefined : (exports[key] as (value?: number) => unknown);
}

function compile(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(bytes);
}

/** The pages of its own first memory at the start, undefined when it has none. */
function ownMemoryPages(bytes: Uint8Array): number | undefined {
  const reader = sectionReader(bytes, readSections(bytes), SECTION.memory);
  if (reader === undefined || reader.u32("memories") === 0) return undefined;
  reader.byte("limits");
  return reader.u32("a minimum");
}

/** A memory without a page has no address that JavaScript could learn, so nothing maps its page. */
function hasBase(bytes: Uint8Array): boolean {
  return ownMemoryPages(bytes) !== 0;
}

/** The bytes as they were when there is no memory, or when they are no module at all. */
function withMemoryExport(bytes: Uint8Array): Uint8Array {
  try {
    if (ownMemoryPages(bytes) === undefined) return bytes;
  } catch {
    return bytes;
  }
  const sections = readSections(bytes);
  const reader = sectionReader(bytes, sections, SECTION.export);
  const count = reader?.u32("exports") ?? 0;
  const old = reader === undefined ? [] : bytes.subarray(reader.offset, reader.end);
  const added = section(SECTION.export, u32(count + 1), old, name(MEMORY_EXPORT), 2, 0);
  const before = sections.filter(({ id }) => BEFORE_EXPORTS.has(id)).at(-1)?.end ?? 8;
  const rest = sections.filter(({ id, start: at }) => id !== SECTION.export && at >= before);
  const kept = rest.map(({ start: at, end }) => bytes.subarray(at, end));
  return join(bytes.subarray(0, before), added, kept);
}

const BEFORE_EXPORTS: ReadonlySet<number> = new Set([
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
]);
