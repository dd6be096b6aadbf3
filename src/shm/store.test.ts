import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { SeededRandom } from "../base/random.testing.ts";
import { BUCKETS_AT, CHUNKS, HEADER, QUEUE, queueAt } from "./layout.ts";
import { bytes, isWhole, sealed } from "./sealed.testing.ts";
import { StoreRefusal } from "./store-refusal.ts";
import { Store } from "./store.ts";

function open(): { store: Store; words: Int32Array; memory: ArrayBuffer } {
  const memory = new ArrayBuffer(LIMITS.sharedStoreBytes);
  const store = new Store(memory, { serial: 1, isAlive: () => true });
  return { store, words: new Int32Array(memory), memory };
}

function isNotFirst(serial: number): boolean {
  return serial > 1;
}

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof StoreRefusal) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "";
}

describe("Store.set()", () => {
  test("compares and swaps, and gives every value another cas", () => {
    const { store } = open();
    expect(store.get(bytes("k"))).toBeUndefined();
    expect(store.set(bytes("k"), bytes("1"), 77)).toBe(true);
    const first = store.get(bytes("k"));
    expect(first).toEqual({ value: bytes("1"), cas: 1 });
    expect(store.set(bytes("k"), bytes("2"), 1)).toBe(true);
    expect(store.set(bytes("k"), bytes("3"), 1)).toBe(false);
    expect(store.set(bytes("k"), bytes("4"), 0)).toBe(true);
    expect(store.get(bytes("k"))).toEqual({ value: bytes("4"), cas: 3 });
  });

  test("never gives the cas 0, after four billion others", () => {
    const { store, words } = open();
    words[HEADER.lastCas] = -2; // 0xfffffffe
    for (const cas of [0xffff_ffff, 1, 2]) {
      store.set(bytes("k"), bytes(""), 0);
      expect(store.get(bytes("k"))?.cas).toBe(cas);
    }
  });

  test("agrees with a map under a random workload, and loses no room", () => {
    const { store } = open();
    const model = new Map<string, Uint8Array>();
    const random = new SeededRandom(1);
    for (let n = 0; n < 5000; n++) {
      const key = `${random.below(400)}${"x".repeat(random.below(3) * 290)}`;
      const size = random.pick([0, 1, 200, 228, 229, 480, 481, 5000]) + random.below(3);
      const value = sealed(random, size);
      expect(store.set(bytes(key), value, 0)).toBe(true);
      model.set(key, value);
    }
    for (const [key, value] of model) expect(store.get(bytes(key))?.value).toEqual(value);
    const { keys, usedChunks, freeChunks } = store.counts;
    expect(keys).toBe(model.size);
    expect(usedChunks + freeChunks).toBe(CHUNKS);
    for (const key of model.keys()) store.set(bytes(key), bytes(""), 0);
    // One chunk for each key, and up to two more where the key itself is long.
    expect(store.counts.usedChunks).toBeLessThanOrEqual(3 * model.size);
  });

  test("can always replace the largest value, however full and worn the store is", () => {
    const { store } = open();
    const random = new SeededRandom(2);
    const queue = store.makeQueue(bytes("q")) ?? -1;
    for (let n = 0; n < 4; n++) {
      const size = LIMITS.sharedQueueBytesMax / 4;
      store.enqueue(queue, new Uint8Array(size));
    }
    for (let n = 0; n < LIMITS.sharedDataKeysMax; n++) {
      store.set(bytes(`k${n}`), sealed(random, random.below(1000)), 0);
    }
    const used = store.counts.dataBytes;
    const rest = new Uint8Array(LIMITS.sharedDataBytesMax - used + bytes("k0").length);
    const first = store.get(bytes("k0"))?.value.byteLength ?? 0;
    const largest = new Uint8Array(rest.byteLength - bytes("k0").length + first);
    for (let n = 0; n < 5; n++) expect(store.set(bytes("k0"), largest, 0)).toBe(true);
    expect(refusalOf(() => store.set(bytes("k1"), new Uint8Array(2000), 0))).toStartWith(
      "SHARED_DATA_FULL: Cannot share the value: it would be 10000 keys and ",
    );
    expect(refusalOf(() => store.set(bytes("new"), bytes(""), 0))).toContain("10001 keys");
  });
});

