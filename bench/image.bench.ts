/**
 * Question: what does it cost to put a sandbox's memory back to its image, and to have one?
 *
 *   kept      written pages are found, kept and copied back (Linux 6.7 and later)
 *   dropped   all pages are dropped, and those that are written fault in again
 *   copied    the whole image is copied
 *   sandboxes a thousand of them: the time to make them, and what each holds when idle
 *   older     the same where the kernel cannot be asked about one mapping (before 6.11)
 *
 * Both the reset and the writes after it are timed: what a reset drops, the next exchange pays for.
 * Not measured: globals, the guest's own work.
 */
import { openSync, readFileSync } from "node:fs";
import initWabt from "wabt";
import type { AttachedMemory } from "../src/wasm/image/attached-memory.ts";
import { systemKernel, type Kernel } from "../src/wasm/image/kernel.ts";
import { mappingsByText } from "../src/wasm/image/mappings.ts";
import { captureMemory } from "../src/wasm/image/memory-image.ts";

export const cases = ["kept", "dropped", "copied", "sandboxes", "older"] as const;

const KIB = 1024;
const WASM_PAGE = 64 * KIB;
const PAGE = 4 * KIB;
const SANDBOXES = 1000;
const ROUNDS = 5;

/** Without it, the engine has 8 memories that can be mapped. It is read when a process starts. */
const FAST_MEMORIES = "BUN_JSC_maxNumWasmFastMemories";

/** A guest's memory: the first half holds data. `pages` are written by each exchange. */
interface Shape {
  readonly name: string;
  readonly bytes: number;
  readonly pages: readonly number[];
}

/** Pages far from each other, as a stack, some globals and a heap are. */
function scattered(bytes: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => Math.floor((n * bytes) / PAGE / count));
}

function shapes(): Shape[] {
  const sizes = [64, 128, 384, 1024, 8192, 16_384].map((kib) => kib * KIB);
  const some = sizes.flatMap((bytes) =>
    [0, 2, 8].map((count) => ({ name: "", bytes, pages: scattered(bytes, count) })),
  );
  // What a Go guest writes: 20 pages in five places.
  const pages = [3, 400, 900, 1500, 2000].flatMap((at) => [at, at + 1, at + 2, at + 3]);
  return [...some, { name: " (as Go)", bytes: 8192 * KIB, pages }];
}

/** The kernel as the case wants it. */
function kernelFor(which: string): Kernel {
  const kernel = systemKernel();
  if (kernel === undefined) throw new Error("Cannot measure elsewhere than on Linux");
  if (which === "older") {
    const mapsFd = openSync("/proc/self/maps", "r");
    return { ...kernel, mappings: () => mappingsByText(mapsFd) };
  }
  return which === "dropped" ? { ...kernel, privatePages: undefined } : kernel;
}

function attach(which: string, bytes: number): { memory: Uint8Array; attached: AttachedMemory } {
  const captured = new WebAssembly.Memory({ initial: bytes / WASM_PAGE });
  const data = new Uint8Array(captured.buffer, 0, bytes / 2);
  for (let at = 0; at < data.byteLength; at += 64) data[at] = at >> 6;
  const copyOnWrite = which !== "copied";
  const image = captureMemory(captured, {
    byteLength: bytes,
    copyOnWrite,
    kernel: kernelFor(which),
  });
  const memory = new WebAssembly.Memory({ initial: bytes / WASM_PAGE });
  return { memory: new Uint8Array(memory.buffer), attached: image.attach(memory) };
}

/** @throws Error when a reset leaves anything that was written */
export function check(): void {
  for (const which of ["kept", "dropped", "copied"]) {
    const { memory, attached } = attach(which, 384 * KIB);
    const pristine = memory.slice();
    for (const page of [0, 5, 95]) memory[page * PAGE + 7] = 200;
    attached.reset();
    if (Buffer.compare(memory, pristine) !== 0) {
      throw new Error(`Cannot trust this benchmark: "${which}" leaves what was written`);
    }
    attached.discard();
  }
}

