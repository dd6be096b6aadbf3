/**
 * Which memories are of the fast kind is decided when a process starts, so these tests run in one
 * of their own: this file starts itself again with the engine's variable set.
 */
import { describe, expect, spyOn, test } from "bun:test";
import { openSync } from "node:fs";
import initWabt from "wabt";
import { MADV_DONTNEED, MAP_ANONYMOUS, type Libc } from "../../base/libc.ts";
import { SeededRandom } from "../../base/random.testing.ts";
import type { AttachedMemory } from "./attached-memory.ts";
import { systemKernel, type Kernel } from "./kernel.ts";
import { mappingsByText, type MappingAt } from "./mappings.ts";
import {
  bytesOf,
  countMappings,
  difference,
  dirty,
  FAST_MEMORIES,
  guestMemory,
  privateKib,
  WASM_PAGE,
} from "./memories.testing.ts";
import { captureMemory, type MemoryImage } from "./memory-image.ts";
import { reservationOf } from "./reservation.ts";

const mapsFd = openSync("/proc/self/maps", "r");
const byText = (): MappingAt => mappingsByText(mapsFd);

const PAGES = 17;
const byteLength = PAGES * WASM_PAGE;

if (process.env[FAST_MEMORIES] === undefined) {
  test.each([
    { name: "many memories may be fast", variables: { [FAST_MEMORIES]: "10000" } },
    {
      name: "none may be",
      variables: { [FAST_MEMORIES]: "0", BUN_JSC_useWasmFastMemory: "0" },
    },
  ])(
    "the tests of this file pass where $name",
    async ({ variables }) => {
      const child = Bun.spawn([process.execPath, "test", "--timeout=30000", import.meta.path], {
        env: { ...process.env, ...variables },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      const summary = `${output}${errors}`;
      expect(await child.exited, summary).toBe(0);
      expect(summary).toMatch(/^ *[1-9]\d* pass$/m);
    },
    60_000,
  );
} else if (process.env[FAST_MEMORIES] === "0") {
  describe("without fast memories", testCopies);
} else {
  describe("with fast memories", testOverlays);
}

function kernelWith(over: Partial<Kernel> = {}, libc: Partial<Libc> = {}): Kernel {
  const kernel = systemKernel();
  if (kernel === undefined) throw new Error("Cannot test without Linux");
  return { ...kernel, ...over, libc: { ...kernel.libc, ...libc } };
}

function imageOf(
  memory: WebAssembly.Memory,
  kernel: Kernel = kernelWith(),
): { image: MemoryImage; pristine: Uint8Array } {
  const image = captureMemory(memory, { byteLength: memory.buffer.byteLength, kernel });
  return { image, pristine: bytesOf(memory).slice() };
}

function attachTo(image: MemoryImage, pages = PAGES): [WebAssembly.Memory, AttachedMemory] {
  const memory = new WebAssembly.Memory({ initial: pages });
  return [memory, image.attach(memory)];
}

function testCopies(): void {
  test("a memory that can move is never mapped over, however it is asked for", () => {
    const sizes = [1, 2, 6, 17, 63, 64, 128, 256, 1024, 16_384];
    const memories = sizes.flatMap((pages) =>
      Array.from({ length: 12 }, () => new WebAssembly.Memory({ initial: pages })),
    );
    for (const memory of memories) expect(reservationOf(memory)).toBeUndefined();
    expect(captureMemory(guestMemory(PAGES), { byteLength }).kind).toBe("copy");
    const captured = guestMemory(PAGES);
    const image = captureMemory(captured, { byteLength, copyOnWrite: true });
    expect(image.kind).toBe("copy-on-write");
    const random = new SeededRandom(7);
    for (let n = 0; n < 20; n++) {
      const [memory, attached] = attachTo(image);
      expect(attached.kind).toBe("copy");
      dirty(memory, random);
      memory.grow(3); // It moves.
      dirty(memory, random);
      attached.reset();
      expect(difference(memory, bytesOf(captured))).toBeUndefined();
      attached.discard();
    }
    expect(countMappings().ofImages).toBe(0);
  });

  test("discard() gives the pages of a copy back", () => {
    const image = captureMemory(guestMemory(128), { byteLength: 128 * WASM_PAGE });
    const attached = Array.from({ length: 8 }, () => attachTo(image, 128));
    for (const [memory] of attached) bytesOf(memory).fill(1);
    const before = privateKib();
    for (const [, one] of attached) one.discard();
    expect(before - privateKib()).toBeGreaterThan(8 * 8000);
    for (const [memory] of attached) bytesOf(memory)[5] = 1; // Harmless.
  });
}

function testOverlays(): void {
  const ways: { name: string; kernel: Kernel }[] = [
    { name: "as the kernel can", kernel: kernelWith() },
    { name: "when written pages cannot be known", kernel: kernelWith({ privatePages: undefined }) },
    { name: "when mappings cannot be asked for", kernel: kernelWith({ mappings: byText }) },
  ];

  describe.each(ways)("a memory over an image, $name,", ({ kernel }) => {
    test("is the image again after each reset, whatever was written and however it grew", () => {
      const { image, pristine } = imageOf(guestMemory(PAGES), kernel);
      const [memory, attached] = attachTo(image);
      expect(attached.kind).toBe("copy-on-write");
      expect(difference(memory, pristine)).toBeUndefined();
      const random = new SeededRandom(2);
      for (let round = 0; round < 300; round++) {
        if (round % 60 === 59) memory.grow(random.pick([1, 2, 18]));
        dirty(memory, random);
        attached.reset();
        expect(difference(memory, pristine)).toBeUndefined();
      }
      image.close();
    });

    test("shares nothing that is written with other memories, nor with the captured one", () => {
      const captured = guestMemory(PAGES);
      const { image, pristine } = imageOf(captured, kernel);
      const [one, attached] = attachTo(image);
      const [other] = attachTo(image);
      bytesOf(one).fill(1);
      expect(difference(other, pristine)).toBeUndefined();
      bytesOf(other).fill(2);
      bytesOf(captured).fill(3);
      attached.reset();
      expect(difference(one, pristine)).toBeUndefined();
      expect(bytesOf(other).every((byte) => byte === 2)).toBe(true);
      const [third] = attachTo(image);
      expect(difference(third, pristine)).toBeUndefined();
      image.close();
    });

    test("has zeros above the image when it was larger from the start", () => {
      const { image, pristine } = imageOf(guestMemory(PAGES), kernel);
      const memory = new WebAssembly.Memory({ initial: PAGES + 3 });
      bytesOf(memory).fill(9);
      const attached = image.attach(memory);
      expect(difference(memory, pristine)).toBeUndefined();
      bytesOf(memory).fill(9);
      attached.reset();
      expect(difference(memory, pristine)).toBeUndefined();
      image.close();
    });

    test("outlives the image's closing", () => {
      const { image, pristine } = imageOf(guestMemory(PAGES), kernel);
      const [memory, attached] = attachTo(image);
      image.close();
      const random = new SeededRandom(3);
      for (let round = 0; round < 30; round++) {
        dirty(memory, random);
        attached.reset();
        expect(difference(memory, pristine)).toBeUndefined();
      }
      expect(() => attachTo(image)).toThrow("the image has been closed");
      attached.discard();
    });

    test("may have been captured from such a memory", () => {
      const first = imageOf(guestMemory(PAGES), kernel);
      const [memory] = attachTo(first.image);
      memory.grow(1);
      dirty(memory, new SeededRandom(4));
      const second = imageOf(memory, kernel);
      const [copy] = attachTo(second.image, PAGES + 1);
      expect(difference(copy, bytesOf(memory))).toBeUndefined();
      first.image.close();
      second.image.close();
    });
  });

  test("what a Wasm guest sees is the image, before and after it grows", async () => {
    const module = await growingGuest();
    const { exports: captured } = new WebAssembly.Instance(module);
    const { memory, load, store, grow } = captured as unknown as GrowingGuest;
    bytesOf(memory)[100] = 42;
    const { image } = imageOf(memory);
    const { exports } = new WebAssembly.Instance(module);
    const sandbox = exports as unknown as GrowingGuest;
    const attached = image.attach(sandbox.memory);
    expect(attached.kind).toBe("copy-on-write");
    for (let round = 0; round < 5; round++) {
      const size = sandbox.grow(1) * WASM_PAGE;
      expect([sandbox.load(100), sandbox.load(size), sandbox.load(size + 65_535)]).toEqual([
        42, 0, 0,
      ]);
      for (const at of [100, size, size + 65_535]) sandbox.store(at, 9);
      expect(() => sandbox.load(size + 65_536)).toThrow(WebAssembly.RuntimeError);
      attached.reset();
    }
    expect([load(100), grow(0)]).toEqual([42, 4]); // The captured one has seen none of it.
    store(100, 1);
    expect(sandbox.load(100)).toBe(42);
    image.close();
  });

  test("an idle memory holds little, and none of what its module's data had filled", () => {
    const { image } = imageOf(guestMemory(PAGES));
    const attached = Array.from({ length: 100 }, () => attachTo(image));
    const before = privateKib();
    const more = Array.from({ length: 100 }, () => {
      const memory = guestMemory(PAGES);
      return [memory, image.attach(memory)] as const;
    });
    const perMemoryKib = (privateKib() - before) / 100;
    expect(perMemoryKib).toBeLessThan(64);
    expect(attached.length + more.length).toBe(200);
    image.close();
  });

  test("an idle memory keeps a bounded number of written pages", () => {
    const { image } = imageOf(guestMemory(PAGES));
    const all = Array.from({ length: 50 }, () => attachTo(image));
    const before = privateKib();
    for (const [memory, attached] of all) {
      // Other pages each time, so that what is kept adds up.
      for (let page = 0; page < 272; page++) {
        bytesOf(memory)[page * 4096] = 7;
        if (page % 3 === 2) attached.reset();
      }
      attached.reset();
    }
    expect((privateKib() - before) / 50).toBeLessThan(100);
    image.close();
  });

  test("discard() gives all pages back at once, and a stray access is harmless", () => {
    const { image } = imageOf(guestMemory(128));
    const all = Array.from({ length: 8 }, () => attachTo(image, 128));
    for (const [memory] of all) bytesOf(memory).fill(1);
    const [before, mapped] = [privateKib(), countMappings().ofImages];
    for (const [, attached] of all) attached.discard();
    expect(before - privateKib()).toBeGreaterThan(8 * 8000);
    expect(countMappings().ofImages).toBeLessThanOrEqual(mapped - 8);
    for (const [memory, attached] of all) {
      expect(bytesOf(memory)[5]).toBe(0);
      bytesOf(memory)[5] = 1;
      attached.discard();
    }
    image.close();
  });

  test("memories that are collected leave no mapping, and no byte to a later one", () => {
    const before = countMappings();
    const { image } = imageOf(guestMemory(PAGES));
    let fast = 0;
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 50; n++) {
        const fresh = new WebAssembly.Memory({ initial: PAGES + 1 });
        expect(difference(fresh, new Uint8Array(0))).toBeUndefined();
        const attached = image.attach(fresh);
        if (attached.kind === "copy-on-write") fast++;
        bytesOf(fresh).fill(0xee);
        if (n % 2 === 0) attached.reset();
        if (n % 5 === 0) attached.discard();
      }
      Bun.gc(true);
    }
    expect(fast).toBe(1000);
    image.close();
    Bun.gc(true);
    // What is left on the stack may show the collector a few. Three mappings for each of the
    // thousand, were they not unmapped.
    expect(countMappings().ofImages).toBeLessThan(before.ofImages + 100);
    expect(countMappings().all).toBeLessThan(before.all + 500);
  });

  describe("when the system refuses", () => {
    test("to map, the image is copied into a memory that is whole", () => {
      const full = kernelWith({}, { mmap: () => -1, errno: () => 12 });
      const { image, pristine } = imageOf(guestMemory(PAGES), full);
      const [memory, attached] = attachTo(image);
      expect(attached.kind).toBe("copy");
      const random = new SeededRandom(5);
      for (let round = 0; round < 20; round++) {
        dirty(memory, random);
        attached.reset();
        expect(difference(memory, pristine)).toBeUndefined();
      }
      image.close();
    });

    test("to map after it has unmapped, the hole is filled before anything else", () => {
      const { libc } = kernelWith();
      const mmap: Libc["mmap"] = (at, bytes, protection, flags, fd, offset) => {
        if (flags & MAP_ANONYMOUS) return libc.mmap(at, bytes, protection, flags, fd, offset);
        libc.munmap(at, bytes);
        return -1;
      };
      const { image, pristine } = imageOf(guestMemory(PAGES), kernelWith({}, { mmap }));
      const [memory, attached] = attachTo(image);
      expect(attached.kind).toBe("copy");
      expect(difference(memory, pristine)).toBeUndefined();
      expect(reservationOf(memory)).toBeDefined();
      image.close();
    });

    test("to map and leaves a hole, it is filled in the process's own kernel, too", () => {
      // What it has proved of a memory it does not ask again.
      const own = systemKernel();
      if (own === undefined) throw new Error("Cannot test without Linux");
      const libc = { ...own.libc };
      const { image, pristine } = imageOf(guestMemory(PAGES), own);
      const spied = spyOn(own.libc, "mmap");
      spied.mockImplementation((at, bytes, protection, flags, fd, offset) => {
        if (flags & MAP_ANONYMOUS) return libc.mmap(at, bytes, protection, flags, fd, offset);
        libc.munmap(at, bytes);
        return -1;
      });
      const [memory, attached] = attachTo(image);
      spied.mockRestore();
      expect(attached.kind).toBe("copy");
      expect(difference(memory, pristine)).toBeUndefined();
      image.close();
    });

    test("to map and to fill the hole, attaching fails loudly", () => {
      const { libc } = kernelWith();
      let lost = { at: 0, bytes: 0 };
      const mmap: Libc["mmap"] = (at, bytes) => {
        lost = { at, bytes };
        libc.munmap(at, bytes);
        return -1;
      };
      const { image } = imageOf(guestMemory(PAGES), kernelWith({}, { mmap }));
      const memory = new WebAssembly.Memory({ initial: PAGES });
      expect(() => image.attach(memory)).toThrow("it has a hole now");
      libc.mmap(lost.at, lost.bytes, 3, 0x32, -1, 0); // For the rest of this process.
      image.close();
    });

    test("to drop pages, they are written over", () => {
      const locked = kernelWith({ privatePages: undefined }, { madvise: () => -1 });
      const { image, pristine } = imageOf(guestMemory(PAGES), locked);
      const [memory, attached] = attachTo(image);
      memory.grow(1);
      bytesOf(memory).fill(9);
      attached.reset();
      expect(difference(memory, pristine)).toBeUndefined();
      expect(attached.kind).toBe("copy-on-write");
      image.close();
      attached.reset();
      const [late, unread] = [new WebAssembly.Memory({ initial: PAGES }), imageOf(memory, locked)];
      late.grow(1);
      const stranded = unread.image.attach(late);
      unread.image.close();
      expect(() => stranded.reset()).toThrow("Cannot reset a memory: its image has been closed");
    });

    test("to map zeros, discard() drops pages instead", () => {
      const { libc } = kernelWith();
      const advised: number[] = [];
      const over: Partial<Libc> = {
        mmap: (at, bytes, protection, flags, fd, offset) =>
          flags & MAP_ANONYMOUS ? -1 : libc.mmap(at, bytes, protection, flags, fd, offset),
        madvise: (at, bytes, advice) => {
          advised.push(advice);
          return libc.madvise(at, bytes, advice);
        },
      };
      const { image, pristine } = imageOf(guestMemory(PAGES), kernelWith({}, over));
      const [memory, attached] = attachTo(image);
      bytesOf(memory).fill(9);
      attached.discard();
      expect(advised).toEqual([MADV_DONTNEED]);
      expect(difference(memory, pristine)).toBeUndefined();
      image.close();
    });
  });

  test("reset() of a memory with many written pages drops them all", () => {
    const { libc } = kernelWith();
    let advised = 0;
    const madvise: Libc["madvise"] = (at, bytes, advice) => {
      advised++;
      return libc.madvise(at, bytes, advice);
    };
    const { image, pristine } = imageOf(guestMemory(PAGES), kernelWith({}, { madvise }));
    const [memory, attached] = attachTo(image);
    for (let page = 0; page < 16; page++) bytesOf(memory)[page * 8192] = 9;
    attached.reset();
    expect(advised).toBe(0);
    bytesOf(memory).fill(9);
    attached.reset();
    expect(advised).toBe(1);
    expect(difference(memory, pristine)).toBeUndefined();
    image.close();
  });

  test("a small image is copied, and a large one is not", () => {
    expect(imageOf(guestMemory(1)).image.kind).toBe("copy");
    expect(imageOf(guestMemory(PAGES)).image.kind).toBe("copy-on-write");
    const blind = kernelWith({ privatePages: undefined });
    expect(imageOf(guestMemory(4), blind).image.kind).toBe("copy");
    expect(imageOf(guestMemory(4)).image.kind).toBe("copy-on-write");
  });
}

interface GrowingGuest {
  readonly memory: WebAssembly.Memory;
  readonly load: (at: number) => number;
  readonly store: (at: number, byte: number) => void;
  /** @returns the pages before */
  readonly grow: (pages: number) => number;
}

async function growingGuest(): Promise<WebAssembly.Module> {
  const wabt = await initWabt();
  const text = `(module
    (memory (export "memory") 4)
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`;
  const module = wabt.parseWat("growing.wat", text);
  return new WebAssembly.Module(module.toBinary({}).buffer);
}
