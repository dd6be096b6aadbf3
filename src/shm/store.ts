import { Chunks, noMarks } from "./chunks.ts";
import { type Entry, DataTable } from "./data-table.ts";
import { HEADER } from "./layout.ts";
import { QueueTable } from "./queue-table.ts";
import { StoreLock } from "./store-lock.ts";

/** Who works in a store. */
export interface StoreUser {
  /** Of this process, and of no other one ever; not 0. */
  readonly serial: number;
  /** Whether the process with that serial number still runs. */
  readonly isAlive: (serial: number) => boolean;
}

/** What a store holds, for tests and status pages. */
export interface StoreCounts {
  readonly keys: number;
  readonly dataBytes: number;
  readonly usedChunks: number;
  readonly freeChunks: number;
  readonly repairs: number;
}

/**
 * Shared data and queues of one VM id, in memory that several processes may have mapped. Every
 * call takes the store's lock and does its work without waiting for anything else.
 *
 * A process that is killed in the middle leaves the word `writing` set: whoever comes next keeps
 * what can be reached from buckets and queues, and makes everything else anew from that.
 */
export class Store {
  readonly #words: Int32Array;
  readonly #lock: StoreLock;
  readonly #user: StoreUser;
  readonly #chunks: Chunks;
  readonly #data: DataTable;
  readonly #queues: QueueTable;

  /** @param memory LIMITS.sharedStoreBytes, zeros at first */
  constructor(memory: ArrayBuffer, user: StoreUser) {
    this.#words = new Int32Array(memory);
    this.#lock = new StoreLock(this.#words, user.serial, user.isAlive);
    this.#user = user;
    this.#chunks = new Chunks(this.#words);
    this.#data = new DataTable(this.#words, this.#chunks);
    this.#queues = new QueueTable(this.#words, this.#chunks);
  }

  /** @throws StoreRefusal SHARED_STORE_BUSY, as every call here */
  get(key: Uint8Array): Entry | undefined {
    this.#enter();
    try {
      return this.#data.get(key);
    } finally {
      this.#lock.leave();
    }
  }

  /**
   * Sets a value when nobody has set it since `cas` was read.
   * @param cas u32; 0: whatever is there; it is not looked at either when nothing is there
   * @returns false when somebody has
   * @throws StoreRefusal SHARED_DATA_FULL
   */
  set(key: Uint8Array, value: Uint8Array, cas: number): boolean {
    this.#enter();
    try {
      return this.#data.set(key, value, cas);
    } finally {
      this.#lock.leave();
    }
  }

  findQueue(name: Uint8Array): number | undefined {
    return this.#within(() => this.#queues.find(name));
  }

  /** @returns the queue of that name, made when it is new; undefined when there are too many */
  makeQueue(name: Uint8Array): number | undefined {
    return this.#within(() => this.#queues.make(name));
  }

  /** Without the lock: a queue that is there stays. */
  hasQueue(queue: number): boolean {
    return this.#queues.has(queue);
  }

  /**
   * @returns the process that has to be woken for it, by its serial number; 0: none
   * @throws StoreRefusal SHARED_QUEUE_FULL
   */
  enqueue(queue: number, item: Uint8Array): number {
    return this.#within(() => {
      this.#queues.enqueue(queue, item);
      return this.#queues.ring(queue) ? this.#queues.receiver(queue) : 0;
    });
  }

  dequeue(queue: number): Uint8Array | undefined {
    return this.#within(() => this.#queues.dequeue(queue));
  }

  /**
   * This process is about to tell its receiver of one item.
   * @returns false when there is nothing to tell of, or when it is for another process to tell
   */
  claim(queue: number): boolean {
    return this.#within(
      () => this.#queues.receiver(queue) === this.#user.serial && this.#queues.claim(queue),
    );
  }

  /** Whether claim() would find something now; without the lock. */
  hasUntold(queue: number): boolean {
    const isOurs = this.#queues.receiver(queue) === this.#user.serial;
    return isOurs && this.#queues.untold(queue) > 0;
  }

  /**
   * From now on this process is the one that is told.
   * @returns by which number keepReceiving() knows it; undefined when there are too many processes
   */
  receive(queue: number): number | undefined {
    return this.#within(() => {
      this.#queues.bury(queue, this.#user.isAlive);
      const order = this.#queues.takeOrder();
      return this.#queues.place(queue, this.#user.serial, order) ? order : undefined;
    });
  }

  /**
   * The last one of this process that has registered is now an earlier one, or none is left.
   * @param order what receive() has returned then; 0: none
   * @returns the process that has to be woken because it is told now; 0: none
   */
  keepReceiving(queue: number, order: number): number {
    return this.#within(() => {
      this.#queues.place(queue, this.#user.serial, order);
      if (this.#queues.items(queue) === 0) return 0;
      return this.#queues.ring(queue) ? this.#queues.receiver(queue) : 0;
    });
  }

  /** Some process has ended: whoever registered before it is told in its place. */
  bury(): void {
    this.#within(() => {
      for (let queue = 0; this.#queues.has(queue); queue++) {
        this.#queues.bury(queue, this.#user.isAlive);
      }
    });
  }

  /** Mends what a call of this process has left behind that was ended by an exception. */
  settle(): void {
    if (this.#lock.isLeftBehind) this.#within(() => {});
  }

  get counts(): StoreCounts {
    return this.#within(() => ({
      keys: this.#words[HEADER.keys] ?? 0,
      dataBytes: this.#words[HEADER.dataBytes] ?? 0,
      usedChunks: this.#words[HEADER.usedChunks] ?? 0,
      freeChunks: this.#chunks.free,
      repairs: this.#words[HEADER.repairs] ?? 0,
    }));
  }

  #within<T>(work: () => T): T {
    this.#enter();
    try {
      return work();
    } finally {
      this.#lock.leave();
    }
  }

  #enter(): void {
    this.#lock.enter();
    if (this.#words[HEADER.writing] === 0) return;
    try {
      this.#repair();
    } catch (error) {
      this.#lock.leave(); // Still to be repaired, by whoever comes next.
      throw error;
    }
  }

  #repair(): void {
    const marks = noMarks();
    this.#data.repair(marks);
    this.#queues.repair(marks);
    this.#chunks.sweep(marks);
    this.#words[HEADER.repairs] = (this.#words[HEADER.repairs] ?? 0) + 1;
    Atomics.store(this.#words, HEADER.writing, 0);
  }
}
