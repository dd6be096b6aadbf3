import { SeededRandom } from "../../src/base/random.testing.ts";

/** What generators of modules need besides. */
export class Random extends SeededRandom {
  bits(): number {
    return this.below(2 ** 32);
  }

  /** From `first` to `last`, both possible. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  list<T>(count: number, make: (n: number) => T): T[] {
    return Array.from({ length: count }, (_, n) => make(n));
  }
}
