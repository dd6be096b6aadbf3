import { filledArray } from "../base/filled-array.ts";
/** Power of two. Two texts of one slot take it from each other, which costs reading them again. */
const SLOTS = 256;
/** chars; a longer text is not kept: with all slots taken that is 512 KiB for each kind of text. */
const LENGTH_MAX = 2048;
/** How many chars of a text choose its slot. */
const SAMPLES = 8;

/**
 * What was read from texts that came lately, to be found again by the text: clients and nodes say
 * the same over and over, and comparing is much cheaper than reading. What is kept is a function of
 * the text alone, and nobody changes it.
 *
 *   "Host: a\r\nAccept: *\r\n\r\n"  ──hash of length and 8 chars──▶ slot ── text, what it means
 *
 * Only a text that comes a second time is kept: those that never repeat cost no more than the hash.
 */
export class RecentTexts<T> {
  readonly #texts: string[] = filledArray(SLOTS, "");
  readonly #meanings = filledArray<T | undefined>(SLOTS, undefined);

  /** What `text.slice(start, end)` means, if it is kept. */
  find(text: string, start: number, end: number): T | undefined {
    const slot = slotOf(text, start, end);
    const meaning = this.#meanings[slot];
    if (meaning === undefined || !this.#isIn(slot, text, start, end)) return undefined;
    return meaning;
  }

  /** The same for a whole text, which is faster when it is the very string that was kept. */
  get(text: string): T | undefined {
    const slot = slotOf(text, 0, text.length);
    return this.#texts[slot] === text ? this.#meanings[slot] : undefined;
  }

  /**
   * To be called for what find() did not know.
   * @returns the slot for what it means, to be given to put(); -1: it is not worth keeping
   */
  claim(text: string, start: number, end: number): number {
    if (end - start > LENGTH_MAX) return -1;
    const slot = slotOf(text, start, end);
    if (this.#isIn(slot, text, start, end)) return slot;
    this.#texts[slot] = start === 0 && end === text.length ? text : text.slice(start, end);
    this.#meanings[slot] = undefined;
    return -1;
  }

  /** @param slot that claim() has just answered */
  put(slot: number, meaning: T): void {
    this.#meanings[slot] = meaning;
  }

  /** What is in a slot now. @param slot -1: none */
  at(slot: number): T | undefined {
    return slot < 0 ? undefined : this.#meanings[slot];
  }

  #isIn(slot: number, text: string, start: number, end: number): boolean {
    const kept = this.#texts[slot] as string;
    return kept.length === end - start && text.startsWith(kept, start);
  }
}

function slotOf(text: string, start: number, end: number): number {
  const length = end - start;
  let hash = length;
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const at = start + ((length * sample) >> 3) - 1;
    hash = (Math.imul(hash, 31) + (at < start ? 0 : text.charCodeAt(at))) | 0;
  }
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (SLOTS - 1);
}
