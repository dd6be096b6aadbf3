/**
 * A list of three numbers an entry in one typed array: hundreds of thousands of them are made for a
 * module, and as objects they would cost more than the rest of the work.
 */
export class Records {
  /** Entry n is at 3n, 3n + 1 and 3n + 2. */
  fields: Int32Array;
  /** Entries. */
  length = 0;

  /** @param capacity entries; enough for all of them saves copying */
  constructor(capacity: number) {
    this.fields = new Int32Array(3 * Math.max(Math.ceil(capacity), 16));
  }

  push(first: number, second: number, third: number): void {
    const at = 3 * this.length;
    if (at === this.fields.length) this.#grow();
    this.fields[at] = first;
    this.fields[at + 1] = second;
    this.fields[at + 2] = third;
    this.length++;
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.fields.length);
    grown.set(this.fields);
    this.fields = grown;
  }
}
