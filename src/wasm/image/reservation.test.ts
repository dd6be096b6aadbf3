import { describe, expect, test } from "bun:test";
import { addressOf } from "../../base/libc.ts";
import { systemKernel, type Kernel } from "./kernel.ts";
import type { Mapping } from "./mappings.ts";
import { reservationOf } from "./reservation.ts";

const SIZE = 3 * 65_536;
const RESERVED = 0x1_0080_0000;

const kernel = systemKernel();
if (kernel === undefined) throw new Error("Cannot test without Linux");

type Part = readonly [from: number, to: number, permissions: string];

/** The system's kernel, except that it sees these mappings; offsets count from the memory. */
function kernelThatSees(memory: WebAssembly.Memory, parts: readonly Part[]): Kernel {
  const base = addressOf(memory.buffer) ?? 0;
  const mappings = parts.map(([from, to, permissions]): Mapping => ({
    start: base + from,
    end: base + to,
    permissions,
  }));
  const find = (at: number) => mappings.find(({ start, end }) => at >= start && at < end);
  return { ...(kernel as Kernel), mappings: () => find };
}

describe("reservationOf()", () => {
  const memory = new WebAssembly.Memory({ initial: 3 });
  const base = addressOf(memory.buffer) ?? 0;
  const reserved: Part = [SIZE, RESERVED, "---p"];

  test.each<{ name: string; parts: readonly Part[] }>([
    { name: "a memory and its reservation", parts: [[0, SIZE, "rw-p"], reserved] },
    { name: "a mapping that begins before", parts: [[-4096, SIZE, "rw-p"], reserved] },
    {
      name: "a memory in several mappings",
      parts: [[0, 65_536, "rw-p"], [65_536, SIZE, "rw-p"], reserved],
    },
  ])("proves $name", ({ parts }) => {
    expect(reservationOf(memory, kernelThatSees(memory, parts))).toEqual({
      base,
      pageBytes: kernel.pageBytes,
    });
  });

  test.each<{ name: string; parts: readonly Part[] }>([
    { name: "no mapping", parts: [] },
    { name: "no reservation", parts: [[0, SIZE, "rw-p"]] },
    {
      name: "one byte less reserved",
      parts: [
        [0, SIZE, "rw-p"],
        [SIZE, RESERVED - 1, "---p"],
      ],
    },
    {
      name: "one byte more reserved",
      parts: [
        [0, SIZE, "rw-p"],
        [SIZE, RESERVED + 1, "---p"],
      ],
    },
    { name: "a memory that goes on", parts: [[0, SIZE + 65_536, "rw-p"], reserved] },
    { name: "an allocator's arena", parts: [[-1e6, 2 ** 30, "rw-p"]] },
    { name: "a hole in the memory", parts: [[0, 65_536, "rw-p"], reserved] },
    {
      name: "a hole in the reservation",
      parts: [
        [0, SIZE, "rw-p"],
        [SIZE, 1e9, "---p"],
        [2e9, RESERVED, "---p"],
      ],
    },
    {
      name: "a reservation that is not empty",
      parts: [
        [0, SIZE, "rw-p"],
        [SIZE, 1e9, "---p"],
        [1e9, RESERVED, "rw-p"],
      ],
    },
    { name: "a shared mapping", parts: [[0, SIZE, "rw-s"], reserved] },
    { name: "code", parts: [[0, SIZE, "rwxp"], reserved] },
    {
      name: "more mappings than are asked for",
      parts: [
        ...Array.from({ length: 48 }, (_, n): Part => [n * 4096, (n + 1) * 4096, "rw-p"]),
        reserved,
      ],
    },
  ])("refuses $name", ({ parts }) => {
    expect(reservationOf(memory, kernelThatSees(memory, parts))).toBeUndefined();
  });

  test("refuses an empty memory, a shared one, and every one without mappings to see", () => {
    expect(reservationOf(new WebAssembly.Memory({ initial: 0 }))).toBeUndefined();
    const shared = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
    expect(reservationOf(shared)).toBeUndefined();
    const blind = { ...kernel, mappings: () => undefined };
    expect(reservationOf(memory, blind)).toBeUndefined();
  });

  test("refuses a memory that begins in the middle of a page", () => {
    const parts: readonly Part[] = [[0, SIZE, "rw-p"], reserved];
    const odd = { ...kernelThatSees(memory, parts), pageBytes: 2 ** 40 };
    expect(reservationOf(memory, odd)).toBeUndefined();
  });
});
