/** Bytes that look random and are the same in every run: xorshift32. */
export class SeededRandom {
  #state: number;

  /** @param seed any integer */
  constructor(seed: number) {
    this.#state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  }

  bytes(byteLength: number): Uint8Array {
    const bytes = new Uint8Array(byteLength);
    for (let at = 0; at < byteLength; at++) {
      let x = this.#state;
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      this.#state = x >>> 0;
      bytes[at] = this.#state >>> 24;
    }
    return bytes;
  }
}
