import { LIMITS } from "../../base/limits.ts";
import { headerName } from "../../http/header-name.ts";
import type { HeaderList } from "../../http/headers.ts";
import { isFieldValue, trimmed } from "./header-rules.ts";
import { encodePairs, type Pairs } from "./pairs.ts";
import type { PseudoHeaders } from "./pseudo-headers.ts";

/**
 * A header map as guests see it, over the gateway's own types.
 *
 *   :method  :path  :authority  :scheme │ accept  cookie  cookie  …
 *   fields of the RequestHead           │ lines of its HeaderList, names in lower case
 *
 * done     the map has changed
 * refused  the name is no token, or the value has a line break or another control character
 * full     LIMITS.pairsCountMax lines or LIMITS.pairsBytesMax bytes would be exceeded
 */
export type Change = "done" | "refused" | "full";

export class HeaderMap {
  readonly #list: HeaderList;
  readonly #pseudo: PseudoHeaders;

  constructor(list: HeaderList, pseudo: PseudoHeaders) {
    this.#list = list;
    this.#pseudo = pseudo;
  }

  /** Lines, pseudo headers included. */
  get count(): number {
    return this.#pseudo.names.length + this.#list.size;
  }

  /** Bytes of all names and values. */
  get byteLength(): number {
    let total = this.#list.byteLength;
    for (const name of this.#pseudo.names) total += name.length + this.#pseudo.read(name).length;
    return total;
  }

  /** Value of the first line of that name; upper and lower case are the same. */
  get(name: string): string | undefined {
    const key = name.toLowerCase();
    const pseudo = this.#pseudo.nameOf(key);
    if (pseudo === undefined) return this.#list.get(key);
    return this.#pseudo.names.includes(pseudo) ? this.#pseudo.read(pseudo) : undefined;
  }

  /** Adds a line, spelled as given; a pseudo header, of which there is one, is replaced. */
  add(name: string, value: string): Change {
    // Most filters add the same to every message: that line has been looked at. Names that are
    // pseudo headers somewhere have a ROLE.
    if (this.#fits(name, value) && this.#list.appendAgain(name, value)) return "done";
    return this.#change(name, value, "append");
  }

  /** Replaces all lines of that name by one. When it is refused, there is none afterwards. */
  replace(name: string, value: string): Change {
    return this.#change(name, value, "set");
  }

  /** Drops all lines of that name; pseudo headers stay, since a message needs them. */
  remove(name: string): Change {
    const key = name.toLowerCase();
    if (this.#pseudo.nameOf(key) !== undefined) return "refused";
    this.#list.remove(key);
    return "done";
  }

  /**
   * Replaces everything. Pseudo headers that are not given stay. A name keeps the spelling that it
   * had before, since guests only ever see lower case.
   * @returns number of pairs that were refused
   */
  replaceAll({ names, values }: Pairs): number {
    const spellings = new Map<string, string>();
    for (let at = 0; at < this.#list.size; at++) {
      spellings.set(this.#list.keyAt(at), this.#list.nameAt(at));
    }
    this.#list.clear();
    let refused = 0;
    for (const [at, name] of names.entries()) {
      const value = values[at] as string;
      const change = this.add(spellings.get(name) ?? name, value);
      if (change !== "done") refused++;
    }
    return refused;
  }

  /** Serialized; shared with whoever else reads this map before it changes. Do not write to it. */
  encoded(): Uint8Array | undefined {
    const known = blocks.get(this.#list);
    if (known?.version === this.#list.version && this.#pseudoEquals(known.pseudo)) {
      return known.bytes;
    }
    const pseudo = this.#pseudo.names.map((name) => this.#pseudo.read(name));
    const names = [...this.#pseudo.names];
    const values = [...pseudo];
    for (let at = 0; at < this.#list.size; at++) {
      names.push(this.#list.keyAt(at));
      values.push(this.#list.valueAt(at));
    }
    const bytes = encodePairs(names, values);
    if (bytes !== undefined) blocks.set(this.#list, { version: this.#list.version, pseudo, bytes });
    return bytes;
  }

  /** @param values of the same list, so of the same names in the same order */
  #pseudoEquals(values: readonly string[]): boolean {
    return this.#pseudo.names.every((name, at) => this.#pseudo.read(name) === values[at]);
  }

  #change(text: string, given: string, how: "append" | "set"): Change {
    const name = headerName(text);
    const value = trimmed(given);
    const pseudo = this.#pseudo.nameOf(name.key);
    if (pseudo !== undefined) return this.#pseudo.write(pseudo, value) ? "done" : "refused";
    if (!name.isValid) return "refused";
    if (!isFieldValue(value)) {
      // A guest that replaces what a client has sent must not be left with what the client sent.
      if (how === "set") this.#list.remove(name.key);
      return "refused";
    }
    if (!this.#fits(text, value)) return "full";
    if (how === "append") this.#list.appendChecked(name, value);
    else this.#list.setChecked(name, value);
    return "done";
  }

  #fits(name: string, value: string): boolean {
    if (this.#list.size >= LIMITS.pairsCountMax) return false;
    const more = name.length + value.length;
    // Pseudo headers are long only when a guest has made them so, and then nothing is serialized.
    if (this.#list.byteLength + more <= FAR_FROM_FULL) return true;
    return this.byteLength + more <= PAIRS_PAYLOAD_BYTES_MAX;
  }
}

/** What is left of the bound when every line's lengths and NULs are taken off. */
const PAIRS_PAYLOAD_BYTES_MAX = LIMITS.pairsBytesMax - (LIMITS.pairsCountMax + 8) * 10;
const FAR_FROM_FULL = PAIRS_PAYLOAD_BYTES_MAX / 2;

interface Block {
  readonly version: number;
  readonly pseudo: readonly string[];
  readonly bytes: Uint8Array;
}

/** One serialized block per list, so that the second filter of a chain need not make its own. */
const blocks = new WeakMap<HeaderList, Block>();
