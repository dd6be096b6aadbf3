/**
 * Pseudo-random bytes that a seed and a position determine, so that any window of a stream can be
 * made (and checked) without making what comes before it.
 *
 *   position   0  1  2  3 │ 4  5  6  7 │ …
 *   word       mix(seed, 0)  mix(seed, 1)      32 bits each, little-endian
 */
export class SeededBytes {
  readonly #seed: number;

  /** @param seed any integer; its low 32 bits count */
  constructor(seed: number) {
    this.#seed = mix(seed >>> 0);
  }

  /** The bytes from `start` on; a new array. */
  window(start: number, length: number): Uint8Array<ArrayBuffer> {
    const first = Math.floor(start / 4);
    const words = new Uint32Array(Math.ceil((start + length) / 4) - first);
    for (let at = 0; at < words.length; at++) {
      words[at] = mix((this.#seed + Math.imul(first + at, 0x9e3779b9)) >>> 0);
    }
    return new Uint8Array(words.buffer, start - first * 4, length);
  }
}

/** A bijection of 32-bit numbers in which every input bit reaches every output bit. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
