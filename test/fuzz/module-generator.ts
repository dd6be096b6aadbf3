/** Random modules that are valid, end by themselves, and show their state. */
import { Random } from "../support/random.ts";
import {
  body,
  name,
  type Part,
  section,
  signature,
  sleb,
  u32,
  vec,
  wasm,
} from "../support/wasm-bytes.ts";
import { CodeGenerator } from "./code-generator.ts";
import { ALL_TYPES, type Type, TYPE_CODES } from "./operators.ts";
import { floatBytes } from "./pieces.ts";
import type { Shape, Signature } from "./shape.ts";

export interface Generated {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly functions: readonly { readonly name: string; readonly type: Signature }[];
  /** Names of exported mutable globals. */
  readonly globals: readonly string[];
  readonly tables: readonly string[];
  readonly host: typeof hostOf;
}

/** The export to set before every call: how many loop turns and function entries may come. */
export const LIMIT = "limit";
const LIMIT_AT_START = 500;

/** What a host of these modules has to offer. */
export function hostOf(trace: (line: string) => void): Bun.WebAssembly.Imports {
  return {
    host: {
      note: (value: number) => trace(`note ${value}`),
      mix: (wide: bigint, float: number) => {
        trace(`mix ${wide} ${float}`);
        return BigInt.asIntN(64, wide * 3n + 1n);
      },
      pass: (reference: unknown) => reference,
      base: 16,
    },
  };
}

const HOST_FUNCTIONS: readonly { readonly name: string; readonly type: Signature }[] = [
  { name: "note", type: { params: ["i32"], results: [] } },
  { name: "mix", type: { params: ["i64", "f64"], results: ["i64"] } },
  { name: "pass", type: { params: ["externref"], results: ["externref"] } },
];

export function generateModule(seed: number): Generated {
  const random = new Random(seed);
  const shape = shapeOf(random);
  const own = shape.functions.slice(shape.importedFunctions);
  const typeOf = (index: number): Signature => shape.types[index] ?? { params: [], results: [] };
  const starts = own.findIndex((type) => isPlain(typeOf(type)));
  const bodies = own.map((type) => {
    const { code, locals } = new CodeGenerator(random, shape, typeOf(type)).body();
    return body(code, locals);
  });
  const functions = own.map((type, n) => ({ name: `f${n}`, type: typeOf(type) }));
  const mutable = [...shape.globals.entries()].filter(([, global]) => global.mutable);
  const globals = mutable.map(([index]) => ({ name: globalName(shape, index), index }));
  const tables = [...shape.tables.keys()].map((n) => `t${n}`);
  const exports: Part[] = [
    ...functions.map((each, n) => [name(each.name), 0, u32(shape.importedFunctions + n)]),
    ...globals.map((each) => [name(each.name), 3, u32(each.index)]),
    ...tables.map((each, n) => [name(each), 1, u32(n)]),
  ];
  const bytes = wasm(
    section(1, vec(shape.types.map(typePart))),
    section(2, vec(imports())),
    section(3, vec(own.map((type) => u32(type)))),
    section(4, vec(shape.tables.map(({ type, min, max }) => [TYPE_CODES[type], limits(min, max)]))),
    shape.memory ? section(5, vec([limits(shape.memory.min, shape.memory.max)])) : [],
    section(13, vec(shape.tags.map((type) => [0, u32(type)]))),
    section(
      6,
      vec(shape.globals.slice(1).map((global, n) => globalPart(random, shape, global, n + 1))),
    ),
    section(7, vec(exports)),
    starts >= 0 && random.oneIn(3) ? section(8, u32(shape.importedFunctions + starts)) : [],
    section(9, vec([...shape.elements.map(elementPart), declared(shape)])),
    shape.memory ? section(12, u32(shape.data.length)) : [],
    random.oneIn(4)
      ? section(
          0,
          name("between"),
          random.list(9, () => random.below(256)),
        )
      : [],
    section(10, vec(bodies)),
    shape.memory ? section(11, vec(shape.data.map(dataPart))) : [],
  );
  return { bytes, functions, globals: globals.map((each) => each.name), tables, host: hostOf };
}

