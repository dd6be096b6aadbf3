import { LIMITS } from "../../base/limits.ts";

/** Makes lines of what a guest prints in pieces; a piece without a line end waits for the next. */
export class LineBuffer {
  readonly #write: (line: string) => void;
  #rest = "";

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  add(text: string): void {
    const lines = `${this.#rest}${text}`.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") this.#write(line);
    if (this.#rest.length > LIMITS.guestLogBytesMax) this.end();
  }

  /** What is left is a line, too. */
  end(): void {
    if (this.#rest === "") return;
    const line = this.#rest;
    this.#rest = "";
    this.#write(line);
  }
}
