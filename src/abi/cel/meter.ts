import { type CelValue, isCelList, isCelMap } from "@bufbuild/cel";
import { LIMITS } from "../../base/limits.ts";

/** An evaluation has used up what it may cost. */
export class TooCostly extends Error {
  constructor() {
    super(`Cannot evaluate at a cost above ${LIMITS.celCostMax}: shorten what it ranges over`);
  }
}

/**
 * What one evaluation may cost. The library bounds nothing: expressions are rewritten so that every
 * step of a loop, every argument and every value that is made are paid for here.
 */
export class Meter {
  #left: number = LIMITS.celCostMax;
  /** Lists and maps share their elements, so that their size is not that of what was written. */
  readonly #weights = new WeakMap<object, number>();

  /** Also when an operator has swallowed the error. */
  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** @throws TooCostly */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new TooCostly();
  }

  /** @throws TooCostly */
  charge(value: CelValue): void {
    this.spend(this.#weigh(value));
  }

  #weigh(value: CelValue): number {
    if (typeof value === "string" || value instanceof Uint8Array) return weightOf(value.length);
    if (typeof value !== "object" || value === null) return 1;
    if (!isCelList(value) && !isCelMap(value)) return 1;
    const known = this.#weights.get(value);
    if (known !== undefined) return known;
    let weight = 1 + value.size;
    if (weight > this.#left) throw this.#exhaust();
    if (isCelList(value)) for (const element of value) weight += this.#weigh(element);
    else for (const [key, element] of value) weight += this.#weigh(key) + this.#weigh(element);
    this.#weights.set(value, weight);
    return weight;
  }

  #exhaust(): TooCostly {
    this.#left = -1;
    return new TooCostly();
  }
}

const LENGTH_PER_COST = 16;

function weightOf(length: number): number {
  return 1 + Math.ceil(length / LENGTH_PER_COST);
}
