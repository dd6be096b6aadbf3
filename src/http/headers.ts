import { byteLengthOf, HeaderLine, HeaderLines, SEPARATOR_LENGTH, textOf } from "./header-lines.ts";
import { type HeaderName, headerName } from "./header-name.ts";

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
  #lines: HeaderLine[];
  /** Whose lines these are: to be copied before they are changed. */
  #shared: HeaderLines | undefined;
  #source: string;
  #version = 0;
  #roles: number;
  #isChecked: boolean;

  /** @param shared its lines, until they are changed; undefined: there are none */
  constructor(shared?: HeaderLines) {
    this.#shared = shared;
    // Copied before they are changed.
    this.#lines = shared === undefined ? [] : (shared.lines as HeaderLine[]);
    this.#source = shared === undefined ? "" : shared.source;
    this.#roles = shared === undefined ? 0 : shared.roles;
    this.#isChecked = shared === undefined || shared.isChecked;
  }

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
    return this.#shared?.byteLength ?? byteLengthOf(this.#lines);
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

  /** Value of the only line of that name; undefined for none or several. @param key lower-case */
  only(key: string): string | undefined {
    const at = this.#find(key, 0);
    return at < 0 || this.#find(key, at + 1) >= 0 ? undefined : this.valueAt(at);
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
    this.#push(new HeaderLine(headerName(name), value, -1, -1));
  }

  /** The same for a line that is known to be one: see isChecked. */
  appendChecked(name: HeaderName, value: string): void {
    const longer = this.#shared?.appendLine(name, value);
    if (longer === undefined) this.#push(new HeaderLine(name, value, -1, -1));
    else this.#adopt(longer);
  }

  /**
   * The same when such a line was the last to be added to the same lines: then it is one, and its
   * name has no ROLE.
   * @returns false when it was not; nothing has happened then
   */
  appendAgain(name: string, value: string): boolean {
    const longer = this.#shared?.appendAgain(name, value);
    if (longer !== undefined) this.#adopt(longer);
    return longer !== undefined;
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
    this.setChecked(headerName(name), value);
    this.#isChecked = false;
  }

  /** The same for a line that is known to be one: see isChecked. */
  setChecked(name: HeaderName, value: string): void {
    const at = this.#find(name.key, 0);
    if (at < 0) {
      this.appendChecked(name, value);
      return;
    }
    this.#own();
    const line = this.#lines[at] as HeaderLine;
    this.#lines[at] = new HeaderLine(line.name, value, -1, -1);
    this.#removeFrom(name.key, at + 1);
    this.#version++;
  }

  /** Drops all lines of that name; true when there was one. @param key lower-case */
  remove(key: string): boolean {
    const at = this.#find(key, 0);
    if (at < 0) return false;
    this.#own();
    this.#removeFrom(key, at);
    this.#version++;
    return true;
  }

  /** Drops all lines that have one of these roles. @param roles bits of ROLE */
  removeRoles(roles: number): void {
    if ((this.#roles & roles) === 0) return;
    if (this.#shared !== undefined) {
      this.#adopt(this.#shared.removeRoles(roles));
      return;
    }
    let kept = 0;
    this.#roles = 0;
    for (const line of this.#lines) {
      if ((line.name.roles & roles) !== 0) continue;
      this.#lines[kept++] = line;
      this.#roles |= line.name.roles;
    }
    this.#lines.length = kept;
    this.#version++;
  }

  /** Adds lines at the end. @param more without a source: made by append() */
  appendAll(more: HeaderLines): void {
    if (this.#shared === undefined) {
      for (const line of more.lines) this.#push(line);
      this.#isChecked &&= more.isChecked;
    } else {
      this.#adopt(this.#shared.append(more));
    }
  }

  clear(): void {
    this.#own();
    this.#lines.length = 0;
    this.#source = "";
    this.#roles = 0;
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
    if (this.#shared !== undefined) return this.#shared.toText(without);
    return textOf(this.#lines, this.#source, without);
  }

  /** The lines as they are now, to make other lists of. */
  share(): HeaderLines {
    this.#shared ??= new HeaderLines(this.#lines, this.#source, this.#roles, this.#isChecked);
    return this.#shared;
  }

  clone(): HeaderList {
    return new HeaderList(this.share());
  }

  #adopt(shared: HeaderLines): void {
    this.#shared = shared;
    this.#lines = shared.lines as HeaderLine[]; // Copied before they are changed.
    this.#source = shared.source;
    this.#roles = shared.roles;
    this.#isChecked = shared.isChecked;
    this.#version++;
  }

  /** Before every change. */
  #own(): void {
    if (this.#shared === undefined) return;
    this.#shared = undefined;
    this.#lines = this.#lines.slice();
  }

  #push(line: HeaderLine): void {
    this.#own();
    this.#lines.push(line);
    this.#roles |= line.name.roles;
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
      if (line.name.key !== key) lines[kept++] = line;
    }
    lines.length = kept;
  }
}