describe("Store.enqueue()", () => {
  test("keeps items in order, of any size", () => {
    const { store } = open();
    const queue = store.makeQueue(bytes("q")) ?? -1;
    expect(store.makeQueue(bytes("q"))).toBe(queue);
    expect(store.findQueue(bytes("q"))).toBe(queue);
    expect(store.findQueue(bytes("r"))).toBeUndefined();
    const random = new SeededRandom(3);
    const items = Array.from({ length: 200 }, () => sealed(random, random.below(2000)));
    for (const item of items) store.enqueue(queue, item);
    for (const item of items) expect(store.dequeue(queue)).toEqual(item);
    expect(store.dequeue(queue)).toBeUndefined();
    expect(store.counts.usedChunks).toBe(1); // The name.
  });

  test("bounds items, bytes, queues, and the memory of all queues", () => {
    const { store } = open();
    const { sharedQueueItemsMax, sharedQueueBytesMax, sharedQueuesMax } = LIMITS;
    const few = store.makeQueue(bytes("few")) ?? -1;
    store.enqueue(few, new Uint8Array(sharedQueueBytesMax));
    expect(refusalOf(() => store.enqueue(few, bytes("1")))).toBe(
      "SHARED_QUEUE_FULL: Cannot add to the shared queue: it would hold 2 items and 4194305 " +
        "bytes, at most 10000 and 4194304; take items out as fast as they come in",
    );
    const many = store.makeQueue(bytes("many")) ?? -1;
    for (let n = 0; n < sharedQueueItemsMax; n++) store.enqueue(many, bytes(""));
    expect(refusalOf(() => store.enqueue(many, bytes("")))).toContain("10001 items");
    for (let n = 2; n < sharedQueuesMax; n++) expect(store.makeQueue(bytes(`q${n}`))).toBe(n);
    expect(store.makeQueue(bytes("more"))).toBeUndefined();
    let filled = 2;
    const fill = (): void => {
      for (; filled < 20; filled++) store.enqueue(filled, new Uint8Array(sharedQueueBytesMax));
    };
    expect(refusalOf(fill)).toContain("25165824 bytes");
    expect(filled).toBe(6); // 4 of 4 MiB besides the two that are full.
    // Shared data has a part of its own.
    expect(store.set(bytes("k"), new Uint8Array(LIMITS.sharedDataBytesMax - 1), 0)).toBe(true);
  });
});

describe("Store, receivers", () => {
  test("wakes who has registered last, once until it has looked; of what waits as well", () => {
    const memory = new ArrayBuffer(LIMITS.sharedStoreBytes);
    const alive = new Set([1, 2]);
    const isAlive = (serial: number): boolean => alive.has(serial);
    const one = new Store(memory, { serial: 1, isAlive });
    const two = new Store(memory, { serial: 2, isAlive });
    const queue = one.makeQueue(bytes("q")) ?? -1;
    expect(one.enqueue(queue, bytes("early"))).toBe(0);
    one.receive(queue);
    two.receive(queue);
    expect(one.enqueue(queue, bytes("a"))).toBe(2);
    expect(one.enqueue(queue, bytes("b"))).toBe(0); // The message is under way.
    expect([two.claim(queue), two.claim(queue), two.claim(queue)]).toEqual([true, true, true]);
    expect([two.claim(queue), one.claim(queue)]).toEqual([false, false]);
    expect(two.keepReceiving(queue, 0)).toBe(1); // All three still wait.
    expect([one.hasUntold(queue), two.hasUntold(queue)]).toEqual([true, false]);
    two.receive(queue);
    alive.delete(2);
    one.bury();
    expect(one.hasUntold(queue)).toBe(true);
    for (let n = 0; n < 3; n++) one.dequeue(queue);
    expect(one.claim(queue)).toBe(false); // Of what is gone there is nothing to tell.
  });

  test("bounds how many processes want to be told", () => {
    const memory = new ArrayBuffer(LIMITS.sharedStoreBytes);
    const isAlive = isNotFirst;
    const queue = new Store(memory, { serial: 1, isAlive }).makeQueue(bytes("q")) ?? -1;
    const receive = (serial: number) => new Store(memory, { serial, isAlive }).receive(queue);
    const { sharedQueueReceiversMax } = LIMITS;
    for (let n = 1; n <= sharedQueueReceiversMax; n++) expect(receive(n)).toBe(n);
    // The first one is dead, and gives its place to another one.
    expect(receive(sharedQueueReceiversMax + 1)).toBe(sharedQueueReceiversMax + 1);
    expect(receive(sharedQueueReceiversMax + 2)).toBeUndefined();
  });
});

describe("Store, receivers that come and go for years", () => {
  test("are told, whatever the count of registrations is", () => {
    const { store, words, memory } = open();
    const queue = store.makeQueue(bytes("q")) ?? -1;
    const other = new Store(memory, { serial: 2, isAlive: () => true });
    words[HEADER.registrations] = 2 ** 31 - 2;
    for (let n = 0; n < 3; n++) {
      store.receive(queue);
      expect(other.enqueue(queue, bytes("x"))).toBe(1);
      other.receive(queue);
      expect(store.enqueue(queue, bytes("x"))).toBe(2);
    }
    words[HEADER.registrations] = -1; // 0xffffffff
    expect(store.receive(queue)).toBe(1); // 0 would mean that it does not want to be told.
    expect(other.hasUntold(queue)).toBe(true);
  });
});

