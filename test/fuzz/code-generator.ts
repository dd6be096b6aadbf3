/**
 * Random code that is valid by construction. Every function begins, and every loop turns, with a
 * look at a counter that traps at zero, so whatever comes out ends.
 */
import type { Random } from "../support/random.ts";
import { type Part, sleb, u32 } from "../support/wasm-bytes.ts";
import { ALL_TYPES, LOADS, OPERATORS, STORES, type Type, TYPE_CODES } from "./operators.ts";
import { bulk, constant, dead, floatBytes, type Operands } from "./pieces.ts";
import type { Shape, Signature } from "./shape.ts";

interface Label {
  /** What a branch to it takes along. */
  readonly types: readonly Type[];
  /** What is thrown here may be handed to it. */
  readonly tries: boolean;
}

type Inside = (types: readonly Type[], make: () => Part, tries?: boolean) => Part;

const EMPTY = 0x40;
const END = 0x0b;
const NUMBERS: readonly Type[] = ["i32", "i64", "f32", "f64", "v128"];

export class CodeGenerator {
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #signature: Signature;
  readonly #locals: readonly Type[];
  readonly #labels: Label[];
  /** Instructions that may still come; below zero only constants do. */
  #budget: number;

  readonly #operands: Operands = {
    value: (type) => this.#value(type),
    index: () => this.#index(),
    address: () => this.#address(),
  };

  constructor(random: Random, shape: Shape, signature: Signature) {
    this.#random = random;
    this.#shape = shape;
    this.#signature = signature;
    const own = random.list(random.below(6), () => random.pick(ALL_TYPES));
    // One of each for making a NaN the one, so that there is always a local to use.
    this.#locals = [...signature.params, ...own, "f32", "f64"];
    this.#labels = [{ types: signature.results, tries: false }];
    this.#budget = random.pick([10, 60, 200]);
  }

  /** Groups of locals, and the instructions without the last `end`. */
  body(): { readonly code: Part; readonly locals: readonly Part[] } {
    const locals = this.#locals
      .slice(this.#signature.params.length)
      .map((type) => [1, TYPE_CODES[type]]);
    return { code: [this.#limit(), this.#block(this.#signature.results)], locals };
  }

  #limit(): Part {
    const limit = u32(this.#shape.limitGlobal);
    const stopAtZero = [0x23, limit, 0x45, 0x04, EMPTY, 0x00, END];
    return [stopAtZero, 0x23, limit, 0x41, 1, 0x6b, 0x24, limit];
  }

  /** Some statements, then these values. */
  #block(results: readonly Type[]): Part {
    const statements = this.#random.list(this.#random.below(4), () => this.#statement());
    return [statements, results.map((type) => this.#value(type))];
  }

  #value(type: Type): Part {
    this.#budget--;
    const random = this.#random;
    if (this.#budget < 0 || random.oneIn(4)) return this.#leaf(type);
    switch (random.below(12)) {
      case 0:
        return this.#nested([type]);
      case 1:
        return this.#called([type]) ?? this.#leaf(type);
      case 2:
        return this.#load(type);
      case 3:
        return this.#select(type);
      case 4:
        return this.#tee(type);
      case 5:
        return this.#special(type);
      case 6:
        return random.oneIn(4) ? [this.#leave(), this.#value(type)] : this.#leaf(type);
      default:
        return this.#operator(type);
    }
  }

  #leaf(type: Type): Part {
    const local = this.#indexOf(this.#locals, type);
    if (local !== undefined && this.#random.oneIn(2)) return [0x20, u32(local)];
    const global = this.#globalOf(type, false);
    if (global !== undefined && this.#random.oneIn(3)) return [0x23, u32(global)];
    return constant(this.#random, type, this.#shape.functions.length);
  }

  #operator(type: Type): Part {
    const operators = OPERATORS[type];
    if (operators.length === 0) return this.#leaf(type);
    const { takes, code, vague } = this.#random.pick(operators);
    const made = [takes.map((each) => this.#value(each)), code];
    return vague ? [made, this.#oneNan(type === "f32" ? "f32" : "f64")] : made;
  }

  /** x == x ? x : NaN */
  #oneNan(type: "f32" | "f64"): Part {
    const local = u32(this.#locals.length - (type === "f32" ? 2 : 1));
    const nan = type === "f32" ? [0x43, floatBytes(4, NaN)] : [0x44, floatBytes(8, NaN)];
    const get = [0x20, local];
    return [0x21, local, get, nan, get, get, type === "f32" ? 0x5b : 0x61, 0x1b];
  }

  #select(type: Type): Part {
    const values = [this.#value(type), this.#value(type), this.#value("i32")];
    return NUMBERS.includes(type) && this.#random.oneIn(2)
      ? [values, 0x1b]
      : [values, 0x1c, 1, TYPE_CODES[type]];
  }

  #tee(type: Type): Part {
    const local = this.#indexOf(this.#locals, type);
    return local === undefined ? this.#leaf(type) : [this.#value(type), 0x22, u32(local)];
  }

  #special(type: Type): Part {
    const { memory, tables } = this.#shape;
    const random = this.#random;
    if (type === "i32") {
      const choice = random.below(5);
      if (choice === 0) return [this.#value(random.pick(["funcref", "externref"])), 0xd1];
      if (choice === 1 && tables.length > 0) return [0xfc, 16, u32(random.below(tables.length))];
      if (choice === 2 && tables.length > 0) return this.#tableGrow();
      if (memory === undefined) return this.#leaf(type);
      if (choice === 3) return [0x3f, 0];
      return [random.oneIn(8) ? this.#value("i32") : [0x41, random.below(3)], 0x40, 0];
    }
    if (type === "v128") {
      const bytes = random.list(16, () => random.below(32));
      return [this.#value(type), this.#value(type), 0xfd, 13, bytes];
    }
    const table = tables.findIndex((each) => each.type === type);
    return table < 0 ? this.#leaf(type) : [this.#index(), 0x25, u32(table)];
  }

  #tableGrow(): Part {
    const table = this.#random.below(this.#shape.tables.length);
    const type = this.#shape.tables[table]?.type ?? "funcref";
    return [this.#value(type), [0x41, this.#random.below(3)], 0xfc, 15, u32(table)];
  }

  /** Mostly within a small table. */
  #index(): Part {
    return this.#random.oneIn(6) ? this.#value("i32") : [this.#value("i32"), 0x41, 3, 0x71];
  }

  /** Mostly within the first page. */
  #address(): Part {
    return this.#random.oneIn(8)
      ? this.#value("i32")
      : [this.#value("i32"), 0x41, sleb(0xffff), 0x71];
  }

  #place(align: number): Part {
    const offset = this.#random.pick([0, 0, 0, 1, 7, 200, 65_536, 0xffff_ffff]);
    return [u32(this.#random.below(align + 1)), u32(offset, this.#random.pick([1, 1, 5]))];
  }

  #load(type: Type): Part {
    const fitting = LOADS.filter((load) => load.type === type);
    if (this.#shape.memory === undefined || fitting.length === 0) return this.#leaf(type);
    const { code, align } = this.#random.pick(fitting);
    return [this.#address(), code, this.#place(align)];
  }

  #store(): Part {
    if (this.#shape.memory === undefined) return 0x01;
    const { code, align, type } = this.#random.pick(STORES);
    return [this.#address(), this.#value(type), code, this.#place(align)];
  }

  /** A call that gives just these, when there is such a function. */
  #called(results: readonly Type[]): Part | undefined {
    const { functions, types, tables } = this.#shape;
    const fitting = functions
      .map((type, index) => ({ type, index }))
      .filter(({ type }) => String(types[type]?.results) === String(results));
    if (fitting.length === 0) return undefined;
    const { type, index } = this.#random.pick(fitting);
    const args = (types[type]?.params ?? []).map((each) => this.#value(each));
    const table = tables.findIndex((each) => each.type === "funcref");
    if (table >= 0 && this.#random.oneIn(3)) {
      return [args, this.#index(), 0x11, u32(type), u32(table)];
    }
    return [args, 0x10, u32(index)];
  }

  /** A block, loop, if or try with these results. */
  #nested(results: readonly Type[]): Part {
    const random = this.#random;
    const blockType = this.#blockType(results);
    if (blockType === undefined) return this.#block(results);
    const inside: Inside = (types, make, tries = false) => {
      this.#labels.push({ types, tries });
      const made = make();
      this.#labels.pop();
      return made;
    };
    const block = (): Part => this.#block(results);
    switch (random.below(5)) {
      case 0:
        return [0x02, blockType, inside(results, block), END];
      case 1:
        return [0x03, blockType, inside([], () => [this.#limit(), block(), this.#again()]), END];
      case 2: {
        const condition = this.#value("i32");
        const hasElse = results.length > 0 || random.oneIn(2);
        const otherwise = hasElse ? [0x05, inside(results, block)] : [];
        return [condition, 0x04, blockType, inside(results, block), otherwise, END];
      }
      case 3:
        return this.#try(results, blockType, inside);
      default:
        return [0x02, blockType, inside(results, () => [block(), this.#maybeLeave()]), END];
    }
  }

  /** At the end of a loop's body: turn again, taking what lies on the stack off by itself. */
  #again(): Part {
    const types = this.#labels.at(-1)?.types ?? [];
    return types.length === 0 && this.#random.oneIn(2) ? [this.#value("i32"), 0x0d, 0] : [];
  }

  #maybeLeave(): Part {
    return this.#random.oneIn(3) ? this.#leave() : [];
  }

  #try(results: readonly Type[], blockType: Part, inside: Inside): Part {
    const { exceptions, tags, types } = this.#shape;
    const block = (): Part => this.#block(results);
    if (exceptions === "none") return [0x02, blockType, inside(results, block), END];
    if (exceptions === "legacy") {
      const caught = tags.map((type, tag) => {
        const drops = (types[type]?.params ?? []).map(() => 0x1a);
        const again = this.#random.oneIn(4) ? [0x09, 0] : [];
        return [0x07, u32(tag), drops, inside(results, block), again];
      });
      const all = this.#random.oneIn(2) ? [0x19, inside(results, block)] : [];
      const tried = inside(results, block, true);
      const outer = this.#labels.toReversed().findIndex(({ tries }) => tries);
      if (outer >= 0 && this.#random.oneIn(3)) return [0x06, blockType, tried, 0x18, u32(outer)];
      return [0x06, blockType, tried, this.#random.oneIn(2) ? caught : [], all, END];
    }
    // Clauses count labels from outside of the instruction.
    const clauses: Part[] = [];
    this.#labels.toReversed().forEach(({ types: carried }, depth) => {
      const tag = tags.findIndex((type) => String(types[type]?.params) === String(carried));
      if (tag >= 0 && this.#random.oneIn(2)) clauses.push([0x00, u32(tag), u32(depth)]);
      if (carried.length === 0 && this.#random.oneIn(3)) clauses.push([0x02, u32(depth)]);
    });
    return [0x1f, blockType, u32(clauses.length), clauses, inside(results, block), END];
  }

  #blockType(results: readonly Type[]): Part | undefined {
    const [first, ...more] = results;
    if (first === undefined) return EMPTY;
    if (more.length === 0) return TYPE_CODES[first];
    const type = this.#shape.types.findIndex(
      (each) => each.params.length === 0 && String(each.results) === String(results),
    );
    return type < 0 ? undefined : sleb(type);
  }

  #statement(): Part {
    this.#budget--;
    const random = this.#random;
    if (this.#budget < 0) return 0x01;
    switch (random.below(14)) {
      case 0:
      case 1: {
        const local = random.below(this.#locals.length);
        return [this.#value(this.#locals[local] ?? "i32"), 0x21, u32(local)];
      }
      case 2:
      case 3: {
        const type = random.pick(ALL_TYPES);
        const global = this.#globalOf(type, true);
        return global === undefined ? 0x01 : [this.#value(type), 0x24, u32(global)];
      }
      case 4:
      case 5:
        return this.#store();
      case 6:
        return this.#called([]) ?? 0x01;
      case 7:
        return bulk(random, this.#shape, this.#operands);
      case 8:
        return this.#branchIf();
      case 9:
        return random.oneIn(3) ? [this.#leave(), this.#dead()] : 0x01;
      case 10: {
        const { results } = random.pick(this.#shape.types);
        return [this.#called(results) ?? this.#block(results), results.map(() => 0x1a)];
      }
      case 11:
        return [this.#value(random.pick(ALL_TYPES)), 0x1a];
      default:
        return this.#nested([]);
    }
  }

  #branchIf(): Part {
    const depth = this.#random.below(this.#labels.length);
    const types = this.#labels.at(-1 - depth)?.types ?? [];
    const carried = types.map((type) => this.#value(type));
    return [carried, this.#value("i32"), 0x0d, u32(depth), types.map(() => 0x1a)];
  }

  /** Something after which nothing is reached. */
  #leave(): Part {
    const random = this.#random;
    const { tags, types, functions, exceptions } = this.#shape;
    const { results } = this.#signature;
    const values = (of: readonly Type[]): Part => of.map((type) => this.#value(type));
    switch (random.below(7)) {
      case 0:
        return [values(results), 0x0f];
      case 1: {
        const tag = random.below(tags.length + 1);
        const type = tags[tag];
        if (type === undefined || exceptions === "none") return 0x00;
        return [values(types[type]?.params ?? []), 0x08, u32(tag)];
      }
      case 2: {
        const fitting = [...functions.entries()].filter(
          ([, type]) => String(types[type]?.results) === String(results),
        );
        if (fitting.length === 0) return 0x00;
        const [callee, type] = random.pick(fitting);
        return [values(types[type]?.params ?? []), 0x12, u32(callee)];
      }
      case 3:
        return this.#branchTable();
      default: {
        const depth = random.below(this.#labels.length);
        return [values(this.#labels.at(-1 - depth)?.types ?? []), 0x0c, u32(depth)];
      }
    }
  }

  #branchTable(): Part {
    const depths = [...this.#labels.keys()];
    const types = this.#labels.at(-1 - this.#random.pick(depths))?.types ?? [];
    const same = depths.filter(
      (depth) => String(this.#labels.at(-1 - depth)?.types) === String(types),
    );
    const targets = this.#random.list(this.#random.below(6), () => u32(this.#random.pick(same)));
    const values = types.map((type) => this.#value(type));
    const last = u32(this.#random.pick(same));
    return [values, this.#value("i32"), 0x0e, u32(targets.length), targets, last];
  }

  #dead(): Part {
    const free = this.#labels.at(-1)?.types.length === 0;
    return dead(this.#random, { free, memory: this.#shape.memory !== undefined });
  }

  #globalOf(type: Type, writable: boolean): number | undefined {
    const { globals, limitGlobal } = this.#shape;
    const fitting = [...globals.keys()].filter(
      (n) => globals[n]?.type === type && (!writable || globals[n]?.mutable) && n !== limitGlobal,
    );
    return fitting.length === 0 ? undefined : this.#random.pick(fitting);
  }

  #indexOf(types: readonly Type[], type: Type): number | undefined {
    const fitting = [...types.keys()].filter((n) => types[n] === type);
    return fitting.length === 0 ? undefined : this.#random.pick(fitting);
  }
}
