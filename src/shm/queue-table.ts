import { LIMITS } from "../base/limits.ts";
import { type Chunks, hashOf } from "./chunks.ts";
import {
  chunksFor,
  CHUNK_BYTES,
  HEADER,
  QUEUE,
  QUEUE_WORDS,
  queueAt,
  RECEIVER,
  RECEIVER_WORDS,
  receiversAt,
} from "./layout.ts";
import { StoreRefusal } from "./store-refusal.ts";

const NOTHING = new Uint8Array();
const QUEUE_CHUNKS_MAX = Math.floor(LIMITS.sharedQueueStoreBytesMax / CHUNK_BYTES);

/**
 * The queues of a store, by number from 0 up: linked blocks, each put in and taken out by a single
 * atomic store; and which process is told of what comes in. For who holds the store's lock.
 *
 * Whenever another one is to be told, it is told of all items that wait: nobody knows what its
 * predecessor has made of those that it had been told of.
 */
export class QueueTable {
  readonly #words: Int32Array;
  readonly #chunks: Chunks;

  constructor(words: Int32Array, chunks: Chunks) {
    this.#words = words;
    this.#chunks = chunks;
  }

  find(name: Uint8Array): number | undefined {
    const hash = hashOf(name);
    for (let queue = 0; queue < LIMITS.sharedQueuesMax; queue++) {
      const block = this.#field(queue, QUEUE.name);
      if (block !== 0 && this.#chunks.hasKey(block, name, hash)) return queue;
    }
    return undefined;
  }

  has(queue: number): boolean {
    return queue >= 0 && queue < LIMITS.sharedQueuesMax && this.#field(queue, QUEUE.name) !== 0;
  }

  /** @returns the queue of that name, made when it is new; undefined when there are too many */
  make(name: Uint8Array): number | undefined {
    const known = this.find(name);
    if (known !== undefined) return known;
    for (let queue = 0; queue < LIMITS.sharedQueuesMax; queue++) {
      if (this.has(queue)) continue;
      const count = chunksFor(name.byteLength);
      if (!this.#hasRoom(count)) return undefined;
      Atomics.store(this.#words, HEADER.writing, 1);
      const block = this.#chunks.write({ key: name, value: NOTHING, hash: hashOf(name), cas: 0 });
      this.#addChunks(count);
      Atomics.store(this.#words, queueAt(queue) + QUEUE.name, block);
      Atomics.store(this.#words, HEADER.writing, 0);
      return queue;
    }
    return undefined;
  }

  /** @throws StoreRefusal SHARED_QUEUE_FULL */
  enqueue(queue: number, item: Uint8Array): void {
    const words = this.#words;
    const at = queueAt(queue);
    const items = this.#field(queue, QUEUE.items);
    const bytes = this.#field(queue, QUEUE.bytes) + item.byteLength;
    const count = chunksFor(item.byteLength);
    this.#checkRoom(items + 1, bytes, count);
    const { head, tail } = { head: words[at + QUEUE.head] ?? 0, tail: words[at + QUEUE.tail] ?? 0 };
    Atomics.store(words, HEADER.writing, 1);
    const block = this.#chunks.write({ key: NOTHING, value: item, hash: 0, cas: 0 });
    this.#addChunks(count);
    Atomics.store(words, head === 0 ? at + QUEUE.head : this.#chunks.linkAt(tail), block);
    words[at + QUEUE.tail] = block;
    words[at + QUEUE.items] = items + 1;
    words[at + QUEUE.bytes] = bytes;
    words[at + QUEUE.untold] = this.#field(queue, QUEUE.untold) + 1;
    Atomics.store(words, HEADER.writing, 0);
  }

  /** The oldest item, which is in the queue no more. */
  dequeue(queue: number): Uint8Array | undefined {
    const words = this.#words;
    const at = queueAt(queue);
    const block = this.#field(queue, QUEUE.head);
    if (block === 0) return undefined;
    const item = this.#chunks.value(block);
    const items = this.#field(queue, QUEUE.items) - 1;
    Atomics.store(words, HEADER.writing, 1);
    Atomics.store(words, at + QUEUE.head, words[this.#chunks.linkAt(block)] ?? 0);
    words[at + QUEUE.items] = items;
    words[at + QUEUE.bytes] = this.#field(queue, QUEUE.bytes) - item.byteLength;
    // Of what was taken out meanwhile there is nothing to tell.
    words[at + QUEUE.untold] = Math.min(this.#field(queue, QUEUE.untold), items);
    this.#addChunks(-this.#chunks.chunksOf(block));
    this.#chunks.release(block);
    Atomics.store(words, HEADER.writing, 0);
    return item;
  }

  items(queue: number): number {
    return this.#field(queue, QUEUE.items);
  }

  /** Serial number of the process that is told; 0: nobody. */
  receiver(queue: number): number {
    return this.#field(queue, QUEUE.receiver);
  }

  untold(queue: number): number {
    return this.#field(queue, QUEUE.untold);
  }

  /** @returns whether the receiver has to be sent a message now: it has not been sent one */
  ring(queue: number): boolean {
    const at = queueAt(queue);
    const isSilent = this.#field(queue, QUEUE.rung) === 0;
    this.#words[at + QUEUE.rung] = 1;
    return isSilent;
  }

  /** The receiver is about to tell of one item. @returns false when there is nothing to tell of */
  claim(queue: number): boolean {
    const at = queueAt(queue);
    this.#words[at + QUEUE.rung] = 0;
    const untold = this.#field(queue, QUEUE.untold);
    if (untold <= 0) return false;
    this.#words[at + QUEUE.untold] = untold - 1;
    return true;
  }

  /**
   * A u32 for place(), higher than all before it; never 0. It starts again after four billion, and
   * then those that have a high one are told until they end.
   */
  takeOrder(): number {
    const last = (this.#words[HEADER.registrations] ?? 0) >>> 0;
    const order = last >= 0xffff_ffff ? 1 : last + 1;
    this.#words[HEADER.registrations] = order;
    return order;
  }

  /**
   * Notes when a process has registered last; 0: it does not want to be told any more. The one with
   * the highest order is told.
   * @returns false when there are too many
   */
  place(queue: number, serial: number, order: number): boolean {
    const words = this.#words;
    let free = -1;
    let found = -1;
    const { start, end } = placesOf(queue);
    for (let at = start; at < end; at += RECEIVER_WORDS) {
      const owner = words[at + RECEIVER.serial] ?? 0;
      if (owner === serial) found = at;
      else if (owner === 0 && free < 0) free = at;
    }
    if (order === 0) {
      if (found >= 0) words[found + RECEIVER.serial] = 0;
    } else {
      const at = found >= 0 ? found : free;
      if (at < 0) return false;
      words[at + RECEIVER.order] = order;
      words[at + RECEIVER.serial] = serial;
    }
    this.#chooseReceiver(queue, order !== 0);
    return true;
  }

  /** Forgets the processes that want to be told and have ended. */
  bury(queue: number, isAlive: (serial: number) => boolean): void {
    const { start, end } = placesOf(queue);
    for (let at = start; at < end; at += RECEIVER_WORDS) {
      const serial = this.#words[at + RECEIVER.serial] ?? 0;
      if (serial !== 0 && !isAlive(serial)) this.#words[at + RECEIVER.serial] = 0;
    }
    this.#chooseReceiver(queue, false);
  }

  #chooseReceiver(queue: number, isNew: boolean): void {
    const words = this.#words;
    let receiver = 0;
    let last = 0;
    const { start, end } = placesOf(queue);
    for (let at = start; at < end; at += RECEIVER_WORDS) {
      const serial = words[at + RECEIVER.serial] ?? 0;
      const order = (words[at + RECEIVER.order] ?? 0) >>> 0;
      if (serial === 0 || order <= last) continue;
      last = order;
      receiver = serial;
    }
    if (receiver === this.receiver(queue) && !isNew) return;
    const at = queueAt(queue);
    words[at + QUEUE.untold] = this.#field(queue, QUEUE.items);
    words[at + QUEUE.rung] = 0;
    // Last: who is killed before it leaves the old one there, and the next has to choose again.
    Atomics.store(words, at + QUEUE.receiver, receiver);
  }

  /** Marks all blocks and counts them anew; who is told, is told of all items. */
  repair(marks: Uint8Array): void {
    this.#words[HEADER.queueChunks] = 0;
    for (let queue = 0; queue < LIMITS.sharedQueuesMax; queue++) {
      const at = queueAt(queue);
      const name = this.#field(queue, QUEUE.name);
      if (name === 0 || !this.#chunks.mark(name, marks)) {
        this.#words.fill(0, at, at + QUEUE_WORDS);
        continue;
      }
      this.#addChunks(this.#chunks.chunksOf(name));
      this.#repairItems(queue, marks);
      this.#chooseReceiver(queue, true);
    }
  }

  #repairItems(queue: number, marks: Uint8Array): void {
    const words = this.#words;
    const at = queueAt(queue);
    let linkAt = at + QUEUE.head;
    let [tail, items, bytes] = [0, 0, 0];
    for (let block = words[linkAt] ?? 0; block !== 0; block = words[linkAt] ?? 0) {
      if (!this.#chunks.mark(block, marks)) {
        Atomics.store(words, linkAt, 0);
        break;
      }
      items++;
      bytes += this.#chunks.byteLength(block);
      this.#addChunks(this.#chunks.chunksOf(block));
      tail = block;
      linkAt = this.#chunks.linkAt(block);
    }
    words[at + QUEUE.tail] = tail;
    words[at + QUEUE.items] = items;
    words[at + QUEUE.bytes] = bytes;
  }

  #hasRoom(count: number): boolean {
    return (this.#words[HEADER.queueChunks] ?? 0) + count <= QUEUE_CHUNKS_MAX;
  }

  #addChunks(count: number): void {
    this.#words[HEADER.queueChunks] = (this.#words[HEADER.queueChunks] ?? 0) + count;
  }

  #checkRoom(items: number, bytes: number, count: number): void {
    const hasRoom = this.#hasRoom(count);
    const fits = items <= LIMITS.sharedQueueItemsMax && bytes <= LIMITS.sharedQueueBytesMax;
    if (hasRoom && fits) return;
    const { sharedQueueItemsMax, sharedQueueBytesMax, sharedQueueStoreBytesMax } = LIMITS;
    const most = `at most ${sharedQueueItemsMax} and ${sharedQueueBytesMax}`;
    const why = hasRoom
      ? `it would hold ${items} items and ${bytes} bytes, ${most}`
      : `all queues of its namespace take ${sharedQueueStoreBytesMax} bytes of memory, no more`;
    const hint = "take items out as fast as they come in";
    throw new StoreRefusal("SHARED_QUEUE_FULL", `Cannot add to the shared queue: ${why}; ${hint}`);
  }

  #field(queue: number, field: number): number {
    return this.#words[queueAt(queue) + field] ?? 0;
  }
}

/** From the first word of the places for receivers to behind the last one. */
function placesOf(queue: number): { start: number; end: number } {
  const start = receiversAt(queue);
  return { start, end: start + LIMITS.sharedQueueReceiversMax * RECEIVER_WORDS };
}
