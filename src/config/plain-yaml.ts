import { LIMITS } from "../base/limits.ts";
import { resolvePlain } from "./plain-scalar.ts";
import type { ConfigNode, Entry, MapNode, ScalarNode, Span } from "./tree.ts";

/**
 * Reads the subset of YAML that nearly every configuration is written in, some twenty times faster
 * than the complete reader: a file with 10,000 routes in 50 ms instead of 1 s, which is what keeps
 * a reload short.
 *
 *   block mappings and lists · flow ones, JSON too · scalars on one line · comments
 *
 * It never reports an error. Whatever it does not know for sure (anchors, tags, block scalars,
 * tabs, CRLF, text over several lines, anything wrong) makes it give up, and the complete reader
 * decides.
 * A test compares the trees of both readers over thousands of generated documents.
 * @returns undefined when it gave up
 */
export function readPlainYaml(text: string): ConfigNode | undefined {
  if (/[\t\r\u0085\u2028\u2029\ufeff]/.test(text)) return undefined;
  try {
    return new PlainReader(text).read();
  } catch (error) {
    if (error instanceof GiveUp) return undefined;
    throw error;
  }
}

class GiveUp extends Error {
  override readonly name = "GiveUp";
}

/** No plain scalar begins with these, or it begins something that the other reader reads. */
const NOT_PLAIN = new Set("?:,[]{}#&*!|>'\"%@`");

