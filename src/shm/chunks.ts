import { assert } from "../base/assert.ts";
import {
  BLOCK,
  CHUNK_BYTES,
  CHUNKS,
  chunkAt,
  chunksFor,
  FIRST_HEAD_BYTES,
  HEADER,
  NEXT_HEAD_BYTES,
} from "./layout.ts";

/** What a block holds. */
export interface BlockContent {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly hash: number;
  readonly cas: number;
}

/**
 * Blocks in the chunks of a store. A block is written once, before anything leads to it, and never
 * changed but for its link. For who holds the store's lock.
 */
export class Chunks {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(words: Int32Array) {
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  }

  /** How many can still be used. */
  get free(): number {
    return CHUNKS - this.#word(HEADER.usedChunks);
  }

  /** @returns the new block, to which nothing leads yet; there must be room for it */
  write({ key, value, hash, cas }: BlockContent): number {
    const byteLength = key.byteLength + value.byteLength;
    const block = this.#take(chunksFor(byteLength));
    const at = chunkAt(block);
    this.#words[at + BLOCK.link] = 0;
    this.#words[at + BLOCK.keyLength] = key.byteLength;
    this.#words[at + BLOCK.valueLength] = value.byteLength;
    this.#words[at + BLOCK.hash] = hash;
    this.#words[at + BLOCK.cas] = cas;
    const start = 4 * at + FIRST_HEAD_BYTES;
    if (byteLength <= CHUNK_BYTES - FIRST_HEAD_BYTES) {
      this.#bytes.set(key, start);
      this.#bytes.set(value, start + key.byteLength);
      return block;
    }
    let place = { chunk: block, at: FIRST_HEAD_BYTES };
    for (const source of [key, value]) {
      place = this.#walk(place, source.byteLength, (offset, done, count) => {
        this.#bytes.set(source.subarray(done, done + count), offset);
      });
    }
    return block;
  }

  /** A chain of new chunks. */
  #take(count: number): number {
    assert(count <= this.free, `Cannot take ${count} chunks: ${this.free} are free`);
    let first = 0;
    for (let n = 0; n < count; n++) {
      let chunk = this.#word(HEADER.free);
      if (chunk === 0) {
        chunk = this.#word(HEADER.frontier) + 1;
        this.#words[HEADER.frontier] = chunk;
      } else {
        this.#words[HEADER.free] = this.#next(chunk);
      }
      this.#words[chunkAt(chunk) + BLOCK.next] = first;
      first = chunk;
    }
    this.#words[HEADER.usedChunks] = this.#word(HEADER.usedChunks) + count;
    return first;
  }

  /** Nothing may lead to it any more. */
  release(block: number): void {
    const count = this.chunksOf(block);
    let last = block;
    for (let n = 1; n < count; n++) last = this.#next(last);
    this.#words[chunkAt(last) + BLOCK.next] = this.#word(HEADER.free);
    this.#words[HEADER.free] = block;
    this.#words[HEADER.usedChunks] = this.#word(HEADER.usedChunks) - count;
  }

  chunksOf(block: number): number {
    return chunksFor(this.byteLength(block));
  }

  /** Bytes of key and value. */
  byteLength(block: number): number {
    return this.#keyLength(block) + this.#valueLength(block);
  }

  cas(block: number): number {
    return this.#word(chunkAt(block) + BLOCK.cas) >>> 0;
  }

  /** Word of the block's link, which leads to another block. */
  linkAt(block: number): number {
    return chunkAt(block) + BLOCK.link;
  }

  hasKey(block: number, key: Uint8Array, hash: number): boolean {
    if (this.#word(chunkAt(block) + BLOCK.hash) !== hash) return false;
    if (this.#keyLength(block) !== key.byteLength) return false;
    if (key.byteLength <= CHUNK_BYTES - FIRST_HEAD_BYTES) {
      return this.#isSame(key, 4 * chunkAt(block) + FIRST_HEAD_BYTES, 0, key.byteLength);
    }
    let isSame = true;
    this.#walk({ chunk: block, at: FIRST_HEAD_BYTES }, key.byteLength, (offset, done, count) => {
      isSame &&= this.#isSame(key, offset, done, count);
    });
    return isSame;
  }

  /** By hand: a call of the engine's takes longer than comparing some forty bytes. */
  #isSame(key: Uint8Array, offset: number, done: number, count: number): boolean {
    const bytes = this.#bytes;
    for (let at = 0; at < count; at++) if (bytes[offset + at] !== key[done + at]) return false;
    return true;
  }

  /** A copy. */
  value(block: number): Uint8Array {
    const keyLength = this.#keyLength(block);
    const byteLength = this.#valueLength(block);
    if (keyLength + byteLength <= CHUNK_BYTES - FIRST_HEAD_BYTES) {
      const start = 4 * chunkAt(block) + FIRST_HEAD_BYTES + keyLength;
      return this.#bytes.slice(start, start + byteLength);
    }
    const value = new Uint8Array(byteLength);
    const start = this.#walk({ chunk: block, at: FIRST_HEAD_BYTES }, keyLength, () => {});
    this.#walk(start, byteLength, (offset, done, count) => {
      value.set(this.#bytes.subarray(offset, offset + count), done);
    });
    return value;
  }

  /**
   * Marks the block's chunks as used.
   * @returns false, having marked nothing, when it is no block or one of them is marked already
   */
  mark(block: number, marks: Uint8Array): boolean {
    if (!isChunk(block)) return false;
    const count = this.chunksOf(block);
    if (count > CHUNKS || this.#keyLength(block) < 0 || this.#valueLength(block) < 0) return false;
    let chunk = block;
    for (let n = 0; n < count; n++) {
      if (!isChunk(chunk) || marks[chunk] !== 0) return this.#unmark(block, n, marks);
      marks[chunk] = 1;
      chunk = this.#next(chunk);
    }
    return true;
  }

  #unmark(block: number, count: number, marks: Uint8Array): false {
    let chunk = block;
    for (let n = 0; n < count; n++) {
      marks[chunk] = 0;
      chunk = this.#next(chunk);
    }
    return false;
  }

  /** All that is not marked is free again. */
  sweep(marks: Uint8Array): void {
    const frontier = Math.max(this.#word(HEADER.frontier), marks.lastIndexOf(1));
    let free = 0;
    let used = 0;
    for (let chunk = frontier; chunk > 0; chunk--) {
      if (marks[chunk] !== 0) {
        used++;
        continue;
      }
      this.#words[chunkAt(chunk) + BLOCK.next] = free;
      free = chunk;
    }
    this.#words[HEADER.free] = free;
    this.#words[HEADER.frontier] = frontier;
    this.#words[HEADER.usedChunks] = used;
  }

  /** Calls for each stretch of the next `byteLength` bytes. @returns the place behind them */
  #walk(
    place: { readonly chunk: number; readonly at: number },
    byteLength: number,
    visit: (offset: number, done: number, count: number) => void,
  ): { chunk: number; at: number } {
    let { chunk, at } = place;
    for (let done = 0; done < byteLength;) {
      if (at === CHUNK_BYTES) {
        chunk = this.#next(chunk);
        at = NEXT_HEAD_BYTES;
      }
      const count = Math.min(CHUNK_BYTES - at, byteLength - done);
      visit(4 * chunkAt(chunk) + at, done, count);
      at += count;
      done += count;
    }
    return { chunk, at };
  }

  #next(chunk: number): number {
    return this.#word(chunkAt(chunk) + BLOCK.next);
  }

  #keyLength(block: number): number {
    return this.#word(chunkAt(block) + BLOCK.keyLength);
  }

  #valueLength(block: number): number {
    return this.#word(chunkAt(block) + BLOCK.valueLength);
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}

function isChunk(chunk: number): boolean {
  return chunk > 0 && chunk <= CHUNKS;
}

/** As many marks as there are chunks, none of them set. */
export function noMarks(): Uint8Array {
  return new Uint8Array(CHUNKS + 1);
}

/** FNV-1a, as a signed word. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5 | 0;
  for (let at = 0; at < bytes.byteLength; at++) {
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x0100_0193);
  }
  return hash;
}
