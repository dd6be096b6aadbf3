/**
 * Modules made to blow up whoever reads, rewrites, compiles or runs them: small files that stand
 * for much, long files that stand for nothing, and code that never ends.
 */
import { body, bytes, name, type Part, repeated, section } from "../support/wasm-bytes.ts";
import { signature, u32, vec, wasm } from "../support/wasm-bytes.ts";

export interface Bomb {
  readonly name: string;
  readonly make: () => Uint8Array<ArrayBuffer>;
  /**
   * refused: with a ModuleError.
   * ends: its export "run" comes back by itself; stops: it runs until its fuel is gone.
   */
  readonly fate: "refused" | "ends" | "stops";
}

const I32 = 0x7f;
const VOID = 0x40;
const END = 0x0b;
const NOP = 0x01;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const BR = 0x0c;
const CALL = 0x10;
const DROP = 0x1a;
const ZERO = [0x41, 0];

const NOTHING = signature([]);
const RUN = section(7, vec([[name("run"), 0, 0]]));

/** Functions of type () -> (), the first of them exported as "run". */
function program(bodies: readonly Part[], ...more: readonly Part[]): Uint8Array<ArrayBuffer> {
  const types = bodies.map(() => 0);
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec(types)),
    RUN,
    more,
    section(10, vec(bodies)),
  );
}

/** The same with sections between the functions and the export. */
function programWith(middle: readonly Part[], ...code: readonly Part[]): Uint8Array<ArrayBuffer> {
  return wasm(
    section(1, vec([NOTHING])),
    section(3, vec([0])),
    middle,
    RUN,
    section(10, vec([body(code)])),
  );
}

function many(count: number, part: Part): Part {
  return [u32(count), repeated(part, count)];
}

const MEMORY = section(5, vec([[1, 1, 16]]));

export const BOMBS: readonly Bomb[] = [
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
    make: () => program([body([], Array(1e6).fill([0, I32]))]),
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
    make: () =>
      program([body(Array(100).fill([BLOCK, VOID, ZERO, 0x0e, many(15_000, 0), 0, END]))]),
    fate: "ends",
  },
  {
    name: "a try_table of 100,000 clauses",
    make: () => program([body([0x1f, VOID, many(1e5, [2, 0]), END])]),
    fate: "refused",
  },
  {
    name: "a thousand try_tables of 500 clauses",
    make: () => program([body(Array(1000).fill([0x1f, VOID, many(500, [2, 0]), END]))]),
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
    name: "eight functions of 1.9 MB",
    make: () => program(Array(8).fill(body(repeated(NOP, 1.9e6)))),
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

  // Code without an end.
  { name: "an endless loop", make: () => program([body([LOOP, VOID, BR, 0, END])]), fate: "stops" },
  {
    name: "an endless loop of large steps",
    make: () => program([body([LOOP, VOID, repeated(NOP, 1e6), BR, 0, END])]),
    fate: "stops",
  },
  { name: "endless recursion", make: () => program([body([CALL, 0])]), fate: "stops" },
  { name: "endless tail calls", make: () => program([body([0x12, 0])]), fate: "stops" },
  {
    name: "endless calls by way of a table",
    make: () => {
      const table = section(4, vec([[0x70, 0, 1]]));
      const elements = section(9, vec([[0, ZERO, END, vec([0])]]));
      const indirect = body([LOOP, VOID, ZERO, 0x11, 0, 0, BR, 0, END]);
      return wasm(
        [section(1, vec([NOTHING])), section(3, vec([0])), table, RUN, elements],
        section(10, vec([indirect])),
      );
    },
    fate: "stops",
  },
  {
    name: "an overflow of the stack that is caught and tried again",
    make: () => program([body([LOOP, VOID, 0x1f, VOID, vec([[2, 0]]), CALL, 0, END, BR, 0, END])]),
    fate: "stops",
  },
  {
    name: "a chain of calls that doubles forty times",
    make: () => {
      const callBoth = (n: number): Part => body([CALL, u32(n), CALL, u32(n)]);
      const chain = Array.from({ length: 40 }, (_, n) => callBoth(n + 1));
      return program([...chain, body([NOP])]);
    },
    fate: "stops",
  },
  {
    name: "a chain of indirect calls that doubles forty times",
    make: () => {
      const call = (n: number): Part => [0x41, n, 0x11, 0, 0];
      const chain = Array.from({ length: 40 }, (_, n) => body([call(n + 1), call(n + 1)]));
      const bodies = [...chain, body([NOP])];
      const all = bodies.map((_, n) => n);
      return wasm(
        [section(1, vec([NOTHING])), section(3, vec(bodies.map(() => 0)))],
        [section(4, vec([[0x70, 0, 41]])), RUN, section(9, vec([[0, ZERO, END, vec(all)]]))],
        section(10, vec(bodies)),
      );
    },
    fate: "stops",
  },
  {
    name: "memory filled again and again",
    make: () =>
      programWith([MEMORY], [LOOP, VOID, ZERO, ZERO, 0x41, 0x80, 0x80, 4, 0xfc, 11, 0, BR, 0, END]),
    fate: "stops",
  },
  {
    name: "memory that grows for ever",
    make: () => programWith([MEMORY], [LOOP, VOID, 0x41, 1, 0x40, 0, DROP, BR, 0, END]),
    fate: "stops",
  },
  {
    name: "a table that grows for ever",
    make: () => {
      const grow = [0xd0, 0x6f, 0x41, 0x80, 8, 0xfc, 15, 0, DROP];
      return programWith([section(4, vec([[0x6f, 0, 1]]))], [LOOP, VOID, grow, BR, 0, END]);
    },
    fate: "stops",
  },
  {
    name: "arrays of a gigabyte",
    make: () => {
      const array = [0x41, u32(1e9), 0xfb, 7, 1, DROP];
      return wasm(
        section(1, vec([NOTHING, [0x5e, 0x78, 1]])),
        section(3, vec([0])),
        RUN,
        section(10, vec([body([LOOP, VOID, array, BR, 0, END])])),
      );
    },
    fate: "stops",
  },
  {
    name: "a list of structures that never ends",
    make: () => {
      const list = [0x5f, vec([[0x63, 1, 1]])];
      const global = section(6, vec([[0x63, 1, 1, 0xd0, 1, END]]));
      const grow = [0x23, 0, 0xfb, 0, 1, 0x24, 0];
      return wasm(
        [section(1, vec([NOTHING, list])), section(3, vec([0])), global, RUN],
        section(10, vec([body([LOOP, VOID, grow, BR, 0, END])])),
      );
    },
    fate: "stops",
  },
  {
    name: "a start function without an end",
    make: () =>
      wasm(
        [section(1, vec([NOTHING])), section(3, vec([0, 0])), RUN, section(8, 1)],
        section(10, vec([body([]), body([LOOP, VOID, BR, 0, END])])),
      ),
    fate: "stops",
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
