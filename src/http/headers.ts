import { type HeaderName, headerName } from "./header-name.ts";

/** One line of a list. */
class HeaderLine {
  name: HeaderName;
  /** undefined: it stands in the list's source, and nobody has asked for it. */
  value: string | undefined;
  /** Of the line in the list's source, without its line end; -1: it does not stand there. */
  readonly start: number;
  readonly end: number;

  constructor(name: HeaderName, value: string | undefined, start: number, end: number) {
    this.name = name;
    this.value = value;
    this.start = start;
    this.end = end;
  }

  /** Of name and value. */
  get byteLength(): number {
    if (this.start >= 0) return this.end - this.start - SEPARATOR_LENGTH;
    return this.name.text.length + (this.value as string).length;
  }
}

/**
 * An ordered list of header lines: order, repeats and spelling are kept, look-ups ignore case.
 *
 *   names   "Host"  "Set-Cookie"  "Set-Cookie"     as they are sent
 *   keys    "host"  "set-cookie"  "set-cookie"     lower-case, what is compared
 *   values  "a.b"   "x=1"         "y=2"            latin-1: one char is one byte on the wire
 *
 * Lines that were parsed stay where they stood in the received head (`source`) until somebody asks
 * for them: a head that nobody changes is sent on as the same text, in one piece.
 *
 * Why not `Headers`: it sorts names, joins repeated lines and validates again on every copy. Lists
 * are short (around ten lines), so linear search over an array beats a map.
 */
export class HeaderList {
  readonly #lines: HeaderLine[] = [];
  #source = "";
  #version = 0;
  #roles = 0;
  #byteLength = 0;
  #isChecked = true;

  static from(lines: Iterable<readonly [name: string, value: string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of lines) list.append(name, value);
    return list;
  }

  /** Number of lines. */
  get size(): number {
    return this.#lines.length;
  }

  /** Bytes of all names and values. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Changes with every mutation, so that a serialized copy can be kept until then. */
  get version(): number {
    return this.#version;
  }

  /** Bits of ROLE: of all lines that there are, and perhaps of some that are gone. */
  get roles(): number {
    return this.#roles;
  }

  /**
   * Every line came from a parser that has checked it, or was made here: a token as its name, no
   * control character but the tab in its value. False as soon as anything else was added.
   */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** Value of the first line of that name. @param key lower-case */
  get(key: string): string | undefined {
    const at = this.#find(key, 0);
    return at < 0 ? undefined : this.valueAt(at);
  }

  /** @param key lower-case */
  has(key: string): boolean {
    return this.#find(key, 0) >= 0;
  }

  /** Values of all lines of that name, in order. @param key lower-case */
  getAll(key: string): string[] {
    const found: string[] = [];
    for (let at = this.#find(key, 0); at >= 0; at = this.#find(key, at + 1)) {
      found.push(this.valueAt(at));
    }
    return found;
  }

  /** Adds a line at the end; lines of the same name stay. */
  append(name: string, value: string): void {
    this.#isChecked = false;
    this.appendChecked(headerName(name), value);
  }

  /** The same for a line that is known to be one: see isChecked. */
  appendChecked(name: HeaderName, value: string): void {
    this.#push(new HeaderLine(name, value, -1, -1));
  }

