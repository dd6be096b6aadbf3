/**
 * Repeatable random numbers for tests that generate their cases: the same seed gives the same run,
 * so a failure is reproduced by its seed. Never for secrets or ids.
 *
 * The generator is Marsaglia's xorshift with 32 bits of state (shifts 13, 17, 5).
 * @see https://www.jstatsoft.org/article/view/v008i14
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1; // Zero would stay zero for ever.
  }

  /** An integer from 0 to `end` - 1. */
  below(end: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % end;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Up to `countMax` picks, repeats included; possibly none. */
  several<T>(list: readonly T[], countMax: number): T[] {
    return Array.from({ length: this.below(countMax + 1) }, () => this.pick(list));
  }
}
