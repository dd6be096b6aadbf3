/** Modules of few bytes, or of many, that are made to keep their reader busy. */
import { encodeU32 } from "../binary/leb128.ts";
import { SECTION } from "../binary/sections.ts";
import { encodeSection, joinBytes } from "../binary/writer.ts";

export interface Bomb {
  readonly name: string;
  readonly make: () => Uint8Array<ArrayBuffer>;
}

const HEADER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
/** A vector of one type: () -> (). */
export const TYPES = encodeSection(SECTION.type, Uint8Array.of(1, 0x60, 0, 0));
const FUNCTION = encodeSection(SECTION.function, Uint8Array.of(1, 0));
const END = 0x0b;

export function module(...sections: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joinBytes([HEADER, ...sections]);
}

export function vector(count: number, entries: Uint8Array): Uint8Array {
  return joinBytes([encodeU32(count), entries]);
}

export function repeat(count: number, ...bytes: readonly number[]): Uint8Array {
  const all = new Uint8Array(count * bytes.length);
  for (let n = 0; n < all.byteLength; n++) all[n] = bytes[n % bytes.length] ?? 0;
  return all;
}

/** A module of one function. */
export function withBody(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = joinBytes(parts);
  const code = joinBytes([encodeU32(1), encodeU32(body.byteLength), body]);
  return module(TYPES, FUNCTION, encodeSection(SECTION.code, code));
}

export const NO_LOCALS = Uint8Array.of(0);

export const BOMBS: readonly Bomb[] = [
  {
    name: "600,000 blocks inside one another",
    make: () => withBody(NO_LOCALS, repeat(600_000, 0x02, 0x40), repeat(600_000, END)),
  },
  {
    name: "50,000 locals in 50 bytes",
    make: () => withBody(Uint8Array.of(1, ...encodeU32(50_000), 0x7f, END)),
  },
  {
    name: "500,000 groups of locals",
    make: () => withBody(encodeU32(500_000), repeat(500_000, 1, 0x7f), Uint8Array.of(END)),
  },
  {
    name: "a table of ten million entries",
    make: () =>
      module(encodeSection(SECTION.table, Uint8Array.of(1, 0x70, 0, ...encodeU32(10_000_000)))),
  },
  {
    name: "500,000 functions",
    make: () =>
      module(
        TYPES,
        encodeSection(SECTION.function, vector(500_000, repeat(500_000, 0))),
        encodeSection(SECTION.code, vector(500_000, repeat(500_000, 2, 0, END))),
      ),
  },
  {
    name: "a br_table of a million targets",
    make: () =>
      withBody(
        NO_LOCALS,
        Uint8Array.of(0x41, 0, 0x0e),
        vector(1_000_000, repeat(1_000_001, 0)),
        Uint8Array.of(END),
      ),
  },
  {
    name: "one recursion group of 300,000 types",
    make: () =>
      module(
        encodeSection(
          SECTION.type,
          joinBytes([Uint8Array.of(1, 0x4e), vector(300_000, repeat(300_000, 0x60, 0, 0))]),
        ),
      ),
  },
  {
    name: "60,000 types of 200 parameters",
    make: () => {
      const type = joinBytes([
        Uint8Array.of(0x60),
        vector(200, repeat(200, 0x7f)),
        Uint8Array.of(0),
      ]);
      return module(encodeSection(SECTION.type, vector(60_000, repeat(60_000, ...type))));
    },
  },
  {
    name: "a try_table of a million clauses",
    make: () =>
      withBody(
        NO_LOCALS,
        Uint8Array.of(0x1f, 0x40),
        vector(1_000_000, repeat(1_000_000, 2, 0)),
        Uint8Array.of(END, END),
      ),
  },
  {
    name: "four million elements",
    make: () =>
      module(
        TYPES,
        encodeSection(
          SECTION.element,
          joinBytes([Uint8Array.of(1, 1, 0), vector(4_000_000, repeat(4_000_000, 0))]),
        ),
      ),
  },
  {
    name: "100,000 globals",
    make: () =>
      module(
        encodeSection(SECTION.global, vector(100_000, repeat(100_000, 0x7f, 1, 0x41, 0, END))),
      ),
  },
  {
    name: "8 MB of code in one function",
    make: () => withBody(NO_LOCALS, repeat(8_000_000, 0x01), Uint8Array.of(END)),
  },
];
