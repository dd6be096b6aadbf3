/** Modules made to blow up whoever reads, rewrites or compiles them. */
import {
  body,
  bytes,
  name,
  repeated,
  section,
  signature,
  u32,
  vec,
  wasm,
  type Part,
} from "../support/wasm-bytes.ts";
import {
  type Bomb,
  I32,
  VOID,
  END,
  NOP,
  BLOCK,
  LOOP,
  IF,
  CALL,
  DROP,
  ZERO,
  NOTHING,
  RUN,
  MEMORY,
  program,
  programWith,
  many,
} from "./bomb.ts";

export const SIZE_BOMBS: readonly Bomb[] = [
  // Nesting.
  {
    name: "a million blocks in one another",
    make: () => program([body([repeated([BLOCK, VOID], 1e6), repeated(END, 1e6)])]),
    fate: "refused",
  },
  {
    name: "300,000 loops in one another",
    make: () => program([body([repeated([LOOP, VOID], 3e5), repeated(END, 3e5)])]),
    fate: "refused",
  },
  {
    name: "300,000 conditions in one another",
    make: () => program([body([repeated([ZERO, IF, VOID], 3e5), repeated(END, 3e5)])]),
    fate: "refused",
  },
  {
    name: "200,000 handlers in one another",
    make: () => program([body([repeated([0x06, VOID], 2e5), repeated([0x19, END], 2e5)])]),
    fate: "refused",
  },
  {
    name: "a thousand endless loops in one another",
    make: () =>
      program([body([repeated([LOOP, VOID], 1000), repeated([0x41, 1, 0x0d, 0, END], 1000)])]),
    fate: "stops",
  },
  {
    name: "a constant expression a million instructions long",
    make: () => {
      const start = [ZERO, repeated([0x41, 1, 0x6a], 1e6), END];
      return programWith([section(6, vec([[I32, 0, start]]))], NOP);
    },
    fate: "ends",
  },

  // Few bytes that stand for many things.
  {
    name: "50,000 locals in a few bytes",
    make: () => program([body([], [[u32(50_000), I32]])]),
    fate: "refused",
  },
  {
    name: "four billion locals in a few bytes",
    make: () => program([body([], [[u32(0xffff_ffff), I32]])]),
    fate: "refused",
  },
  {
    name: "locals in groups whose sum wraps",
    make: () =>
      program([
        body(
          [],
          [
            [u32(0xffff_ffff), I32],
            [u32(2), I32],
          ],
        ),
      ]),
    fate: "refused",
  },
  {
    name: "a million groups of no locals",
    make: () =>
      program([
        body(
          [],
          [...Array(1e6).keys()].map(() => [0, I32]),
        ),
      ]),
    fate: "refused",
  },
  {
    name: "20,000 functions of 4,000 locals each",
    make: () => program(Array(20_000).fill(body([], [[u32(4000), I32]]))),
    fate: "refused",
  },
  {
    name: "two thousand functions of 4,000 locals each",
    make: () => program(Array(2000).fill(body([], [[u32(4000), I32]]))),
    fate: "ends",
  },
  {
    name: "a count of four billion functions",
    make: () => wasm(section(1, vec([NOTHING])), section(3, u32(0xffff_ffff))),
    fate: "refused",
  },
  {
    name: "a table of ten million entries",
    make: () => programWith([section(4, vec([[0x70, 0, u32(1e7)]]))], NOP),
    fate: "refused",
  },
  {
    name: "a table of four billion entries",
    make: () => programWith([section(4, vec([[0x70, 0, u32(0xffff_ffff)]]))], NOP),
    fate: "refused",
  },
  {
    name: "100,000 tables",
    make: () => programWith([section(4, many(100_000, [0x70, 0, 0]))], NOP),
    fate: "refused",
  },
  {
    name: "a hundred tables as large as one may be",
    make: () => programWith([section(4, many(100, [0x6f, 0, u32(65_536)]))], NOP),
    fate: "ends",
  },
  {
    name: "a memory of four gigabytes",
    make: () => programWith([section(5, vec([[0, u32(65_536)]]))], NOP),
    fate: "refused",
  },

  // Many of everything.
  {
    name: "500,000 functions",
    make: () => program(Array(500_000).fill(body([]))),
    fate: "refused",
  },
  {
    name: "50,000 functions",
    make: () => program(Array(50_000).fill(body([]))),
    fate: "ends",
  },
  {
    name: "a recursion group of 300,000 types",
    make: () => wasm(section(1, vec([[0x4e, many(300_000, NOTHING)]]))),
    fate: "refused",
  },
  {
    name: "60,000 structures of 60 fields",
    make: () => wasm(section(1, many(60_000, [0x5f, many(60, [I32, 1])]))),
    fate: "refused",
  },
  {
    name: "60,000 subtypes, each of the one before",
    make: () => {
      const types = Array.from({ length: 60_000 }, (_, n) =>
        n === 0 ? [0x50, 0, 0x5f, 0] : [0x50, 1, u32(n - 1), 0x5f, 0],
      );
      return wasm(section(1, vec(types)));
    },
    fate: "refused",
  },
  {
    name: "a br_table of a million targets",
    make: () => program([body([ZERO, 0x0e, many(1e6, 0), 0])]),
    fate: "refused",
  },
  {
    name: "a hundred br_tables of 15,000 targets",
    make: () => program([body(repeated([BLOCK, VOID, ZERO, 0x0e, many(15_000, 0), 0, END], 100))]),
    fate: "ends",
  },
  {
    name: "a try_table of 100,000 clauses",
    make: () => program([body([0x1f, VOID, many(1e5, [2, 0]), END])]),
    fate: "refused",
  },
  {
    name: "a thousand try_tables of 500 clauses",
    make: () => program([body(repeated([0x1f, VOID, many(500, [2, 0]), END], 1000))]),
    fate: "ends",
  },
  {
    name: "100,000 globals",
    make: () => programWith([section(6, many(1e5, [I32, 1, ZERO, END]))], NOP),
    fate: "refused",
  },
  {
    name: "9,000 mutable globals",
    make: () => programWith([section(6, many(9000, [I32, 1, ZERO, END]))], NOP),
    fate: "ends",
  },
  {
    name: "a million data segments",
    make: () => wasm(MEMORY, section(11, many(1e6, [0, ZERO, END, 0]))),
    fate: "refused",
  },
  {
    name: "100,000 data segments",
    make: () => dataSegments(100_000),
    fate: "ends",
  },
  {
    name: "four million elements",
    make: () => program([body([])], section(9, vec([[1, 0, many(4e6, 0)]]))),
    fate: "refused",
  },
  {
    name: "60,000 exports",
    make: () => exporting(60_000),
    fate: "ends",
  },
  {
    name: "70,000 exports",
    make: () => exporting(70_000),
    fate: "refused",
  },
  {
    name: "70,000 imports",
    make: () => wasm(section(1, vec([NOTHING])), section(2, many(70_000, [0, 0, 0, 0]))),
    fate: "refused",
  },
  {
    name: "two million sections of nothing",
    make: () => wasm(repeated([0, 1, 0], 2e6)),
    fate: "refused",
  },

  {
    name: "nine hundred sections of nothing",
    make: () => bytes(program([body([])]), repeated([0, 1, 0], 900)),
    fate: "ends",
  },

  // Types that are wide, so that two bytes of code move a thousand values.
  {
    name: "a million calls that leave a thousand values each",
    make: () => wide([], 1000, repeated([CALL, 1], 1e6)),
    fate: "refused",
  },
  {
    name: "400,000 blocks that leave a thousand values each",
    make: () => wide([], 1000, repeated([BLOCK, 1, 0, END], 4e5)),
    fate: "refused",
  },
  {
    name: "a thousand calls that leave ten values each",
    make: () => wide([], 10, repeated([CALL, 1], 1000)),
    fate: "stops",
  },
  {
    name: "100,000 branches that hand over a thousand values each",
    make: () => wide(Array(1000).fill(I32), 0, [LOOP, 1, repeated([ZERO, 0x0d, 0], 1e5), END]),
    fate: "refused",
  },

  // Length.
  {
    name: "a file of 17 MB",
    make: () => wasm(section(0, name("x"), new Uint8Array(17 * 1024 * 1024))),
    fate: "refused",
  },
  {
    name: "a name section of 15 MB",
    make: () => withCustom(name("name"), 15e6),
    fate: "ends",
  },
  {
    name: "a function of 8 MB",
    make: () => program([body(repeated(NOP, 8e6))]),
    fate: "refused",
  },
  {
    name: "four functions of 1.9 MB",
    make: () => program(Array(4).fill(body(repeated(NOP, 1.9e6)))),
    fate: "ends",
  },
  {
    name: "integers without an end",
    make: () => program([body([0x41, repeated(0x80, 1e6)])]),
    fate: "refused",
  },
  {
    name: "an integer padded with zeros",
    make: () => program([body([0x41, repeated(0x80, 9), 0, DROP])]),
    fate: "refused",
  },
  {
    name: "a section that reaches into the next",
    make: () => bytes(wasm(), 0, 9, 1, 0x61, section(0, name("b"), 0)),
    fate: "refused",
  },
  {
    name: "a custom section that is longer than the file",
    make: () => bytes(program([body([])]), 0, u32(0xffff_ffff), 1, 0x61),
    fate: "refused",
  },
];

/** A program that calls or branches with a type of so many parameters and results. */
function wide(params: readonly number[], results: number, code: Part): Uint8Array<ArrayBuffer> {
  const type = signature(params, Array(results).fill(I32));
  // What the code leaves on the stack is of no matter before `unreachable`.
  return wasm(
    section(1, vec([NOTHING, type])),
    section(3, vec([0, 1])),
    RUN,
    section(10, vec([body([params.map(() => ZERO), code, 0]), body([0])])),
  );
}

function dataSegments(count: number): Uint8Array<ArrayBuffer> {
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec([0])),
    MEMORY,
    RUN,
    section(10, vec([body([])])),
    section(11, many(count, [0, ZERO, END, 1, 0x78])),
  );
}

function exporting(count: number): Uint8Array<ArrayBuffer> {
  const exports = Array.from({ length: count }, (_, n) => [name(n === 0 ? "run" : `e${n}`), 0, 0]);
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec([0])),
    section(7, vec(exports)),
    section(10, vec([body([])])),
  );
}

function withCustom(title: Part, size: number): Uint8Array<ArrayBuffer> {
  return bytes(program([body([])]), section(0, title, new Uint8Array(size)));
}
