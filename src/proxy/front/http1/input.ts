import { GatewayError } from "../../../base/errors.ts";
import { readLatin1 } from "../../../http/latin1.ts";

/**
 * Bytes that a client has sent and nobody has read, as lines or as raw bytes.
 *
 *   chunks   [ GET / HTTP/1.1 CRLF Ho ][ st: a CRLF CRLF body… ]
 *                    #at ─▶                 length = all that follows
 *   #window  a window of the first chunk, decoded once for all its lines
 *
 * A line that is split over chunks is collected in `partial`: each byte is looked at once however
 * the client splits it.
 */
export class Input {
  readonly #chunks: Buffer[] = [];
  /** First unread byte of the first chunk. */
  #at = 0;
  #length = 0;
  #window = "";
  #windowAt = 0;
  #isWindowClean = false;
  #partial = "";
  #lineText = "";
  #lineStart = 0;
  #lineEnd = 0;
  #isLineClean = false;
  /** Nothing is left of the chunk that take() took from. */
  tookLast = false;

  /** bytes; without those of `partial`. */
  get length(): number {
    return this.#length;
  }

  /** Start of a line whose end has not arrived; latin-1. */
  get partial(): string {
    return this.#partial;
  }

  /** @param chunk never empty; not copied */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The line of nextLine() is text.slice(lineStart, lineEnd): latin-1, without its CRLF. */
  get text(): string {
    return this.#lineText;
  }

  get lineStart(): number {
    return this.#lineStart;
  }

  get lineEnd(): number {
    return this.#lineEnd;
  }

  get lineLength(): number {
    return this.#lineEnd - this.#lineStart;
  }

  /** The line is known to have no control characters but HTAB. */
  get isLineClean(): boolean {
    return this.#isLineClean;
  }

  get line(): string {
    return this.#lineText.slice(this.#lineStart, this.#lineEnd);
  }

  /**
   * Goes on to the next line; false when its end has not arrived.
   *
   * A line longer than `bytesMax` may come cut: the caller sees that it is too long and gives up.
   * It must come to the same verdict for every cut that is longer than `bytesMax`, or the verdict
   * would depend on how the client has split its bytes.
   * @throws GatewayError REQUEST_MALFORMED for a line that ends with LF alone
   */
  nextLine(bytesMax: number): boolean {
    for (;;) {
      if (this.#windowAt === this.#window.length && !this.#decode(bytesMax)) return false;
      const text = this.#window;
      const start = this.#windowAt;
      const end = text.indexOf("\n", start);
      if (end >= 0) {
        this.#consume(end + 1 - start);
        if (this.#partial === "") {
          this.#endLine(text, start, end, bytesMax);
          // The first CR is the one in front of the LF, and no other control is near.
          this.#isLineClean = this.#isWindowClean && text.indexOf("\r", start) === this.#lineEnd;
          return true;
        }
        const joined = this.#partial + text.slice(start, end);
        this.#partial = "";
        this.#endLine(joined, 0, joined.length, bytesMax);
        this.#isLineClean = false;
        return true;
      }
      this.#partial += text.slice(start);
      this.#consume(text.length - start);
      // One more than the line itself: the last may be the CR.
      if (this.#partial.length > bytesMax + 1) {
        this.#setLine(this.#partial, 0, this.#partial.length);
        return true;
      }
    }
  }

  /**
   * Goes past `lines` if they are what comes next, in one piece.
   * @param lines whole ones, each with its CRLF, as nextLine() has found them before
   */
  skip(lines: string): boolean {
    if (this.#partial !== "" || !this.#window.startsWith(lines, this.#windowAt)) return false;
    this.#consume(lines.length);
    return true;
  }

  /** The same for whole lines as they were sent, which need not be decoded. */
  skipBytes(lines: Uint8Array): boolean {
    const first = this.#chunks[0];
    const end = this.#at + lines.length;
    if (this.#partial !== "" || first === undefined || end > first.length) return false;
    if (first.compare(lines, 0, lines.length, this.#at, end) !== 0) return false;
    this.#window = "";
    this.#windowAt = 0;
    this.#advance(lines.length);
    return true;
  }

  /** The next bytes, at most `bytesMax` and as many as lie together; undefined: there are none. */
  take(bytesMax: number): Buffer | undefined {
    const first = this.#chunks[0];
    if (first === undefined) return undefined;
    const from = this.#at;
    const taken = Math.min(bytesMax, first.length - from);
    this.#window = "";
    this.#windowAt = 0;
    this.tookLast = from + taken === first.length;
    this.#advance(taken);
    return taken === first.length ? first : first.subarray(from, from + taken);
  }

  /** Forgets everything. @returns how many bytes that were */
  clear(): number {
    const dropped = this.#length + this.#partial.length;
    this.#chunks.length = 0;
    this.#at = 0;
    this.#length = 0;
    this.#window = "";
    this.#windowAt = 0;
    this.#partial = "";
    this.#setLine("", 0, 0);
    return dropped;
  }

  /** Decodes the next window; false when there are no bytes. */
  #decode(bytesMax: number): boolean {
    const first = this.#chunks[0];
    if (first === undefined) return false;
    const windowBytes = Math.max(WINDOW_BYTES_MIN, Math.min(bytesMax + 2, WINDOW_BYTES_MAX));
    const end = Math.min(this.#at + windowBytes, first.length);
    this.#window = readLatin1(first, this.#at, end);
    this.#windowAt = 0;
    this.#isWindowClean = !CONTROL.test(this.#window);
    return true;
  }

  /** Checks and drops the CR in front of the LF at `end`. */
  #endLine(text: string, start: number, end: number, bytesMax: number): void {
    if (end - start > bytesMax + 1) {
      this.#setLine(text, start, end);
      return;
    }
    if (end === start || text.charCodeAt(end - 1) !== CR) {
      throw new GatewayError("REQUEST_MALFORMED", "Cannot read a line that ends with LF alone");
    }
    this.#setLine(text, start, end - 1);
  }

  #setLine(text: string, start: number, end: number): void {
    this.#lineText = text;
    this.#lineStart = start;
    this.#lineEnd = end;
  }

  #consume(byteLength: number): void {
    this.#windowAt += byteLength;
    this.#advance(byteLength);
  }

  #advance(byteLength: number): void {
    this.#length -= byteLength;
    this.#at += byteLength;
    if (this.#at < (this.#chunks[0] as Buffer).length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}

const CR = 0x0d;
/** bytes; most request heads fit, and a body behind the head is not decoded in vain. */
const WINDOW_BYTES_MAX = 4096;
const WINDOW_BYTES_MIN = 64;

/** Controls other than HTAB and line ends. One search a window is cheaper than one a line. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
