/**
 * So many log lines a second, and no more: what a client, a node or a guest can cause again and
 * again must not fill the operator's disk. What is dropped is counted, and the count is told.
 */
export class LineRate {
  readonly #linesPerSecond: number;
  #second = 0;
  #lines = 0;
  #dropped = 0;

  constructor(linesPerSecond: number) {
    this.#linesPerSecond = linesPerSecond;
  }

  /** True when a line may be written now. */
  admit(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    this.#lines++;
    if (this.#lines <= this.#linesPerSecond) return true;
    this.#dropped++;
    return false;
  }

  /** How many lines were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
