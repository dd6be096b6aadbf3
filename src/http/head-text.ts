import { writeLatin1 } from "./latin1.ts";

/**
 * A head that is about to be sent, in the pieces that it was made of:
 *
 *   opening   "HTTP/1.1 200 OK"                  without a line end
 *   lines     "\r\nServer: a\r\nDate: b"         as of HeaderList.toText()
 *   end       "\r\nContent-Length: 5\r\n\r\n"    the empty line included
 *
 * Two of the three are mostly kept from the message before. To join them takes longer than to write
 * them one behind the other, and leaves a string behind that nobody reads.
 */
export class HeadText {
  readonly opening: string;
  readonly lines: string;
  readonly end: string;

  constructor(opening: string, lines: string, end: string) {
    this.opening = opening;
    this.lines = lines;
    this.end = end;
  }

  /** bytes, as latin-1. */
  get length(): number {
    return this.opening.length + this.lines.length + this.end.length;
  }

  /** @param into has room for it @returns where it ends */
  writeTo(into: Uint8Array, at: number): number {
    return writeLatin1(
      into,
      this.end,
      writeLatin1(into, this.lines, writeLatin1(into, this.opening, at)),
    );
  }

  toString(): string {
    return this.opening + this.lines + this.end;
  }
}

/** In front of what has none. */
export const NO_HEAD = new HeadText("", "", "");
