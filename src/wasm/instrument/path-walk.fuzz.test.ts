import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../../base/random.testing.ts";
import { BOTH, original, outcome, start, wat } from "./testing.ts";

/**
 * Random programs count the instructions that they execute. Whatever way they take, their checks
 * have to charge for all of it, but for what is light enough to be left to a caller.
 */
describe("planChecks()", () => {
  test.each([1, 2, 3, 4])("charges for every path of random programs, seed %i", (seed) => {
    const random = new SeededRandom(seed);
    let executedInAll = 0;
    let chargedInAll = 0;
    for (let run = 0; run < 12; run++) {
      const text = randomModule(random);
      const bytes = wat(text);
      const before = original(bytes);
      const { call, added } = start(bytes);
      for (let bits = 0; bits < 8; bits++) {
        const way = random.below(2 ** 31);
        added("setFuel", FUEL);
        const result = outcome(call, "main", way);
        expect(result).toBe(outcome(before, "main", way));
        const executed = Number(call["count"]?.());
        expect(executed).toBe(Number(before["count"]?.()));
        const charged = FUEL - added("setFuel", 0);
        if (executed - LIGHT > charged) {
          throw new Error(`${executed} executed, ${charged} charged, way ${way}:\n${text}`);
        }
        executedInAll += executed;
        chargedInAll += charged;
      }
    }
    expect(executedInAll).toBeGreaterThan(50_000);
    // Paths are charged by their heaviest continuation, but not wildly.
    expect(chargedInAll / executedInAll).toBeLessThan(3);
  });

  test.each([7, 8])("stops soon after the fuel has run out, seed %i", (seed) => {
    const random = new SeededRandom(seed);
    for (let run = 0; run < 10; run++) {
      const { call, added } = start(randomModule(random), { checks: BOTH, memoryPagesMax: 1 });
      const fuel = random.below(5000);
      added("setFuel", fuel);
      outcome(call, "main", random.below(2 ** 31));
      expect(Number(call["count"]?.())).toBeLessThan(fuel + 1024 + LIGHT);
    }
  });
});

const FUEL = 1_000_000_000;
/** units; the most that a function without a check at its entry costs before its first check. */
const LIGHT = 128;

const FUNCTIONS = 6;

function randomModule(random: SeededRandom): string {
  const functions = Array.from({ length: FUNCTIONS }, (_, n) => {
    const name = n === FUNCTIONS - 1 ? 'export "main"' : "";
    const body = new RandomBody(random, n).sequence(0);
    return `(func $f${n} ${name === "" ? "" : `(${name})`} (param $way i32) ${body})`;
  });
  return `(module (tag $t)
    (global $count (mut i64) (i64.const 0))
    (global $turns (mut i32) (i32.const 80))
    (func (export "count") (result i64) (local i64)
      (local.set 0 (global.get $count)) (global.set $count (i64.const 0))
      (global.set $turns (i32.const 80)) (local.get 0))
    ${functions.join("\n")})`;
}

/** Statements of one function; it may call the functions before it. */
class RandomBody {
  readonly #random: SeededRandom;
  readonly #index: number;
  #left = 40;

  constructor(random: SeededRandom, index: number) {
    this.#random = random;
    this.#index = index;
  }

  /** @param labels around it, all without values */
  sequence(labels: number): string {
    const count = 1 + this.#random.below(5);
    return Array.from({ length: count }, () => this.#statement(labels)).join(" ");
  }

  #statement(labels: number): string {
    if (this.#left-- <= 0 || labels > 8) return this.#work();
    const random = this.#random;
    const inside = (): string => this.sequence(labels + 1);
    switch (random.below(14)) {
      case 0:
        return `(block ${inside()})`;
      case 1:
        // A loop goes on while there are turns left, so that every program ends.
        return `(loop ${inside()} ${TURN} (br_if 0 (i32.gt_s (global.get $turns) (i32.const 0))))`;
      case 2:
        return `(if ${this.#bit()} (then ${inside()}))`;
      case 3:
      case 4:
        return `(if ${this.#bit()} (then ${inside()}) (else ${inside()}))`;
      case 5:
        return this.#branch(labels);
      case 6:
        return this.#switch(labels);
      case 7:
        return `(try (do ${inside()}) (catch $t ${inside()}))`;
      case 8:
        return `(if ${this.#bit()} (then ${this.#work()} (throw $t)))`;
      case 9:
      case 10:
        return this.#index === 0 ? this.#work() : this.#call();
      default:
        return this.#work();
    }
  }

  /** n instructions that do nothing, and six that say so. */
  #work(): string {
    const idle = this.#random.pick([0, 3, 20, 90, 200, 700]);
    const nops = "nop ".repeat(idle);
    return `${nops} (global.set $count (i64.add (global.get $count) (i64.const ${idle + 4})))`;
  }

  /** The next bit of the way. */
  #bit(): string {
    return `(i32.and (local.tee $way (i32.rotr (local.get $way) (i32.const 1))) (i32.const 1))`;
  }

  #call(): string {
    return `(call $f${this.#random.below(this.#index)} (local.get $way))`;
  }

  #branch(labels: number): string {
    if (labels === 0) return `(if ${this.#bit()} (then ${this.#work()} (return)))`;
    // Backwards only through a turn: a branch to a loop would else go round for ever.
    const label = this.#random.below(labels);
    return `${TURN} (br_if ${label} (i32.and ${this.#bit()}
      (i32.gt_s (global.get $turns) (i32.const 0))))`;
  }

  #switch(labels: number): string {
    const way = "(i32.and (local.get $way) (i32.const 3))";
    const inside = (depth: number): string => this.sequence(labels + depth);
    return `(block (block (block (br_table 0 1 2 ${way}) ) ${inside(2)}
      ${this.#random.chance(70) ? "(br 1)" : ""}) ${inside(1)})`;
  }
}

const TURN = "(global.set $turns (i32.sub (global.get $turns) (i32.const 1)))";