if (import.meta.main) {
  if (process.env[FAST_MEMORIES] === undefined) {
    const child = Bun.spawnSync([process.execPath, ...process.argv.slice(1)], {
      env: { ...process.env, [FAST_MEMORIES]: "10000" },
      stdio: ["ignore", "inherit", "inherit"],
    });
    process.exit(child.exitCode);
  }
  check();
  const which = Bun.argv[2] ?? cases[0];
  const lines =
    which === "sandboxes" || which === "older"
      ? await measureSandboxes(which)
      : measureResets(which);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function measureResets(which: string): string[] {
  const head = `| ${which} | pages written | reset p50 | p99 | writes p50 | p99 |`;
  const lines = [head, "|---|---:|---:|---:|---:|---:|"];
  for (const shape of shapes()) {
    if (which === "copied" && shape.bytes > 1024 * KIB) continue;
    const { memory, attached } = attach(which, shape.bytes);
    const expected = which === "copied" ? "copy" : "copy-on-write";
    if (attached.kind !== expected) throw new Error(`Cannot measure ${which}: no fast memory`);
    const times = timeResets(memory, attached, shape.pages);
    const size = `${shape.bytes / KIB} KiB${shape.name}`;
    lines.push(`| ${size} | ${shape.pages.length} | ${times.map(showUs).join(" | ")} |`);
    attached.discard();
  }
  return lines;
}

/** p50 and p99 in µs, of a reset and of the writes after it. */
function timeResets(
  memory: Uint8Array,
  attached: AttachedMemory,
  pages: readonly number[],
): number[] {
  const writes: number[] = [];
  const resets: number[] = [];
  for (let round = 0; round < 6000; round++) {
    const startNs = Bun.nanoseconds();
    for (const page of pages) memory[page * PAGE + (round & 1023)] = round;
    const writtenNs = Bun.nanoseconds();
    attached.reset();
    const endNs = Bun.nanoseconds();
    if (round < 2000) continue; // The engine compiles what it runs often.
    writes.push((writtenNs - startNs) / 1000);
    resets.push((endNs - writtenNs) / 1000);
  }
  return [...percentiles(resets), ...percentiles(writes)];
}

function percentiles(values: number[]): [p50: number, p99: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN;
  return [at(0.5), at(0.99)];
}

function showUs(us: number): string {
  return `${us.toFixed(1)} µs`;
}

/** A guest of 1 MiB with 200 KiB of data. */
async function guestModule(): Promise<WebAssembly.Module> {
  const wabt = await initWabt();
  const data = `(data (i32.const 4096) "${"sluice ".repeat(29_000)}")`;
  const text = `(module (memory (export "memory") 16) ${data} (func (export "run")))`;
  return new WebAssembly.Module(wabt.parseWat("guest.wat", text).toBinary({}).buffer);
}

async function measureSandboxes(which: string): Promise<string[]> {
  const module = await guestModule();
  const memoryOf = (): WebAssembly.Memory =>
    new WebAssembly.Instance(module).exports["memory"] as WebAssembly.Memory;
  const image = captureMemory(memoryOf(), { byteLength: 1024 * KIB, kernel: kernelFor(which) });
  const make = (): Sandbox => {
    const memory = memoryOf();
    return { memory, attached: image.attach(memory) };
  };
  // The fastest round: whatever else the machine does only makes a round slower.
  const allMs: number[] = [];
  const held: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    Bun.gc(true);
    const beforeKib = privateKib();
    const startNs = Bun.nanoseconds();
    const sandboxes = Array.from({ length: SANDBOXES }, make);
    allMs.push((Bun.nanoseconds() - startNs) / 1e6);
    const mapped = sandboxes.filter(({ attached }) => attached.kind === "copy-on-write").length;
    const freshKib = (privateKib() - beforeKib) / SANDBOXES;
    for (const sandbox of sandboxes) exchange(sandbox);
    const usedKib = (privateKib() - beforeKib) / SANDBOXES;
    held.push(`${mapped} mapped, ${freshKib.toFixed(1)} KiB made, ${usedKib.toFixed(1)} KiB used`);
    for (const { attached } of sandboxes) attached.discard();
  }
  const attachUs = Array.from({ length: SANDBOXES }, () => {
    const memory = memoryOf();
    const startNs = Bun.nanoseconds();
    image.attach(memory);
    return (Bun.nanoseconds() - startNs) / 1000;
  });
  const [p50, p99] = percentiles(attachUs);
  return [
    `${which}: ${SANDBOXES} of 1 MiB in ${Math.min(...allMs).toFixed(0)} ms ` +
      `(${allMs.map((ms) => ms.toFixed(0)).join(", ")}); attaching one ${showUs(p50)}, ` +
      `p99 ${showUs(p99)}`,
    `private to each when idle, made only or after an exchange that wrote 2 pages: ${held[0]}`,
  ];
}

interface Sandbox {
  readonly memory: WebAssembly.Memory;
  readonly attached: AttachedMemory;
}

function exchange({ memory, attached }: Sandbox): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const page of scattered(1024 * KIB, 2)) bytes[page * PAGE] = 1;
  attached.reset();
}

function privateKib(): number {
  const rollup = readFileSync("/proc/self/smaps_rollup", "latin1");
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(rollup)?.[1]);
}