function shapeOf(random: Random): Shape {
  const randomTypes = (max: number): Type[] =>
    random.list(random.below(max + 1), () => random.pick(ALL_TYPES));
  const results = (): Type[] => randomTypes(random.oneIn(3) ? 3 : 1);
  const tagTypes = random.list(random.below(4), () => ({ params: randomTypes(2), results: [] }));
  const types: Signature[] = [
    ...HOST_FUNCTIONS.map(({ type }) => type),
    { params: [], results: [] },
    ...tagTypes,
    ...random.list(random.between(1, 5), () => ({ params: randomTypes(4), results: results() })),
    ...random.list(2, () => ({ params: [], results: results() })),
  ];
  const functions = [
    ...HOST_FUNCTIONS.keys(),
    ...random.list(random.between(1, 7), () =>
      random.between(HOST_FUNCTIONS.length, types.length - 1),
    ),
  ];
  const globals = [
    { type: "i32" as const, mutable: false },
    ...random.list(random.below(7), () => {
      return { type: random.pick(ALL_TYPES), mutable: !random.oneIn(4) };
    }),
    { type: "i32" as const, mutable: true },
  ];
  const tables = random.list(random.below(3), () => {
    const min = random.below(6);
    const type = random.oneIn(4) ? ("externref" as const) : ("funcref" as const);
    return { type, min, max: random.oneIn(2) ? undefined : min + random.below(4) };
  });
  const min = random.below(3);
  const memory = random.oneIn(6) ? undefined : { min, max: min + random.below(4) };
  return {
    types,
    functions,
    importedFunctions: HOST_FUNCTIONS.length,
    globals,
    limitGlobal: globals.length - 1,
    memory,
    data: random.list(random.below(4), () => {
      const bytes = Uint8Array.from(random.list(random.below(20), () => random.below(256)));
      return { bytes, offset: random.oneIn(2) ? undefined : offsetOf(random, min * 65_536) };
    }),
    tables,
    elements: elementsOf(random, tables, functions.length),
    tags: tagTypes.map((_, n) => HOST_FUNCTIONS.length + 1 + n),
    exceptions: random.pick(["legacy", "final", "none"]),
  };
}

/** Mostly within, now and then not: then there is no instance. */
function offsetOf(random: Random, size: number): number {
  return random.oneIn(20) ? size : random.below(Math.max(1, size - 20));
}

/** The first table gets the active ones, if it can have functions. */
function elementsOf(random: Random, tables: Shape["tables"], functions: number): Shape["elements"] {
  const [first] = tables;
  const room = first?.type === "funcref" ? first.min : 0;
  return random.list(random.below(4), () => {
    const members = random.list(random.below(5), () => random.below(functions));
    const active = members.length <= room && first?.type === "funcref" && random.oneIn(2);
    return {
      functions: members,
      offset: active ? random.between(0, room - members.length) : undefined,
    };
  });
}

function isPlain({ params, results }: Signature): boolean {
  return params.length === 0 && results.length === 0;
}

function globalName(shape: Shape, index: number): string {
  return index === shape.limitGlobal ? LIMIT : `g${index}`;
}

const codes = (types: readonly Type[]): number[] => types.map((type) => TYPE_CODES[type]);

function typePart({ params, results }: Signature): Part {
  return signature(codes(params), codes(results));
}

function imports(): Part[] {
  return [
    ...HOST_FUNCTIONS.map((each, type) => [name("host"), name(each.name), 0, u32(type)]),
    [name("host"), name("base"), 3, TYPE_CODES.i32, 0],
  ];
}

function limits(min: number, max: number | undefined): Part {
  return max === undefined ? [0, u32(min)] : [1, u32(min), u32(max)];
}

function globalPart(
  random: Random,
  shape: Shape,
  { type, mutable }: Shape["globals"][number],
  index: number,
): Part {
  const start =
    index === shape.limitGlobal ? [0x41, sleb(LIMIT_AT_START)] : constant(random, shape, type);
  return [TYPE_CODES[type], mutable ? 1 : 0, start, 0x0b];
}

function constant(random: Random, shape: Shape, type: Type): Part {
  const small = random.between(-3, 300);
  switch (type) {
    case "i32":
      return random.oneIn(3) ? [0x23, 0, 0x41, sleb(small), 0x6c] : [0x41, sleb(small)];
    case "i64":
      return [0x42, sleb(BigInt(small) << 40n), 0x42, sleb(small), 0x7c];
    case "f32":
      return [0x43, floatBytes(4, small / 3)];
    case "f64":
      return [0x44, floatBytes(8, small / 3)];
    case "v128":
      return [0xfd, 12, random.list(16, () => random.below(256))];
    case "funcref":
      return random.oneIn(2) ? [0xd0, 0x70] : [0xd2, u32(random.below(shape.functions.length))];
    case "externref":
      return [0xd0, 0x6f];
    default:
      return type satisfies never;
  }
}

function elementPart({ functions, offset }: Shape["elements"][number]): Part {
  const members = vec(functions.map((index) => u32(index)));
  return offset === undefined ? [1, 0, members] : [0, 0x41, sleb(offset), 0x0b, members];
}

/** So that every function may be referred to. */
function declared({ functions }: Shape): Part {
  return [3, 0, vec([...functions.keys()].map((index) => u32(index)))];
}

function dataPart({ bytes, offset }: Shape["data"][number]): Part {
  const content = [u32(bytes.byteLength), bytes];
  return offset === undefined ? [1, content] : [0, 0x41, sleb(offset), 0x0b, content];
}