describe("Store, repair", () => {
  test("keeps what can be reached and frees what cannot", () => {
    const { store, words } = open();
    const random = new SeededRandom(5);
    for (let n = 0; n < 500; n++) store.set(bytes(`k${n}`), sealed(random, n * 3), 0);
    const queue = store.makeQueue(bytes("q")) ?? -1;
    for (let n = 0; n < 10; n++) store.enqueue(queue, sealed(random, 700));
    const before = store.counts;
    // As if its last user had died: nothing but links is to be relied on.
    words.fill(-1, HEADER.free, HEADER.free + 1);
    words[HEADER.usedChunks] = 7;
    words[HEADER.keys] = 0;
    words[HEADER.writing] = 1;
    words[queueAt(queue) + QUEUE.tail] = 0;
    expect(store.counts).toEqual({ ...before, repairs: 1 });
    for (let n = 0; n < 500; n++) {
      const value = store.get(bytes(`k${n}`))?.value ?? new Uint8Array();
      expect(value.byteLength).toBe(n * 3 + 4);
      expect(isWhole(value)).toBe(true);
    }
    store.enqueue(queue, bytes("last"));
    for (let n = 0; n < 10; n++) expect(isWhole(store.dequeue(queue) ?? bytes(""))).toBe(true);
    expect(store.dequeue(queue)).toEqual(bytes("last"));
  });

  test("has the receiver told of all that waits", () => {
    const { store, words } = open();
    const queue = store.makeQueue(bytes("q")) ?? -1;
    store.receive(queue);
    store.enqueue(queue, bytes("a"));
    store.claim(queue);
    expect(store.hasUntold(queue)).toBe(false);
    words[HEADER.writing] = 1;
    expect(store.counts.repairs).toBe(1);
    expect(store.hasUntold(queue)).toBe(true);
    expect(store.enqueue(queue, bytes("b"))).toBe(1);
    expect([store.claim(queue), store.claim(queue), store.claim(queue)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(store.enqueue(queue, bytes("c"))).toBe(1); // It has looked: the next one is a message.
  });

  test("gives no chunk away twice that was taken when the frontier was not yet moved", () => {
    const { store, words } = open();
    for (let n = 0; n < 10; n++) store.set(bytes(`k${n}`), bytes("v"), 0);
    words[HEADER.frontier] = 3;
    words[HEADER.writing] = 1;
    for (let n = 10; n < 30; n++) store.set(bytes(`k${n}`), bytes("v"), 0);
    for (let n = 0; n < 30; n++) expect(store.get(bytes(`k${n}`))?.value).toEqual(bytes("v"));
  });

  test("cuts off what leads to no block, and ends", () => {
    const { store, words } = open();
    for (let n = 0; n < 100; n++) store.set(bytes(`k${n}`), bytes("v"), 0);
    for (const [bucket, block] of [-5, 2 ** 30, 1, 1].entries()) words[BUCKETS_AT + bucket] = block;
    words[HEADER.writing] = 1;
    const { keys, usedChunks, freeChunks } = store.counts;
    expect(keys).toBeGreaterThan(90);
    expect(usedChunks).toBe(keys);
    expect(usedChunks + freeChunks).toBe(CHUNKS);
  });
});

describe("Store, lock", () => {
  test("takes over from the dead, and repairs what they were changing", () => {
    const memory = new ArrayBuffer(LIMITS.sharedStoreBytes);
    const words = new Int32Array(memory);
    const store = new Store(memory, { serial: 1, isAlive: (serial) => serial === 1 });
    words[HEADER.lock] = 9;
    words[HEADER.writing] = 1;
    expect(store.set(bytes("k"), bytes("v"), 0)).toBe(true);
    expect(store.counts.repairs).toBe(1);
    expect(words[HEADER.lock]).toBe(0);
  });

  test("takes back what a call of its own has left behind", () => {
    const { store, words } = open();
    store.settle();
    expect(store.counts.repairs).toBe(0);
    words[HEADER.lock] = 1;
    words[HEADER.writing] = 1;
    store.settle();
    expect(words[HEADER.lock]).toBe(0);
    expect(store.counts.repairs).toBe(1);
  });

  test("does not wait for ever for the living, and not long for the same one again", () => {
    const { store, words } = open();
    words[HEADER.lock] = 2;
    const startedMs = performance.now();
    const message = refusalOf(() => store.get(bytes("k")));
    expect(message).toStartWith("SHARED_STORE_BUSY: Cannot use the shared store: another worker");
    const waitedMs = performance.now() - startedMs;
    expect(waitedMs).toBeGreaterThanOrEqual(LIMITS.sharedLockMsMax);
    for (let n = 0; n < 10; n++) expect(refusalOf(() => store.get(bytes("k")))).toContain("BUSY");
    expect(performance.now() - startedMs - waitedMs).toBeLessThan(LIMITS.sharedLockMsMax);
    words[HEADER.lock] = 0;
    expect(store.get(bytes("k"))).toBeUndefined();
  });
});
