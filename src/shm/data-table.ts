import { LIMITS } from "../base/limits.ts";
import { type Chunks, hashOf } from "./chunks.ts";
import { BUCKETS, BUCKETS_AT, HEADER } from "./layout.ts";
import { StoreRefusal } from "./store-refusal.ts";

export interface Entry {
  /** A copy. */
  readonly value: Uint8Array;
  /** u32, never 0. */
  readonly cas: number;
}

/**
 * Keys and values of a store: a hash table whose entries are blocks, linked in each bucket. A set
 * writes a new block and puts it into the place of the old one by a single atomic store, so that
 * whoever dies in the middle leaves the one or the other. For who holds the store's lock.
 */
export class DataTable {
  readonly #words: Int32Array;
  readonly #chunks: Chunks;
  /** Word that leads to what #find() has found, or to which a new block has to be linked. */
  #linkAt = 0;

  constructor(words: Int32Array, chunks: Chunks) {
    this.#words = words;
    this.#chunks = chunks;
  }

  get(key: Uint8Array): Entry | undefined {
    const block = this.#find(key, hashOf(key));
    if (block === 0) return undefined;
    return { value: this.#chunks.value(block), cas: this.#chunks.cas(block) };
  }

  /**
   * Sets a value when nobody has set it since `cas` was read.
   * @param cas 0: whatever is there; it is not looked at either when nothing is there
   * @returns false when somebody has
   * @throws StoreRefusal SHARED_DATA_FULL
   */
  set(key: Uint8Array, value: Uint8Array, cas: number): boolean {
    const words = this.#words;
    const hash = hashOf(key);
    const old = this.#find(key, hash);
    if (old !== 0 && cas !== 0 && cas !== this.#chunks.cas(old)) return false;
    const linkAt = this.#linkAt;
    const keys = this.#word(HEADER.keys) + (old === 0 ? 1 : 0);
    const freed = old === 0 ? 0 : this.#chunks.byteLength(old);
    const bytes = this.#word(HEADER.dataBytes) - freed + key.byteLength + value.byteLength;
    checkRoom(keys, bytes);
    Atomics.store(words, HEADER.writing, 1);
    const block = this.#chunks.write({ key, value, hash, cas: this.#takeCas() });
    if (old !== 0) words[this.#chunks.linkAt(block)] = this.#word(this.#chunks.linkAt(old));
    Atomics.store(words, linkAt, block);
    if (old !== 0) this.#chunks.release(old);
    words[HEADER.keys] = keys;
    words[HEADER.dataBytes] = bytes;
    Atomics.store(words, HEADER.writing, 0);
    return true;
  }

  /** Marks all blocks and counts them anew. */
  repair(marks: Uint8Array): void {
    let keys = 0;
    let bytes = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      let linkAt = BUCKETS_AT + bucket;
      for (let block = this.#word(linkAt); block !== 0; block = this.#word(linkAt)) {
        if (!this.#chunks.mark(block, marks)) {
          Atomics.store(this.#words, linkAt, 0);
          break;
        }
        keys++;
        bytes += this.#chunks.byteLength(block);
        linkAt = this.#chunks.linkAt(block);
      }
    }
    this.#words[HEADER.keys] = keys;
    this.#words[HEADER.dataBytes] = bytes;
  }

  #find(key: Uint8Array, hash: number): number {
    let linkAt = BUCKETS_AT + (hash & (BUCKETS - 1));
    let block = this.#word(linkAt);
    while (block !== 0 && !this.#chunks.hasKey(block, key, hash)) {
      linkAt = this.#chunks.linkAt(block);
      block = this.#word(linkAt);
    }
    this.#linkAt = linkAt;
    return block;
  }

  /** Never 0, which stands for "whatever is there". */
  #takeCas(): number {
    const last = this.#word(HEADER.lastCas) >>> 0;
    const cas = last >= 0xffff_ffff ? 1 : last + 1;
    this.#words[HEADER.lastCas] = cas;
    return cas;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}

function checkRoom(keys: number, bytes: number): void {
  if (keys <= LIMITS.sharedDataKeysMax && bytes <= LIMITS.sharedDataBytesMax) return;
  const { sharedDataKeysMax, sharedDataBytesMax } = LIMITS;
  const wanted = `it would be ${keys} keys and ${bytes} bytes`;
  throw new StoreRefusal(
    "SHARED_DATA_FULL",
    `Cannot share the value: ${wanted}, at most ${sharedDataKeysMax} and ${sharedDataBytesMax}; ` +
      "use fewer or shorter keys and values, or another namespace",
  );
}
