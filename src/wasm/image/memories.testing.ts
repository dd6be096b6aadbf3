import { readFileSync } from "node:fs";
import type { SeededRandom } from "../../base/random.testing.ts";

/** What tests of images do to memories, and see of the process. */
export const WASM_PAGE = 65_536;

/** Of the engine, to be set before a process starts: how many memories may be of the fast kind. */
export const FAST_MEMORIES = "BUN_JSC_maxNumWasmFastMemories";

/** A memory with some pages of text in it, and zeros between them and above. */
export function guestMemory(pages: number): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: pages });
  const bytes = bytesOf(memory);
  for (let at = 1000; at < (bytes.byteLength * 3) / 4; at += 20_000) {
    for (let n = 0; n < 3000; n++) bytes[at + n] = at + n * 7;
  }
  return memory;
}

export function bytesOf(memory: WebAssembly.Memory): Uint8Array {
  return new Uint8Array(memory.buffer);
}

/** Writes some bytes here and there, up to the memory's very end, or all of them. */
export function dirty(memory: WebAssembly.Memory, random: SeededRandom): void {
  const bytes = bytesOf(memory);
  if (random.chance(5)) bytes.fill(1 + random.below(255));
  const places = random.pick([0, 1, 2, 8, 40, 300]);
  for (let n = 0; n < places; n++) bytes[random.below(bytes.byteLength)] = 1 + random.below(255);
  if (random.chance(30)) bytes[bytes.byteLength - 1] = 7;
  if (random.chance(30)) bytes[0] = 7;
}

/** Where the memory is not the image with zeros above it; undefined when it is. */
export function difference(memory: WebAssembly.Memory, image: Uint8Array): string | undefined {
  const bytes = bytesOf(memory);
  // One native comparison: asking byte by byte would take most of these tests' time.
  const expected = new Uint8Array(bytes.byteLength);
  expected.set(image);
  if (Buffer.compare(bytes, expected) === 0) return undefined;
  const at = bytes.findIndex((byte, index) => byte !== expected[index]);
  return `byte ${at} is ${bytes[at]} and not ${expected[at]}`;
}

/** KiB that only this process holds in memory. */
export function privateKib(): number {
  const rollup = readFileSync("/proc/self/smaps_rollup", "latin1");
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(rollup)?.[1]);
}

/** Mappings of this process; `ofImages` are those that show an image's file. */
export function countMappings(): { all: number; ofImages: number } {
  const lines = readFileSync("/proc/self/maps", "latin1").trim().split("\n");
  return {
    all: lines.length,
    ofImages: lines.filter((line) => line.includes("memfd:sluice-image")).length,
  };
}
