import type { Socket } from "bun";

/** How one request has ended, as its client sees it. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  /** No connection. */
  | { readonly kind: "refused" }
  /** Closed without a byte of an answer. */
  | { readonly kind: "reset" }
  /** Closed in the middle of an answer. */
  | { readonly kind: "cut" }
  /** No whole answer in time. */
  | { readonly kind: "silent" }
  /** Bytes that are no answer, or too many of them. */
  | { readonly kind: "garbage"; readonly what: string };

export interface Answer {
  readonly status: number;
  /** Name in lower case and value, in order. */
  readonly lines: readonly (readonly [string, string])[];
  /** latin-1, chunking taken off */
  readonly body: string;
}

/**
 * A keep-alive connection of a client that believes nothing: every answer must be framed exactly,
 * and nothing may follow it. One request at a time; connects again when it has to.
 */
export class StrictClient {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = "";
  #closed = true;
  #wake: (() => void) | undefined;
  #asked = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Sends one request and reads its answer.
   * @param text latin-1
   * @param withinMs until then the answer is whole, or the connection is closed by us
   */
  async ask(text: string, withinMs: number): Promise<Outcome> {
    // A connection goes to one worker: another one must have its turn.
    if (++this.#asked % REQUESTS_PER_CONNECTION === 0) this.close();
    if (this.#received !== "") return this.#garbage("bytes behind an answer");
    if (this.#closed && !(await this.#connect())) return { kind: "refused" };
    this.#write(Buffer.from(text, "latin1"));
    const giveUp = performance.now() + withinMs;
    for (;;) {
      const read = readAnswer(this.#received);
      if (typeof read === "string") return this.#garbage(read);
      if (read !== undefined) return this.#take(read.answer, read.length);
      if (this.#closed) {
        const kind = this.#received === "" ? "reset" : "cut";
        this.close();
        return { kind };
      }
      const left = giveUp - performance.now();
      if (left <= 0) {
        this.close();
        return { kind: "silent" };
      }
      await this.#change(left);
    }
  }

  close(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
    this.#closed = true;
    this.#received = "";
  }

  #take(answer: Answer, length: number): Outcome {
    this.#received = this.#received.slice(length);
    if (this.#received !== "") return this.#garbage("bytes behind an answer");
    if (answer.lines.some(([name, value]) => name === "connection" && /close/i.test(value))) {
      this.close();
    }
    return { kind: "answer", answer };
  }

  #garbage(why: string): Outcome {
    const what = `${why}: ${JSON.stringify(this.#received.slice(0, 300))}`;
    this.close();
    return { kind: "garbage", what };
  }

  async #connect(): Promise<boolean> {
    try {
      this.#socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: this.#port,
        socket: {
          data: (socket, bytes) => {
            // An event of an earlier connection must not reach this one.
            if (socket !== this.#socket) return;
            this.#received += Buffer.from(bytes).toString("latin1");
            this.#wake?.();
          },
          drain: (socket) => this.#flush(socket),
          end: (socket) => this.#end(socket),
          close: (socket) => this.#end(socket),
          error: (socket) => this.#end(socket),
        },
      });
    } catch {
      return false;
    }
    this.#closed = false;
    return true;
  }

  #unsent: Buffer = Buffer.alloc(0);

  #write(bytes: Buffer): void {
    this.#unsent = bytes;
    if (this.#socket !== undefined) this.#flush(this.#socket);
  }

  #flush(socket: Socket): void {
    if (socket !== this.#socket || this.#unsent.byteLength === 0) return;
    this.#unsent = this.#unsent.subarray(Math.max(0, socket.write(this.#unsent)));
  }

  #end(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#closed = true;
    this.#wake?.();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

const REQUESTS_PER_CONNECTION = 25;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]?([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * The final answer at the start of the text, with how much of it it is.
 * @returns undefined while it is not whole; a sentence when it is none
 */
export function readAnswer(text: string): { answer: Answer; length: number } | undefined | string {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...rest] = text.slice(0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: [\x20-\x7e]*)?$/.exec(statusLine)?.[1]);
  if (Number.isNaN(status) || status < 100 || status > 599) return "a bad status line";
  const lines: (readonly [string, string])[] = [];
  for (const line of rest) {
    const match = HEADER_LINE.exec(line);
    if (match === null) return `a bad header line ${JSON.stringify(line)}`;
    lines.push([(match[1] as string).toLowerCase(), match[2] as string]);
  }
  const start = headEnd + 4;
  if (status < 200) {
    const next = readAnswer(text.slice(start));
    return typeof next === "object" ? { ...next, length: next.length + start } : next;
  }
  const framed = readBody(text, start, status, lines);
  if (framed === undefined || typeof framed === "string") return framed;
  return { answer: { status, lines, body: framed.body }, length: framed.end };
}

function readBody(
  text: string,
  start: number,
  status: number,
  lines: readonly (readonly [string, string])[],
): { body: string; end: number } | undefined | string {
  const lengths = lines.filter(([name]) => name === "content-length");
  const codings = lines.filter(([name]) => name === "transfer-encoding");
  if (lengths.length + codings.length > 1) return "several framings";
  if (status === 204 || status === 304) return { body: "", end: start };
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d+$/.test(length[1])) return "a bad length";
    const end = start + Number(length[1]);
    return end > text.length ? undefined : { body: text.slice(start, end), end };
  }
  if (codings[0]?.[1] !== "chunked") return "no framing";
  return readChunks(text, start);
}

function readChunks(
  text: string,
  start: number,
): { body: string; end: number } | undefined | string {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(line)) return "a bad chunk size";
    const size = Number.parseInt(line, 16);
    if (size === 0) break;
    const end = lineEnd + 2 + size;
    if (end + 2 > text.length) return undefined;
    if (text.slice(end, end + 2) !== "\r\n") return "a bad chunk end";
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
  // Trailers, and the empty line.
  const lineEnd = text.indexOf("\r\n", at) + 2;
  for (let next = lineEnd; ;) {
    const end = text.indexOf("\r\n", next);
    if (end < 0) return undefined;
    if (end === next) return { body, end: end + 2 };
    if (!HEADER_LINE.test(text.slice(next, end))) return "a bad trailer line";
    next = end + 2;
  }
}
