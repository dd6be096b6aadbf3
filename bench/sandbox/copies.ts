import { readFileSync } from "node:fs";
import { heapStats } from "bun:jsc";
import { captureGuest, copyGuest } from "../../src/abi/guest/guest-image.ts";
import type { Guest } from "../../src/abi/proxy-wasm/guest.ts";
import { guestKind, startGuest } from "../../src/abi/proxy-wasm/start.ts";
import { loadModule } from "../../src/wasm/module.ts";
import { newExchange, run } from "./exchange.ts";
import { type Percentiles, percentiles } from "./figures.ts";
import { bytesOf, type GuestName, resourcesOf } from "./guests.ts";

const STARTS = 300;
const SANDBOXES = 1000;
const ATTEMPTS = 5;

/** Times in µs. */
export interface Starts {
  /** Instantiated, started, configured. */
  readonly fresh: Percentiles;
  /** Instantiated, and the image attached. */
  readonly copy: Percentiles;
}

/** A guest made by starting it against one made from the image, in turn. */
export async function measureStarts(name: GuestName): Promise<Starts> {
  const module = loadModule(await bytesOf(name), { memoryPages: 1024, fuel: false });
  const resources = resourcesOf(name);
  const first = startGuest(module, resources);
  const image = captureGuest(first);
  if (typeof image === "string") throw new Error(`Cannot measure ${name}: ${image}`);
  const make = {
    fresh: () => startGuest(module, resources),
    copy: () => copyGuest(guestKind(module, resources), image, false),
  };
  const times = { fresh: new Float64Array(STARTS), copy: new Float64Array(STARTS) };
  for (let round = -50; round < STARTS; round++) {
    for (const kind of ["fresh", "copy"] as const) {
      const startNs = Bun.nanoseconds();
      const guest = make[kind]();
      if (round >= 0) times[kind][round] = (Bun.nanoseconds() - startNs) / 1000;
      guest.sandbox.discard();
    }
  }
  return { fresh: percentiles(times.fresh), copy: percentiles(times.copy) };
}

/** What a thousand sandboxes of one image take. */
export interface Thousand {
  /** ms until all are ready, of each attempt. */
  readonly readyMs: readonly number[];
  /** KiB of one sandbox: private memory of the process, and of it what follows. */
  readonly made: Held;
  /** The same after each has served an exchange and was put back. */
  readonly used: Held;
}

export interface Held {
  readonly privateKib: number;
  /** Pages of the guest's memory that are its own. */
  readonly guestKib: number;
  /** JavaScript objects of the sandbox, its host functions among them. */
  readonly heapKib: number;
}

export async function measureThousand(name: GuestName): Promise<Thousand> {
  const module = loadModule(await bytesOf(name), { memoryPages: 1024, fuel: false });
  const resources = resourcesOf(name);
  const first = startGuest(module, resources);
  const image = captureGuest(first);
  if (typeof image === "string") throw new Error(`Cannot measure ${name}: ${image}`);
  const make = (): Guest => copyGuest(guestKind(module, resources), image, false);
  for (let n = 0; n < 2000; n++) run(first, newExchange());
  first.restore(image.state);
  for (let n = 0; n < 50; n++) make().sandbox.discard();
  const readyMs: number[] = [];
  let guests: Guest[] = [];
  let empty = holding();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (const guest of guests) guest.sandbox.discard();
    guests = [];
    Bun.gc(true);
    empty = holding();
    const startNs = Bun.nanoseconds();
    for (let n = 0; n < SANDBOXES; n++) guests.push(make());
    readyMs.push((Bun.nanoseconds() - startNs) / 1e6);
  }
  const made = each(empty, holding());
  for (const guest of guests) {
    run(guest, newExchange());
    guest.restore(image.state);
  }
  const used = each(empty, holding());
  return { readyMs, made, used };
}

function each(before: Held, after: Held): Held {
  return {
    privateKib: (after.privateKib - before.privateKib) / SANDBOXES,
    guestKib: (after.guestKib - before.guestKib) / SANDBOXES,
    heapKib: (after.heapKib - before.heapKib) / SANDBOXES,
  };
}

/** Of the whole process, after a collection. */
function holding(): Held {
  Bun.gc(true);
  const heap = heapStats();
  const rollup = readFileSync("/proc/self/smaps_rollup", "latin1");
  const all = readFileSync("/proc/self/smaps", "latin1");
  return {
    privateKib: sumOf(rollup, /^Private_(?:Dirty|Clean): +(\d+) kB$/gm),
    guestKib: all
      .split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
      .filter((mapping) => mapping.includes("memfd:sluice-image"))
      .reduce((sum, mapping) => sum + sumOf(mapping, /^Anonymous: +(\d+) kB$/gm), 0),
    heapKib: (heap.heapSize - heap.extraMemorySize) / 1024,
  };
}

function sumOf(text: string, line: RegExp): number {
  let sum = 0;
  for (const [, kib = "0"] of text.matchAll(line)) sum += Number(kib);
  return sum;
}
