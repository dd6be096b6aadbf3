/**
 * An ordered list of header lines: order, repeats and spelling are kept, look-ups ignore case.
 *
 *   names   "Host"  "Set-Cookie"  "Set-Cookie"     as they are sent
 *   keys    "host"  "set-cookie"  "set-cookie"     lower-case, what is compared
 *   values  "a.b"   "x=1"         "y=2"            latin-1: one char is one byte on the wire
 *
 * Why not `Headers`: it sorts names, joins repeated lines and validates again on every copy. Lists
 * are short (around ten lines), so linear search over an array beats a map.
 */
export class HeaderList {
  readonly #names: string[] = [];
  readonly #keys: string[] = [];
  readonly #values: string[] = [];
  #version = 0;

  static from(lines: Iterable<readonly [name: string, value: string]>): HeaderList {
    const list = new HeaderList();
    for (const [name, value] of lines) list.append(name, value);
    return list;
  }

  /** Number of lines. */
  get size(): number {
    return this.#keys.length;
  }

  /** Bytes of all names and values. */
  get byteLength(): number {
    let total = 0;
    for (let at = 0; at < this.#keys.length; at++) {
      total += (this.#keys[at] as string).length + (this.#values[at] as string).length;
    }
    return total;
  }

  /** Changes with every mutation, so that a serialized copy can be kept until then. */
  get version(): number {
    return this.#version;
  }

  /** Value of the first line of that name. @param key lower-case */
  get(key: string): string | undefined {
    const at = this.#keys.indexOf(key);
    return at < 0 ? undefined : this.#values[at];
  }

  /** @param key lower-case */
  has(key: string): boolean {
    return this.#keys.includes(key);
  }

  /** Values of all lines of that name, in order. @param key lower-case */
  getAll(key: string): string[] {
    const found: string[] = [];
    for (let at = this.#keys.indexOf(key); at >= 0; at = this.#keys.indexOf(key, at + 1)) {
      found.push(this.#values[at] as string);
    }
    return found;
  }

  /** Adds a line at the end; lines of the same name stay. */
  append(name: string, value: string): void {
    this.#names.push(name);
    this.#keys.push(lowerCase(name));
    this.#values.push(value);
    this.#version++;
  }

  /** Replaces the first line of that name and drops the others; adds one when there is none. */
  set(name: string, value: string): void {
    const key = lowerCase(name);
    const at = this.#keys.indexOf(key);
    if (at < 0) {
      this.append(name, value);
      return;
    }
    this.#values[at] = value;
    this.#removeFrom(key, at + 1);
    this.#version++;
  }

  /** Drops all lines of that name; true when there was one. @param key lower-case */
  remove(key: string): boolean {
    const at = this.#keys.indexOf(key);
    if (at < 0) return false;
    this.#removeFrom(key, at);
    this.#version++;
    return true;
  }

  clear(): void {
    this.#names.length = 0;
    this.#keys.length = 0;
    this.#values.length = 0;
    this.#version++;
  }

  /** Name of line `index` as it is sent. */
  nameAt(index: number): string {
    return this.#names[index] as string;
  }

  /** Lower-case name of line `index`. */
  keyAt(index: number): string {
    return this.#keys[index] as string;
  }

  valueAt(index: number): string {
    return this.#values[index] as string;
  }

  /** Name (as sent) and value of every line, in order. */
  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let at = 0; at < this.#names.length; at++) {
      yield [this.#names[at] as string, this.#values[at] as string];
    }
  }

  clone(): HeaderList {
    const copy = new HeaderList();
    copy.#names.push(...this.#names);
    copy.#keys.push(...this.#keys);
    copy.#values.push(...this.#values);
    return copy;
  }

  #removeFrom(key: string, start: number): void {
    for (let at = this.#keys.indexOf(key, start); at >= 0; at = this.#keys.indexOf(key, at)) {
      this.#names.splice(at, 1);
      this.#keys.splice(at, 1);
      this.#values.splice(at, 1);
    }
  }
}

/** Names repeat from request to request; bounded because clients choose them. */
const LOWER_CASE_CACHE_MAX = 1024;
const lowerCased = new Map<string, string>();

function lowerCase(name: string): string {
  const known = lowerCased.get(name);
  if (known !== undefined) return known;
  const key = name.toLowerCase();
  if (lowerCased.size < LOWER_CASE_CACHE_MAX && name.length <= 64) lowerCased.set(name, key);
  return key;
}
