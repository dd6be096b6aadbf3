import { describe, expect, test } from "bun:test";
import { read } from "bun:ffi";
import { openSync } from "node:fs";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ_WRITE, type Libc } from "../../base/libc.ts";
import { systemKernel } from "./kernel.ts";
import { createMemoryFile } from "./memory-file.ts";
import { privatePagesOf, type PrivatePages } from "./private-pages.ts";

const kernel = systemKernel();
if (kernel === undefined) throw new Error("Cannot test without Linux");
const { libc, pageBytes } = kernel;
const PAGES = 1000;

/** Where the kernel knows nothing, there is nothing to test but that. */
function open(over: Partial<Libc> = {}): PrivatePages | undefined {
  const pagemapFd = openSync("/proc/self/pagemap", "r");
  return privatePagesOf({ ...libc, ...over }, { pagemapFd, pageBytes });
}

function regions(pages: PrivatePages, base: number, count = PAGES): number[][] {
  const found = pages.find(base, count * pageBytes);
  return Array.from({ length: found }, (_, n) => [
    pages.from(n) / pageBytes,
    pages.to(n) / pageBytes,
  ]);
}

function write(base: number, page: number): void {
  libc.memset(base + page * pageBytes + 5, 1, 1);
}

describe("PrivatePages", () => {
  const pages = open();
  if (pages === undefined) return;

  test("find() tells the written pages of a file's mapping, not the read ones", () => {
    const file = createMemoryFile(libc, PAGES * pageBytes) ?? -1;
    const base = libc.mmap(0, PAGES * pageBytes, PROT_READ_WRITE, MAP_PRIVATE, file, 0);
    libc.close(file);
    expect(regions(pages, base)).toEqual([]);
    for (let page = 0; page < PAGES; page += 3) expect(read.u8(base, page * pageBytes)).toBe(0);
    expect(regions(pages, base)).toEqual([]);
    for (const page of [3, 700, 4, 999]) write(base, page);
    expect(regions(pages, base)).toEqual([
      [3, 5],
      [700, 701],
      [999, 1000],
    ]);
    // A part of it: what lies beyond is not told.
    expect(regions(pages, base + 4 * pageBytes, 1)).toEqual([[0, 1]]);
    libc.munmap(base, PAGES * pageBytes);
  });

  test("find() tells every touched page of an anonymous mapping", () => {
    const flags = MAP_PRIVATE + MAP_ANONYMOUS;
    const base = libc.mmap(0, PAGES * pageBytes, PROT_READ_WRITE, flags, -1, 0);
    write(base, 0);
    write(base, 1);
    expect(regions(pages, base)).toEqual([[0, 2]]);
    libc.munmap(base, PAGES * pageBytes);
  });

  test("find() answers -1 when there are more regions than it holds", () => {
    const file = createMemoryFile(libc, PAGES * pageBytes) ?? -1;
    const base = libc.mmap(0, PAGES * pageBytes, PROT_READ_WRITE, MAP_PRIVATE, file, 0);
    libc.close(file);
    for (let n = 0; n < 127; n++) write(base, 2 * n);
    expect(pages.find(base, PAGES * pageBytes)).toBe(127);
    for (let n = 127; n < 129; n++) write(base, 2 * n);
    expect(pages.find(base, PAGES * pageBytes)).toBe(-1);
    expect(pages.find(base, 20 * pageBytes)).toBe(10);
    libc.munmap(base, PAGES * pageBytes);
  });

  test("find() answers -1 for a range that the kernel refuses", () => {
    expect(pages.find(1, pageBytes)).toBe(-1);
  });
});

describe("privatePagesOf()", () => {
  test.each<{ name: string; over: Partial<Libc> }>([
    { name: "refuses the question", over: { ioctl: () => -1 } },
    { name: "says that nothing was written", over: { ioctl: () => 0 } },
    { name: "has no files in memory", over: { memfd_create: () => -1 } },
    { name: "maps none", over: { mmap: () => -1 } },
  ])("offers nothing where the kernel $name", ({ over }) => {
    expect(open(over)).toBeUndefined();
  });
});
