import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../../base/random.testing.ts";
import { systemKernel, type Kernel } from "./kernel.ts";
import { bytesOf, difference, dirty, guestMemory, WASM_PAGE } from "./memories.testing.ts";
import { captureMemory } from "./memory-image.ts";

const PAGES = 5;
const byteLength = PAGES * WASM_PAGE;

/** Every way in which an image can be copied. */
const COPYING: { name: string; options: { copyOnWrite?: boolean; kernel?: Kernel | undefined } }[] =
  [
    { name: "without a kernel", options: { kernel: undefined } },
    { name: "with one", options: { copyOnWrite: false } },
    {
      name: "when there are no files in memory",
      options: { copyOnWrite: true, kernel: withoutMemfd() },
    },
  ];

function withoutMemfd(): Kernel {
  const kernel = systemKernel();
  if (kernel === undefined) throw new Error("Cannot test without Linux");
  return { ...kernel, libc: { ...kernel.libc, memfd_create: () => -1 } };
}

describe.each(COPYING)("an image that is copied, $name,", ({ options }) => {
  test("is what was captured, whatever is done to memories", () => {
    const captured = guestMemory(PAGES);
    const image = captureMemory(captured, { byteLength, ...options });
    expect(image.kind).toBe("copy");
    expect(image.byteLength).toBe(byteLength);
    const pristine = bytesOf(captured).slice();
    bytesOf(captured).fill(9);
    const memory = new WebAssembly.Memory({ initial: PAGES });
    const attached = image.attach(memory);
    expect(attached.kind).toBe("copy");
    expect(difference(memory, pristine)).toBeUndefined();
    const random = new SeededRandom(1);
    for (let round = 0; round < 60; round++) {
      if (round === 20) memory.grow(1);
      if (round === 40) memory.grow(6); // So much that zeros are had from the system.
      dirty(memory, random);
      attached.reset();
      expect(difference(memory, pristine)).toBeUndefined();
    }
  });

  test("is of a part of the memory, and zeros what is above in another", () => {
    const captured = guestMemory(PAGES);
    const image = captureMemory(captured, { ...options, byteLength: 2 * WASM_PAGE });
    const memory = new WebAssembly.Memory({ initial: PAGES });
    bytesOf(memory).fill(9);
    image.attach(memory);
    const pristine = bytesOf(captured).slice(0, 2 * WASM_PAGE);
    expect(difference(memory, pristine)).toBeUndefined();
  });

  test("may be closed while memories are attached, but then attaches no more", () => {
    const captured = guestMemory(PAGES);
    const image = captureMemory(captured, { byteLength, ...options });
    const memory = new WebAssembly.Memory({ initial: PAGES });
    const attached = image.attach(memory);
    image.close();
    image.close();
    bytesOf(memory).fill(1);
    attached.reset();
    expect(difference(memory, bytesOf(captured))).toBeUndefined();
    expect(() => image.attach(new WebAssembly.Memory({ initial: PAGES }))).toThrow(
      "Cannot attach a memory: the image has been closed",
    );
  });

  test("may be of an empty memory", () => {
    const image = captureMemory(new WebAssembly.Memory({ initial: 0 }), {
      ...options,
      byteLength: 0,
    });
    const memory = new WebAssembly.Memory({ initial: 0 });
    const attached = image.attach(memory);
    memory.grow(1);
    bytesOf(memory).fill(1);
    attached.reset();
    expect(difference(memory, new Uint8Array(0))).toBeUndefined();
    attached.discard();
  });
});

describe("captureMemory() errors", () => {
  test.each([
    { name: "more than there is", byteLength: 2 * WASM_PAGE },
    { name: "half a page", byteLength: WASM_PAGE / 2 },
  ])("refuses $name", ({ byteLength: wanted }) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    expect(() => captureMemory(memory, { byteLength: wanted })).toThrow(
      `Cannot capture ${wanted} bytes of a memory of 65536`,
    );
  });
});

describe("attach() errors", () => {
  test("refuses a memory that is smaller than the image", () => {
    const image = captureMemory(guestMemory(PAGES), { byteLength });
    const small = new WebAssembly.Memory({ initial: 1 });
    expect(() => image.attach(small)).toThrow(
      "Cannot attach a memory of 65536 bytes to an image of 327680: grow it first",
    );
    small.grow(PAGES - 1);
    image.attach(small);
    image.close();
  });

  test("refuses a memory that is attached already", () => {
    const image = captureMemory(guestMemory(PAGES), { byteLength });
    const memory = new WebAssembly.Memory({ initial: PAGES });
    image.attach(memory);
    expect(() => image.attach(memory)).toThrow("it is attached already");
    image.close();
  });
});
