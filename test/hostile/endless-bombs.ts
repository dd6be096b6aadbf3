/** Programs that never end, or never in the time that anybody has. */
import { body, repeated, section, u32, vec, wasm } from "../support/wasm-bytes.ts";
import {
  type Bomb,
  VOID,
  END,
  NOP,
  LOOP,
  BR,
  CALL,
  DROP,
  ZERO,
  NOTHING,
  RUN,
  MEMORY,
  program,
  programWith,
} from "./bomb.ts";

export const ENDLESS_BOMBS: readonly Bomb[] = [
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
      const chain = Array.from({ length: 40 }, (_, n) => body([CALL, n + 1, CALL, n + 1]));
      return program([...chain, body([NOP])]);
    },
    fate: "stops",
  },
  {
    name: "a chain of indirect calls that doubles forty times",
    make: () => {
      const chain = Array.from({ length: 40 }, (_, n) =>
        body(repeated([0x41, n + 1, 0x11, 0, 0], 2)),
      );
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
