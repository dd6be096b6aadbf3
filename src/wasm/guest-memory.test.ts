import { describe, expect, test } from "bun:test";
import { GuestMemory } from "./guest-memory.ts";

const PAGE = 65_536;

describe("GuestMemory", () => {
  test("reads and writes what lies within", () => {
    const { memory, raw } = onePage();
    expect(memory.write(10, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(memory.read(11, 2)).toEqual(Uint8Array.of(2, 3));
    expect(memory.copy(10, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(memory.writeU32(20, 0xdead_beef)).toBe(true);
    expect(memory.readU32(20)).toBe(0xdead_beef);
    expect(raw().subarray(20, 24).toHex()).toBe("efbeadde"); // Little-endian.
    expect(memory.writeU64(33, 0x0102_0304_0506_0708n)).toBe(true);
    expect(raw().subarray(33, 41).toHex()).toBe("0807060504030201"); // At an odd address.
  });

  test("takes addresses as the signed numbers that they arrive as", () => {
    const memory = new GuestMemory(new WebAssembly.Memory({ initial: 32_769 })); // 2 GiB + 64 KiB
    expect(memory.writeU32(-0x8000_0000, 7)).toBe(true);
    expect(memory.readU32(0x8000_0000)).toBe(7);
  });

  test("keeps every byte of latin-1 text, both ways", () => {
    const { memory, raw } = onePage();
    const text = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    expect(memory.writeLatin1(100, text)).toBe(true);
    expect(Array.from(raw().subarray(100, 356))).toEqual([...Array(256).keys()]);
    expect(memory.latin1(100, 256, 256)).toBe(text);
  });

  test("cuts latin-1 text one byte above its bound, so that a long one costs no more", () => {
    const { memory } = onePage();
    expect(memory.latin1(0, 10, 10)).toHaveLength(10);
    expect(memory.latin1(0, PAGE, 10)).toHaveLength(11);
    expect(memory.latin1(1, PAGE, 10)).toBeUndefined();
  });

  test("reads UTF-8 and replaces what is none", () => {
    const { memory } = onePage();
    memory.write(0, new TextEncoder().encode("é€"));
    expect(memory.utf8(0, 5)).toBe("é€");
    expect(memory.utf8(0, 1)).toBe("\ufffd");
  });

  test("follows the memory when it grows", () => {
    const { memory, grow } = onePage();
    memory.writeU32(PAGE - 4, 42);
    grow(1);
    expect(memory.byteLength).toBe(2 * PAGE);
    expect(memory.readU32(PAGE - 4)).toBe(42);
    expect(memory.writeLatin1(2 * PAGE - 1, "x")).toBe(true);
  });

  test("copies are the caller's own, windows are not", () => {
    const { memory } = onePage();
    const copy = memory.copy(0, 1);
    const window = memory.read(0, 1);
    memory.write(0, Uint8Array.of(9));
    expect(copy).toEqual(Uint8Array.of(0));
    expect(window).toEqual(Uint8Array.of(9));
  });

  test("has room for nothing at its very end", () => {
    const { memory } = onePage();
    expect(memory.contains(PAGE, 0)).toBe(true);
    expect(memory.read(PAGE, 0)).toEqual(new Uint8Array());
    expect(memory.latin1(PAGE, 0, 1)).toBe("");
  });
});

describe("GuestMemory errors", () => {
  test.each([
    { name: "one byte behind the end", ptr: PAGE, byteLength: 1 },
    { name: "a length over the end", ptr: PAGE - 3, byteLength: 4 },
    { name: "the highest address", ptr: 0xffff_ffff, byteLength: 1 },
    { name: "the highest address, signed", ptr: -1, byteLength: 1 },
    { name: "the longest length", ptr: 0, byteLength: -1 },
    { name: "a sum beyond 32 bits", ptr: -1, byteLength: -1 },
    { name: "nothing behind the end", ptr: PAGE + 1, byteLength: 0 },
  ])("answers undefined for $name", ({ ptr, byteLength }) => {
    const { memory } = onePage();
    expect(memory.contains(ptr, byteLength)).toBe(false);
    expect(memory.read(ptr, byteLength)).toBeUndefined();
    expect(memory.copy(ptr, byteLength)).toBeUndefined();
    expect(memory.latin1(ptr, byteLength, PAGE)).toBeUndefined();
    expect(memory.utf8(ptr, byteLength)).toBeUndefined();
  });

  test("writes nothing at all when not everything fits", () => {
    const { memory, raw } = onePage();
    expect(memory.write(PAGE - 2, Uint8Array.of(1, 1, 1))).toBe(false);
    expect(memory.writeLatin1(PAGE - 2, "abc")).toBe(false);
    expect(memory.writeU32(PAGE - 3, -1)).toBe(false);
    expect(memory.writeU64(PAGE - 7, 1n)).toBe(false);
    expect(memory.readU32(PAGE - 3)).toBeUndefined();
    expect(raw().every((byte) => byte === 0)).toBe(true);
  });

  test("answers undefined in a memory without pages", () => {
    const memory = new GuestMemory(new WebAssembly.Memory({ initial: 0 }));
    expect(memory.byteLength).toBe(0);
    expect(memory.read(0, 1)).toBeUndefined();
  });
});

function onePage() {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  return {
    memory: new GuestMemory(wasm),
    raw: () => new Uint8Array(wasm.buffer),
    grow: (pages: number) => wasm.grow(pages),
  };
}
