import { describe, expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { addressOf, systemLibc } from "../../base/libc.ts";
import { mappingsByQuery, mappingsByText, mappingsOf } from "./mappings.ts";

const mapsFd = openSync("/proc/self/maps", "r");

const MAPS = `55e0a0000000-55e0a0002000 r-xp 00000000 fe:01 1234    /bin/guest
7f0000001000-7f0000002000 rw-p 00000000 00:00 0
7f0000002000-7f0100000000 ---p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-s 00000000 00:00 0    [stack]
`;

describe("mappingsOf()", () => {
  test.each([
    { name: "the first address", at: 0x55e0_a000_0000, permissions: "r-xp" },
    { name: "the last address", at: 0x55e0_a000_1fff, permissions: "r-xp" },
    { name: "an address between two mappings", at: 0x55e0_a000_2000, permissions: undefined },
    { name: "an address where two mappings meet", at: 0x7f00_0000_2000, permissions: "---p" },
    { name: "an address below them", at: 0x7f00_0000_1fff, permissions: "rw-p" },
    { name: "the last mapping", at: 0x7ffd_0000_0000, permissions: "rw-s" },
    { name: "an address below all", at: 0x1000, permissions: undefined },
    { name: "an address above all", at: 0x7fff_0000_0000, permissions: undefined },
  ])("finds $name", ({ at, permissions }) => {
    expect(mappingsOf(MAPS)(at)?.permissions).toBe(permissions as string);
  });

  test("tells where a mapping begins and ends", () => {
    expect(mappingsOf(MAPS)(0x7f00_0000_3000)).toEqual({
      start: 0x7f00_0000_2000,
      end: 0x7f01_0000_0000,
      permissions: "---p",
    });
  });

  test.each(["", "nonsense\n", "\n\n\n"])("finds nothing in %j", (maps) => {
    expect(mappingsOf(maps)(0x1000)).toBeUndefined();
  });
});

describe("mappingsByText()", () => {
  test("reads the mappings of this process", () => {
    const address = addressOf(new ArrayBuffer(10_000_000)) ?? 0;
    const mapping = mappingsByText(mapsFd)(address);
    expect(mapping?.permissions).toBe("rw-p");
    expect(mapping?.start).toBeLessThanOrEqual(address);
    expect(mapping?.end).toBeGreaterThan(address);
  });

  test("finds every mapping, in any order, and nothing above them", () => {
    const lines = readFileSync("/proc/self/maps", "latin1").trim().split("\n");
    const starts = lines.map((line) => Number.parseInt(line, 16));
    const mappingAt = mappingsByText(mapsFd);
    const found = starts.toReversed().filter((start) => mappingAt(start) !== undefined);
    // The runtime itself may map and unmap in between.
    expect(found.length).toBeGreaterThan(starts.length - 10);
    expect(mappingAt(2 ** 47 - 1)).toBeUndefined();
    expect(mappingAt(0)).toBeUndefined();
  });
});

describe("mappingsByQuery()", () => {
  const libc = systemLibc();
  if (libc === undefined) throw new Error("Cannot test without a C library");

  test("agrees with the text, or is not offered", () => {
    const byQuery = mappingsByQuery(libc, mapsFd);
    const memory = new WebAssembly.Memory({ initial: 3 });
    const address = addressOf(memory.buffer) ?? 0;
    const byText = mappingsByText(mapsFd);
    if (byQuery !== undefined) {
      expect(byQuery(address)).toEqual(byText(address) as never);
      expect(byQuery(address + 196_608)).toEqual(byText(address + 196_608) as never);
      expect(byQuery(0)).toBeUndefined();
    }
  });

  test("is not offered where the kernel refuses the question", () => {
    expect(mappingsByQuery({ ...libc, ioctl: () => -1 }, 0)).toBeUndefined();
  });
});
