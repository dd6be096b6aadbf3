import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { encodeU32 } from "../binary/leb128.ts";
import { ModuleError } from "../binary/module-error.ts";
import { SECTION } from "../binary/sections.ts";
import { encodeSection, joinBytes } from "../binary/writer.ts";
import { BOMBS, module, NO_LOCALS, repeat, TYPES, vector, withBody } from "./bombs.testing.ts";
import { instrument } from "./instrument.ts";

const END = 0x0b;

/** A body of nothing but locals, with its size. */
function bodyOf(locals: number): Uint8Array {
  const code = Uint8Array.of(1, ...encodeU32(locals), 0x7f, END);
  return joinBytes([encodeU32(code.byteLength), code]);
}

/** A module that stands at a limit with `n`. */
const AT_LIMIT = [
  {
    name: "functions",
    max: LIMITS.moduleFunctionsMax,
    make: (n: number) =>
      module(
        TYPES,
        encodeSection(SECTION.function, vector(n, repeat(n, 0))),
        encodeSection(SECTION.code, vector(n, repeat(n, 2, 0, END))),
      ),
  },
  {
    name: "locals",
    max: LIMITS.moduleLocalsMax,
    make: (n: number) => withBody(Uint8Array.of(1, ...encodeU32(n), 0x7f, END)),
  },
  {
    name: "locals of several groups",
    max: LIMITS.moduleLocalsMax,
    make: (n: number) => withBody(Uint8Array.of(2, ...encodeU32(n - 10), 0x7f, 10, 0x7e, END)),
  },
  {
    name: "nested blocks",
    max: LIMITS.moduleDepthMax,
    make: (n: number) => withBody(NO_LOCALS, repeat(n, 0x02, 0x40), repeat(n + 1, END)),
  },
  {
    name: "bytes of a body",
    max: LIMITS.moduleBodyBytesMax,
    make: (n: number) => withBody(NO_LOCALS, repeat(n - 2, 0x01), Uint8Array.of(END)),
  },
  {
    name: "targets of br_table",
    max: LIMITS.moduleBranchTargetsMax,
    make: (n: number) =>
      withBody(
        NO_LOCALS,
        Uint8Array.of(0x41, 0, 0x0e),
        vector(n, repeat(n + 1, 0)),
        Uint8Array.of(END),
      ),
  },
  {
    name: "clauses of try_table",
    max: LIMITS.moduleCatchesMax,
    make: (n: number) =>
      withBody(
        NO_LOCALS,
        Uint8Array.of(0x1f, 0x40),
        vector(n, repeat(n, 2, 0)),
        Uint8Array.of(END, END),
      ),
  },
  {
    name: "types",
    max: LIMITS.moduleTypesMax,
    make: (n: number) =>
      module(
        encodeSection(
          SECTION.type,
          joinBytes([
            Uint8Array.of(2, 0x4e),
            vector(n - 1, repeat(n - 1, 0x60, 0, 0)),
            Uint8Array.of(0x60, 0, 0),
          ]),
        ),
      ),
  },
  {
    name: "tables",
    max: LIMITS.moduleTablesMax,
    make: (n: number) => module(encodeSection(SECTION.table, vector(n, repeat(n, 0x70, 0, 1)))),
  },
  {
    name: "entries of a table",
    max: LIMITS.moduleTableEntriesMax,
    make: (n: number) =>
      module(encodeSection(SECTION.table, Uint8Array.of(1, 0x70, 0, ...encodeU32(n)))),
  },
  {
    name: "globals",
    max: LIMITS.moduleGlobalsMax,
    make: (n: number) =>
      module(encodeSection(SECTION.global, vector(n, repeat(n, 0x7f, 1, 0x41, 0, END)))),
  },
  {
    name: "elements",
    max: LIMITS.moduleElementsMax,
    make: (n: number) =>
      module(
        TYPES,
        encodeSection(SECTION.function, Uint8Array.of(1, 0)),
        encodeSection(
          SECTION.element,
          joinBytes([Uint8Array.of(1, 1, 0), vector(n, repeat(n, 0))]),
        ),
        encodeSection(SECTION.code, Uint8Array.of(1, 2, 0, END)),
      ),
  },
  {
    name: "data segments",
    max: LIMITS.moduleDataSegmentsMax,
    make: (n: number) => module(encodeSection(SECTION.data, vector(n, repeat(n, 1, 0)))),
  },
  {
    name: "sections",
    max: LIMITS.moduleSectionsMax,
    make: (n: number) => module(repeat(n, 0, 1, 0)),
  },
  {
    name: "parameters",
    max: LIMITS.moduleParametersMax,
    make: (n: number) =>
      module(
        encodeSection(SECTION.type, Uint8Array.of(1, 0x60, ...encodeU32(n), ...repeat(n, 0x7f), 0)),
      ),
  },
  {
    name: "locals of all functions",
    max: LIMITS.moduleLocalsTotalMax,
    make: (n: number) => {
      const full = Math.floor(n / 4000);
      const bodies = [...Array(full).fill(bodyOf(4000)), bodyOf(n % 4000)];
      return module(
        TYPES,
        encodeSection(SECTION.function, vector(full + 1, repeat(full + 1, 0))),
        encodeSection(SECTION.code, vector(full + 1, joinBytes(bodies))),
      );
    },
  },
  {
    name: "bytes of code beside a type of 1,000 results",
    max: Math.floor(LIMITS.moduleResultBytesMax / 1000),
    make: (n: number) => {
      const wide = [0x60, 0, ...encodeU32(1000), ...repeat(1000, 0x7f)];
      // The section has the number of bodies in one byte and the size of this one in three.
      const code = [NO_LOCALS, repeat(n - 6, 0x01), Uint8Array.of(END)];
      return module(
        encodeSection(SECTION.type, Uint8Array.of(2, 0x60, 0, 0, ...wide)),
        encodeSection(SECTION.function, Uint8Array.of(1, 0)),
        encodeSection(SECTION.code, joinBytes([Uint8Array.of(1), encodeU32(n - 4), ...code])),
      );
    },
  },
  {
    name: "bytes of types",
    max: LIMITS.moduleTypeBytesMax,
    make: (n: number) => {
      const type = [0x60, 100, ...repeat(100, 0x7f), 0];
      const count = Math.floor((n - 134) / type.length);
      // The last one has as many parameters as make up the size: 128 or more, two bytes of number.
      const rest = n - 2 - count * type.length - 4;
      const last = [0x60, ...encodeU32(rest), ...repeat(rest, 0x7f), 0];
      const types = joinBytes([repeat(count, ...type), Uint8Array.from(last)]);
      return module(encodeSection(SECTION.type, vector(count + 1, types)));
    },
  },
] as const;

describe("instrument() at a limit", () => {
  test.each(AT_LIMIT)("takes as many $name, and not one more", ({ max, make }) => {
    expect(refusal(make(max))).not.toBe("TOO_LARGE");
    expect(refusal(make(max + 1))).toBe("TOO_LARGE");
  });

  test.each(BOMBS)("refuses $name", ({ make }) => {
    expect(refusal(make())).toMatch(/^(?:TOO_LARGE|MALFORMED)$/);
  });
});

/** The code of the error, undefined for none. */
function refusal(bytes: Uint8Array): string | undefined {
  const checks = { poll: true, fuel: true };
  try {
    instrument(bytes, { memoryPagesMax: 100, tableEntriesMax: 100_000, checks });
    return undefined;
  } catch (error) {
    if (error instanceof ModuleError) return error.code;
    throw error;
  }
}