class PlainReader {
  readonly #text: string;
  /** Offset of the next character. */
  #at = 0;
  /** Offset behind the last character of the current line. */
  #lineEnd = 0;
  /** Column of the current line's first character (spaces before it); -1 at the end of the text. */
  #indent = -1;
  #depth = 0;
  /** Column that the next lines of a flow collection are deeper than. */
  #floor = -1;
  /** A line with content has been seen. */
  #started = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ConfigNode {
    this.#openLine(0);
    if (this.#indent < 0) return nothing({ start: 0, end: 0 });
    if (this.#indent === 0 && this.#line() === "---") this.#nextLine();
    const isFlow = this.#char() === "{" || this.#char() === "[";
    const root = isFlow ? this.#readInline(-1) : this.#readBlock(this.#indent);
    if (this.#indent >= 0) giveUp();
    return root;
  }

  /** A list or a mapping whose first character is at `#at`, `indent` columns into its line. */
  #readBlock(indent: number): ConfigNode {
    if (indent < 0) giveUp();
    this.#enter();
    const block = this.#atDash() ? this.#readList(indent) : this.#readMap(indent);
    this.#depth--;
    return block;
  }

  #readList(indent: number): ConfigNode {
    const start = this.#at;
    const items: ConfigNode[] = [];
    while (this.#indent === indent && this.#atDash()) {
      this.#at++;
      items.push(this.#readItem(indent) ?? nothing({ start, end: start + 1 }));
    }
    if (this.#indent > indent) giveUp();
    return { kind: "list", items, start, end: start + 1 };
  }

  /** What follows a dash: on the same line (a compact mapping too), or deeper on the next. */
  #readItem(indent: number): ConfigNode | undefined {
    const dash = this.#at - 1;
    this.#skipSpaces();
    if (this.#atLineEnd()) {
      this.#nextLine();
      return this.#indent > indent ? this.#readBlock(this.#indent) : undefined;
    }
    // The rest of the line is a block of its own, as far in as it stands.
    const inner = indent + (this.#at - dash);
    if (this.#atDash() || this.#atKey()) {
      this.#indent = inner;
      return this.#readBlock(inner);
    }
    return this.#readInline(indent);
  }

  #readMap(indent: number): MapNode {
    const entries: Entry[] = [];
    const keys = new Set<string>();
    while (this.#indent === indent) {
      if (this.#atDash()) giveUp();
      const { key, span } = this.#readKey(false);
      if (keys.has(key)) giveUp();
      keys.add(key);
      this.#at++;
      entries.push({ key, keySpan: span, value: this.#readValue(indent) ?? nothing(span) });
    }
    const first = entries[0];
    if (first === undefined || this.#indent > indent) giveUp();
    return { kind: "map", entries, ...first.keySpan };
  }

  /** What follows a key's colon: on the same line, or deeper (a list: as deep) on the next. */
  #readValue(indent: number): ConfigNode | undefined {
    if (this.#at < this.#lineEnd && !this.#isSpace(this.#at)) giveUp();
    this.#skipSpaces();
    if (!this.#atLineEnd()) {
      if (this.#atDash() || this.#atKey()) giveUp();
      return this.#readInline(indent);
    }
    this.#nextLine();
    if (this.#indent > indent) return this.#readBlock(this.#indent);
    if (this.#indent === indent && this.#atDash()) return this.#readBlock(indent);
    return undefined;
  }

  /**
   * A scalar or a flow collection that is the last thing on its line.
   * @param floor column of the block around it; the lines of a flow collection are deeper in
   */
  #readInline(floor: number): ConfigNode {
    this.#floor = floor;
    const value = this.#readFlow(false);
    const spaced = this.#skipSpaces();
    if (this.#at < this.#lineEnd && !(spaced && this.#char() === "#")) giveUp();
    this.#nextLine();
    return value;
  }

  /** A flow collection or a scalar. @param inFlow inside of a flow collection */
  #readFlow(inFlow: boolean): ConfigNode {
    const first = this.#char();
    if (first === '"' || first === "'") {
      const start = this.#at;
      const value = this.#readQuoted();
      return { ...scalar(value, value), start, end: this.#at };
    }
    if (first === "{" || first === "[") {
      this.#enter();
      const node = first === "{" ? this.#readFlowMap() : this.#readFlowList();
      this.#depth--;
      return node;
    }
    const start = this.#at;
    const end = this.#plainEnd(inFlow);
    const next = this.#text[end];
    if (next === ":" && end < this.#lineEnd) giveUp();
    this.#at = end;
    const written = this.#text.slice(start, end);
    return { ...scalar(resolvePlain(written), written), start, end };
  }

  #readFlowList(): ConfigNode {
    const start = this.#at++;
    const items: ConfigNode[] = [];
    this.#skipLines();
    if (this.#char() !== "]") {
      do {
        this.#skipLines();
        items.push(this.#readFlow(true));
        this.#skipLines();
      } while (this.#take(","));
    }
    if (!this.#take("]")) giveUp();
    return { kind: "list", items, start, end: this.#at };
  }

  #readFlowMap(): ConfigNode {
    const start = this.#at++;
    const entries: Entry[] = [];
    const keys = new Set<string>();
    this.#skipLines();
    if (this.#char() !== "}") {
      do {
        this.#skipLines();
        const isQuoted = this.#char() === '"';
        const { key, span } = this.#readKey(true);
        if (keys.has(key)) giveUp();
        keys.add(key);
        this.#at++;
        // Only behind a quoted key, as in JSON, may the value follow the colon at once.
        if (!isQuoted && this.#at < this.#lineEnd && !this.#isSpace(this.#at)) giveUp();
        this.#skipLines();
        entries.push({ key, keySpan: span, value: this.#readFlow(true) });
        this.#skipLines();
      } while (this.#take(","));
    }
    if (!this.#take("}")) giveUp();
    return { kind: "map", entries, start, end: this.#at };
  }

  /** A key up to its colon, which is the next character then. */
  #readKey(inFlow: boolean): { key: string; span: Span } {
    const start = this.#at;
    const first = this.#char();
    let key: string;
    if (first === '"' || first === "'") {
      key = this.#readQuoted();
    } else {
      const end = this.#plainEnd(inFlow);
      key = this.#text.slice(start, end);
      this.#at = end;
      // A merge, or one that may be too long for a key: both are the other reader's.
      if (key === "<<") giveUp();
    }
    const span = { start, end: this.#at };
    this.#skipSpaces();
    if (this.#char() !== ":" || span.end - start > 1000) giveUp();
    return { key, span };
  }

  /** The line goes on with `key:`. */
  #atKey(): boolean {
    const from = this.#at;
    const first = this.#char();
    if (first === "{" || first === "[") return false;
    if (first === '"' || first === "'") {
      this.#readQuoted();
      this.#skipSpaces();
    } else {
      this.#at = this.#plainEnd(false);
      this.#skipSpaces();
    }
    const found = this.#char() === ":" && this.#at < this.#lineEnd;
    this.#at = from;
    return found;
  }

  /** Offset behind a plain scalar that begins here: at a comment, `: `, or in flow a bracket. */
  #plainEnd(inFlow: boolean): number {
    const first = this.#char();
    if (this.#at >= this.#lineEnd || NOT_PLAIN.has(first) || this.#atDash()) giveUp();
    const text = this.#text;
    let at = this.#at;
    for (; at < this.#lineEnd; at++) {
      const char = text[at] as string;
      if (char === ":") {
        const next = at + 1 < this.#lineEnd ? (text[at + 1] as string) : " ";
        if (next === " ") break;
        if (inFlow && ",[]{}".includes(next)) giveUp();
      } else if (char === "#") {
        if (text[at - 1] === " ") break;
      } else if (inFlow && ",[]{}".includes(char)) {
        break;
      }
    }
    while (text[at - 1] === " ") at--;
    return at;
  }

  #readQuoted(): string {
    const start = this.#at;
    const quote = this.#char();
    let end = this.#text.indexOf(quote, start + 1);
    if (quote === "'") {
      while (end >= 0 && this.#text[end + 1] === "'") end = this.#text.indexOf("'", end + 2);
    } else {
      while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    }
    if (end < 0 || end >= this.#lineEnd) giveUp();
    this.#at = end + 1;
    const inside = this.#text.slice(start + 1, end);
    if (quote === "'") return inside.replaceAll("''", "'");
    if (!inside.includes("\\")) return inside;
    // These escapes mean the same in JSON; YAML's others are rare and left to the other reader.
    if (!/^(?:[^\\]|\\["\\/bfnrt])*$/.test(inside)) giveUp();
    return JSON.parse(`"${inside}"`) as string;
  }

  #isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.#text[at - 1 - backslashes] === "\\") backslashes++;
    return backslashes % 2 === 1;
  }

  #enter(): void {
    if (++this.#depth > LIMITS.yamlDepthMax) giveUp();
  }

  #char(): string {
    return this.#text[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#char() !== char) return false;
    this.#at++;
    return true;
  }

  #isSpace(at: number): boolean {
    return this.#text[at] === " ";
  }

  #atDash(): boolean {
    if (this.#char() !== "-") return false;
    // In a flow collection `-,` and `-]` are neither an item nor text.
    if (",[]{}".includes(this.#text[this.#at + 1] ?? " ")) giveUp();
    return this.#at + 1 >= this.#lineEnd || this.#isSpace(this.#at + 1);
  }

  /** @returns whether there were any */
  #skipSpaces(): boolean {
    const from = this.#at;
    while (this.#isSpace(this.#at)) this.#at++;
    return this.#at > from;
  }

  /** Goes to the next character of a flow collection, over line ends and comments. */
  #skipLines(): void {
    this.#skipSpaces();
    while (this.#atLineEnd()) {
      this.#nextLine();
      if (this.#indent <= this.#floor) giveUp();
    }
  }

  /** Only a comment, or nothing, follows on this line; the spaces before it have been skipped. */
  #atLineEnd(): boolean {
    return this.#at >= this.#lineEnd || (this.#char() === "#" && this.#isSpace(this.#at - 1));
  }

  #line(): string {
    return this.#text.slice(this.#at, this.#lineEnd).trimEnd();
  }

  #nextLine(): void {
    this.#openLine(this.#lineEnd + 1);
  }

  /** Goes to the first character of the next line that holds more than a comment. */
  #openLine(lineStart: number): void {
    const text = this.#text;
    let from = lineStart;
    while (from < text.length) {
      const newline = text.indexOf("\n", from);
      const end = newline < 0 ? text.length : newline;
      let at = from;
      while (text[at] === " ") at++;
      if (at < end && text[at] !== "#") {
        this.#at = at;
        this.#lineEnd = end;
        this.#indent = at - from;
        if (this.#indent === 0 && /^(?:---|\.\.\.)(?:\s|$)/.test(text.slice(at, at + 4))) {
          // One marker may stand before everything; more of them are the other reader's.
          if (this.#line() !== "---" || this.#started) giveUp();
        }
        this.#started = true;
        return;
      }
      from = end + 1;
    }
    this.#at = text.length;
    this.#lineEnd = text.length;
    this.#indent = -1;
  }
}

function scalar(value: ScalarNode["value"], written: string): Omit<ScalarNode, "start" | "end"> {
  return { kind: "scalar", value, written, substituted: false };
}

/** The null of `key:` with nothing behind it; diagnostics point to the key, or to the list. */
function nothing(span: Span): ScalarNode {
  return { ...scalar(null, ""), start: span.start, end: span.end };
}

function giveUp(): never {
  throw new GiveUp();
}
