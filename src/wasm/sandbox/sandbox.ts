import { assert } from "../../base/assert.ts";
import type { AttachedMemory } from "../image/attached-memory.ts";
import { captureMemory, type MemoryImage } from "../image/memory-image.ts";
import { GuestMemory } from "../guest-memory.ts";
import type { LoadedModule } from "../module.ts";
import type { PollPage } from "../watch/watch.ts";
import { dispatch, DISPATCH_PARAMS_MAX, type Dispatched } from "./dispatch.ts";
import { meter } from "./meter.ts";
import { FuelMetered, type Metered, type SetFuel, WatchMetered } from "./metered.ts";

/** An export as it is called: 32-bit integers in, one or nothing out. */
export type GuestFunction = Dispatched;

/**
 * What an instance is put back to, captured while nobody ran in it. Tables and segments are not in
 * it: an instance whose code has changed those since is dropped.
 */
export interface Image {
  readonly memory: MemoryImage;
  /** Of the mutable globals, in the order of LoadedModule.rewritten.globals. */
  readonly globals: readonly (number | bigint)[];
  /** By the guest's own counting, of 64 KiB. */
  readonly pages: number;
}

const PAGE_BYTES = 65_536;

/**
 * One instance of a module: its memory, its exports, its meter, and the way back to its image.
 *
 *   instantiate ─▶ (initialize, start, configure: by the ABI) ─▶ capture() ─▶ Image
 *   instantiate ─▶ attach(image) ─▶ run ─▶ restore() ─▶ run ─▶ restore() … ─▶ discard()
 *
 * Sound, also after a trap, because all that an instance can change is in the image (memory,
 * mutable globals) or is told by a flag that the rewritten code sets (tables, segments).
 */
export class Sandbox {
  readonly exports: Readonly<Record<string, GuestFunction>>;
  readonly memory: GuestMemory;
  readonly metered: Metered;
  readonly #module: LoadedModule;
  readonly #instance: WebAssembly.Instance;
  readonly #raw: WebAssembly.Memory;
  readonly #slots: number[] = [];
  #page: PollPage | undefined;
  #attached: AttachedMemory | undefined;

  /**
   * Nothing of the guest runs.
   * @param called exports that are called for every exchange
   * @throws LinkError or RangeError of the engine; Error when its memory cannot be watched
   */
  constructor(module: LoadedModule, imports: Bun.WebAssembly.Imports, called: readonly string[]) {
    this.#module = module;
    this.#instance = new WebAssembly.Instance(module.module, imports);
    const memory = this.#instance.exports["memory"];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("the module exports no memory");
    this.#raw = memory;
    this.memory = new GuestMemory(memory);
    try {
      this.exports = this.#callable(called);
      this.metered = this.#meter();
    } catch (error) {
      // The dispatch table would hold the instance, with its memory, for ever.
      this.discard();
      throw error;
    }
  }

  /** Size of the memory by the guest's own counting, in pages of 64 KiB. */
  get pages(): number {
    const { pages } = this.#module.rewritten;
    if (pages === undefined) return this.#realPages;
    return this.#global(pages).value as number;
  }

  /** Whether it has more pages than that. Mostly told by the size alone, which is no call. */
  hasGrownAbove(pages: number): boolean {
    return this.#realPages > pages && this.pages > pages;
  }

  /** @returns the state as it is now, or for operators why there can be no image of it */
  capture(): Image | string {
    const { traits, globals: names, names: added } = this.#module.rewritten;
    const [obstacle] = [...traits.unrestorable, ...traits.uncopyable];
    if (obstacle !== undefined) return obstacle;
    const globals = names.map(({ name }) => this.#global(name).value as number | bigint);
    // The answer has a price: the globals are put back to how they were instantiated.
    const isChanged = this.exports[added.restore]?.() !== 0;
    this.#setGlobals(globals);
    if (isChanged) return CHANGED;
    if (globals.some((value) => Number.isNaN(value))) return NOT_A_NUMBER;
    const { pages } = this;
    const memory = captureMemory(this.#raw, { byteLength: pages * PAGE_BYTES });
    return { memory, globals, pages };
  }

  /**
   * Takes over an image, captured here or in another instance of the module.
   * @throws RangeError when the memory cannot grow to the image's size
   */
  attach(image: Image): void {
    assert(this.#attached === undefined, "Cannot attach a second image");
    const missing = image.pages - this.#realPages;
    if (missing > 0) this.#raw.grow(missing);
    this.#setGlobals(image.globals);
    this.exports[this.#module.rewritten.names.capture]?.();
    this.#attached = image.memory.attach(this.#raw);
  }

  /** Back to the image. @returns false when that is not possible: it is of no use any more */
  restore(): boolean {
    if (this.#attached === undefined) return false;
    if (this.exports[this.#module.rewritten.names.restore]?.() !== 0) return false;
    this.#attached.reset();
    this.#page?.reset();
    return true;
  }

  /** Gives its memory back to the system at once. It is not used any more. Idempotent. */
  discard(): void {
    for (const slot of this.#slots.splice(0)) dispatch.remove(slot);
    this.#attached?.discard();
    this.#attached = undefined;
  }

  get #realPages(): number {
    return this.memory.byteLength / PAGE_BYTES;
  }

  /** All exported functions; those that are called often by a way that is fast from anywhere. */
  #callable(called: readonly string[]): Readonly<Record<string, GuestFunction>> {
    const { setFuel, restore } = this.#module.rewritten.names;
    const often = new Set([...called, restore, setFuel]);
    const exports: Record<string, GuestFunction> = Object.create(null);
    for (const [name, value] of Object.entries(this.#instance.exports)) {
      if (typeof value === "function") exports[name] = value as GuestFunction;
    }
    for (const { name, params, results } of this.#module.callable) {
      if (!often.has(name) || params > DISPATCH_PARAMS_MAX) continue;
      const { call, slot } = dispatch.add(exports[name], params, results);
      this.#slots.push(slot);
      exports[name] = call;
    }
    return exports;
  }

  #global(name: string): WebAssembly.Global {
    return this.#instance.exports[name] as WebAssembly.Global;
  }

  #setGlobals(values: Image["globals"]): void {
    for (const [index, { name }] of this.#module.rewritten.globals.entries()) {
      this.#global(name).value = values[index];
    }
  }

  #meter(): Metered {
    const { names } = this.#module.rewritten;
    const setFuel = names.setFuel === undefined ? undefined : this.exports[names.setFuel];
    if (!this.#module.watched) return new FuelMetered(setFuel as SetFuel, meter.unitsPerMs);
    this.#page = meter.watch?.pageFor(this.#raw);
    if (this.#page === undefined || meter.watch === undefined) {
      throw new Error("the engine has no memory left that can be watched");
    }
    return new WatchMetered(meter.watch, this.#page, setFuel as SetFuel | undefined);
  }
}

const CHANGED = "it changes its tables or drops segments";
const NOT_A_NUMBER = "a global is not a number, and its bits would not survive being copied";
