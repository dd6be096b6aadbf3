import { describe, expect, test } from "bun:test";
import { read } from "bun:ffi";
import { addressOf, type Libc } from "../../base/libc.ts";
import { systemKernel } from "./kernel.ts";
import { contentOf, MemoryFile, nonZeroRuns } from "./memory-file.ts";

const kernel = systemKernel();
if (kernel === undefined) throw new Error("Cannot test without Linux");
const { libc, pageBytes } = kernel;

/** Pages that hold their own number in their last byte; 0 is a page of zeros. */
function pagesOf(...numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(numbers.length * pageBytes);
  for (const [index, number] of numbers.entries()) bytes[(index + 1) * pageBytes - 1] = number;
  return bytes;
}

function fileOf(bytes: Uint8Array<ArrayBuffer>, over: Partial<Libc> = {}): MemoryFile | undefined {
  return MemoryFile.of(bytes, { ...libc, ...over }, pageBytes);
}

describe("MemoryFile", () => {
  test("gives back what it was made of, from any part of a buffer", () => {
    const bytes = pagesOf(9, 0, 2, 3, 0, 5, 0);
    const file = fileOf(bytes.subarray(pageBytes));
    expect(file?.content()).toEqual(bytes.slice(pageBytes, 6 * pageBytes));
    const page = file?.pageAddress(2) ?? 0;
    expect(read.u8(page, pageBytes - 1)).toBe(3);
    expect(file?.pageAddress(2)).toBe(page);
    file?.close();
  });

  test("cannot be written any more", () => {
    const file = fileOf(pagesOf(1, 2));
    const from = addressOf(Uint8Array.of(7).buffer) ?? 0;
    expect(libc.pwrite(file?.fd ?? -1, from, 1, 0)).toBe(-1);
    const EPERM = 1;
    expect(libc.errno()).toBe(EPERM);
    expect(libc.ftruncate(file?.fd ?? -1, 0)).toBe(-1);
    file?.close();
  });

  test("leaves zeros out of the file", () => {
    const written: number[][] = [];
    const pwrite: Libc["pwrite"] = (fd, from, byteLength, offset) => {
      written.push([offset / pageBytes, byteLength / pageBytes]);
      return libc.pwrite(fd, from, byteLength, offset);
    };
    fileOf(pagesOf(0, 1, 2, 0, 0, 3, 0), { pwrite })?.close();
    expect(written).toEqual([
      [1, 2],
      [5, 1],
    ]);
  });

  test("writes and reads on when a call transfers less than it is asked for", () => {
    const short: Partial<Libc> = {
      pwrite: (fd, from, byteLength, at) => libc.pwrite(fd, from, Math.min(byteLength, 1000), at),
      pread: (fd, into, byteLength, at) => libc.pread(fd, into, Math.min(byteLength, 777), at),
    };
    const bytes = pagesOf(1, 2, 3);
    const file = fileOf(bytes, short);
    expect(file?.content()).toEqual(bytes);
    file?.close();
  });

  test("keeps what was read of it when it is closed, and gives no more", () => {
    const bytes = pagesOf(1, 2);
    const file = fileOf(bytes);
    const page = file?.pageAddress(0) ?? 0;
    file?.close();
    file?.close();
    expect(file?.fd).toBeUndefined();
    expect(file?.pageAddress(0)).toBe(page);
    expect(file?.pageAddress(1)).toBeUndefined();
    expect(file?.content()).toBeUndefined();
  });

  test.each<{ name: string; over: Partial<Libc> }>([
    { name: "made", over: { memfd_create: () => -1 } },
    { name: "given a size", over: { ftruncate: () => -1 } },
    { name: "written", over: { pwrite: () => 0 } },
    { name: "sealed", over: { fcntl: () => -1 } },
  ])("is undefined when it cannot be $name, and leaves nothing open", ({ over }) => {
    const open = new Set<number>();
    const track: Partial<Libc> = {
      memfd_create: (name, flags) => {
        const fd = libc.memfd_create(name, flags);
        open.add(fd);
        return fd;
      },
      close: (fd) => {
        open.delete(fd);
        return libc.close(fd);
      },
    };
    expect(fileOf(pagesOf(1), { ...track, ...over })).toBeUndefined();
    expect(open.size).toBe(0);
  });

  test("is made by a kernel that does not know how to forbid execution", () => {
    const asked: number[] = [];
    const memfdCreate: Libc["memfd_create"] = (name, flags) => {
      asked.push(flags);
      return flags > 7 ? -1 : libc.memfd_create(name, flags);
    };
    const file = fileOf(pagesOf(1), { memfd_create: memfdCreate });
    expect(file?.content()).toEqual(pagesOf(1));
    expect(asked).toEqual([11, 3]);
    file?.close();
  });
});

describe("nonZeroRuns()", () => {
  test.each([
    { name: "nothing", pages: [], runs: [] },
    { name: "zeros", pages: [0, 0], runs: [] },
    { name: "one run", pages: [1, 2], runs: [[0, 2]] },
    {
      name: "runs between zeros",
      pages: [0, 1, 0, 2, 3, 0],
      runs: [
        [1, 2],
        [3, 5],
      ],
    },
  ])("finds $name", ({ pages, runs }) => {
    const found = nonZeroRuns(pagesOf(...pages), pageBytes);
    expect(found.map(({ start, end }) => [start / pageBytes, end / pageBytes])).toEqual(
      runs.map((run) => [...run]),
    );
  });
});

describe("contentOf()", () => {
  test("leaves out the zeros at the end, and copies the rest", () => {
    const bytes = pagesOf(0, 1, 0, 0);
    const content = contentOf(bytes, pageBytes);
    bytes.fill(7);
    expect(content).toEqual(pagesOf(0, 1));
    expect(contentOf(pagesOf(0, 0), pageBytes).byteLength).toBe(0);
  });
});
