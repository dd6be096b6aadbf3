/**
 * So many log lines and bytes a second, and no more: what a client, a node or a guest can cause
 * again and again must not fill the operator's disk. What is dropped is counted, and the count is
 * told.
 */
export class LineRate {
  readonly #linesPerSecond: number;
  readonly #bytesPerSecond: number;
  #second = 0;
  #lines = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(linesPerSecond: number, bytesPerSecond = Infinity) {
    this.#linesPerSecond = linesPerSecond;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** True when a line of so many bytes may be written now; a first one always may. */
  admit(nowMs: number, bytes = 0): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
      this.#bytes = 0;
    }
    const isFull =
      this.#lines >= this.#linesPerSecond ||
      (this.#lines > 0 && this.#bytes + bytes > this.#bytesPerSecond);
    if (isFull) {
      this.#dropped++;
      return false;
    }
    this.#lines++;
    this.#bytes += bytes;
    return true;
  }

  /** How many lines were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