  /**
   * The same for a line that stands in a received head, as `Name: value` and nothing else.
   * @param text the head; lines of one head stay together, those of a second one are copied
   */
  appendFrom(name: HeaderName, text: string, start: number, end: number): void {
    if (this.#source === "") this.#source = text;
    if (this.#source === text) {
      this.#push(new HeaderLine(name, undefined, start, end));
    } else {
      const valueStart = start + name.text.length + SEPARATOR_LENGTH;
      this.appendChecked(name, text.slice(valueStart, end));
    }
  }

  /** Replaces the first line of that name and drops the others; adds one when there is none. */
  set(name: string, value: string): void {
    this.#isChecked = false;
    this.setChecked(headerName(name), value);
  }

  /** As set(), for a line that is known to be one: see isChecked. */
  setChecked(name: HeaderName, value: string): void {
    const at = this.#find(name.key, 0);
    if (at < 0) {
      this.appendChecked(name, value);
      return;
    }
    const line = this.#lines[at] as HeaderLine;
    const changed = new HeaderLine(line.name, value, -1, -1);
    this.#lines[at] = changed;
    this.#byteLength += changed.byteLength - line.byteLength;
    this.#removeFrom(name.key, at + 1);
    this.#version++;
  }

  /** Drops all lines of that name; true when there was one. @param key lower-case */
  remove(key: string): boolean {
    const at = this.#find(key, 0);
    if (at < 0) return false;
    this.#removeFrom(key, at);
    this.#version++;
    return true;
  }

  /** Drops all lines that have one of these roles. @param roles bits of ROLE */
  removeRoles(roles: number): void {
    if ((this.#roles & roles) === 0) return;
    let kept = 0;
    this.#roles = 0;
    for (const line of this.#lines) {
      if ((line.name.roles & roles) !== 0) {
        this.#byteLength -= line.byteLength;
        continue;
      }
      this.#lines[kept++] = line;
      this.#roles |= line.name.roles;
    }
    this.#lines.length = kept;
    this.#version++;
  }

  clear(): void {
    this.#lines.length = 0;
    this.#roles = 0;
    this.#byteLength = 0;
    this.#source = "";
    this.#isChecked = true;
    this.#version++;
  }

  /** Name of line `index` as it is sent. */
  nameAt(index: number): string {
    return this.#line(index).name.text;
  }

  /** Lower-case name of line `index`. */
  keyAt(index: number): string {
    return this.#line(index).name.key;
  }

  /** Bits of ROLE of line `index`. */
  rolesAt(index: number): number {
    return this.#line(index).name.roles;
  }

  /** The name of line `index` is a token. */
  isNameAtValid(index: number): boolean {
    return this.#line(index).name.isValid;
  }

  valueAt(index: number): string {
    const line = this.#line(index);
    line.value ??= this.#source.slice(
      line.start + line.name.text.length + SEPARATOR_LENGTH,
      line.end,
    );
    return line.value;
  }

  /** Name (as sent) and value of every line, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let at = 0; at < this.#lines.length; at++) yield [this.nameAt(at), this.valueAt(at)];
  }

  /**
   * The lines as they are sent, each with the line end of the one BEFORE it: "\r\nA: 1\r\nB: 2".
   * Nothing is checked here.
   * @param without lines that have one of these roles are left out (bits of ROLE)
   */
  toText(without: number): string {
    let text = "";
    let runStart = -1;
    let runEnd = -1;
    for (const { name, value, start, end } of this.#lines) {
      if ((name.roles & without) !== 0) continue;
      if (start >= 0 && start === runEnd + LINE_END_LENGTH && runStart >= 0) {
        runEnd = end;
        continue;
      }
      if (runStart >= 0) text = `${text}\r\n${this.#source.slice(runStart, runEnd)}`;
      runStart = start;
      runEnd = end;
      if (start < 0) text = `${text}${name.opening}${value}`;
    }
    return runStart < 0 ? text : `${text}\r\n${this.#source.slice(runStart, runEnd)}`;
  }

  clone(): HeaderList {
    const copy = new HeaderList();
    for (const { name, value, start, end } of this.#lines) {
      copy.#lines.push(new HeaderLine(name, value, start, end));
    }
    copy.#source = this.#source;
    copy.#roles = this.#roles;
    copy.#byteLength = this.#byteLength;
    copy.#isChecked = this.#isChecked;
    return copy;
  }

  #push(line: HeaderLine): void {
    this.#lines.push(line);
    this.#roles |= line.name.roles;
    this.#byteLength += line.byteLength;
    this.#version++;
  }

  #line(index: number): HeaderLine {
    return this.#lines[index] as HeaderLine;
  }

  #find(key: string, from: number): number {
    const lines = this.#lines;
    for (let at = from; at < lines.length; at++) {
      if ((lines[at] as HeaderLine).name.key === key) return at;
    }
    return -1;
  }

  #removeFrom(key: string, start: number): void {
    const lines = this.#lines;
    let kept = start;
    for (let at = start; at < lines.length; at++) {
      const line = lines[at] as HeaderLine;
      if (line.name.key === key) this.#byteLength -= line.byteLength;
      else lines[kept++] = line;
    }
    lines.length = kept;
  }
}

/** Of ": ". */
const SEPARATOR_LENGTH = 2;
/** Of CR LF. */
const LINE_END_LENGTH = 2;
