/** Shared queues between workers: here two of them in one process, on one file. */
import { describe, expect, spyOn, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { systemLibc } from "../../base/libc.ts";
import { LIMITS } from "../../base/limits.ts";
import { HEADER } from "../../shm/layout.ts";
import { SharedFile } from "../../shm/shared-file.ts";
import { StoreNames } from "../../shm/store-names.ts";
import { StoreRefusal } from "../../shm/store-refusal.ts";
import { Store } from "../../shm/store.ts";
import { ScriptedGuest } from "./testing.ts";
import type { Receiver, SharedQueue } from "./shared-queues.ts";
import { VmScopes } from "./vm-scope.ts";

const NAME = new TextEncoder().encode("q");
const ITEM = new TextEncoder().encode("x");

describe("SharedQueue.leave()", () => {
  test("gives the queue back to the worker that had registered before", async () => {
    const { one, two, told } = workers();
    one.queue.receive(one.receiver);
    two.queue.receive(two.receiver);
    two.queue.enqueue(ITEM);
    await eventLoop();
    two.queue.leave(two.receiver);
    await eventLoop();
    expect(told).toEqual(["two", "one"]); // Nobody knows what two has made of it.
    two.queue.enqueue(ITEM);
    await eventLoop();
    expect(told).toEqual(["two", "one", "one"]);
  });

  test("does so later when the store is blocked", async () => {
    const { one, two, told } = workers();
    one.queue.receive(one.receiver);
    two.queue.receive(two.receiver);
    const blocked = spyOn(Store.prototype, "keepReceiving").mockImplementationOnce(() => {
      throw new StoreRefusal("SHARED_STORE_BUSY", "Cannot use the shared store");
    });
    two.queue.leave(two.receiver);
    blocked.mockRestore();
    one.queue.enqueue(ITEM);
    await eventLoop();
    expect(told).toEqual([]);
    two.scopes.queues.look();
    await eventLoop();
    expect(told).toEqual(["one"]);
  });

  test("ends it for a receiver that has registered more than once", async () => {
    const { one, told } = workers();
    for (let n = 0; n < 3; n++) one.queue.receive(one.receiver);
    one.queue.leave(one.receiver);
    one.queue.enqueue(ITEM);
    await eventLoop();
    expect(told).toEqual([]);
    expect(one.queue.hasReceivers).toBe(false);
  });
});

describe("SharedQueues.bury()", () => {
  test("tells the next one of what waits, and nobody twice who stays the receiver", async () => {
    const { one, two, told, alive } = workers();
    one.queue.receive(one.receiver);
    two.queue.receive(two.receiver);
    one.queue.enqueue(ITEM);
    await eventLoop();
    two.scopes.queues.bury(); // Some third one has ended.
    await eventLoop();
    expect(told).toEqual(["two"]);
    alive.delete(2);
    one.scopes.queues.bury();
    await eventLoop();
    expect(told).toEqual(["two", "one"]);
  });
});

describe("SharedQueues.look()", () => {
  test("finds what a message that was lost would have told of", async () => {
    const { one, two, told, messages } = workers();
    two.queue.receive(two.receiver);
    await eventLoop(); // It looks at once whether something waits.
    messages.areLost = true;
    one.queue.enqueue(ITEM);
    await eventLoop();
    expect(told).toEqual([]);
    two.scopes.queues.look();
    await eventLoop();
    expect(told).toEqual(["two"]);
  });
});

describe("SharedQueues.forgetClosed()", () => {
  test("forgets the queues of a namespace that is gone, whose ids mean nothing then", () => {
    const { one, names } = workers();
    one.scopes.release("vm");
    expect(one.scopes.queues.get(one.queue.id)).toBe(one.queue);
    one.scopes.name(names.name(["other"]));
    expect(one.scopes.queues.get(one.queue.id)).toBeUndefined();
  });
});

describe("SharedQueues.settle()", () => {
  test("mends at a guest's end what a call of it has left in the middle of a change", () => {
    const { one, words } = workers();
    const { guest } = new ScriptedGuest({}, "0.2.1", one.scopes);
    words[HEADER.lock] = 1;
    words[HEADER.writing] = 1;
    guest.stop(new GatewayError("FILTER_FAILED", "It has failed"));
    expect([words[HEADER.lock], words[HEADER.writing]]).toEqual([0, 0]);
  });
});

interface Worker {
  readonly scopes: VmScopes;
  readonly queue: SharedQueue;
  readonly receiver: Receiver;
}

/** Serial numbers 1 and 2; a message to the other one arrives at once unless it is lost. */
function workers() {
  const libc = systemLibc();
  const file = libc && SharedFile.create(libc);
  if (file === undefined) throw new Error("Cannot test this elsewhere than on Linux");
  const alive = new Set([1, 2]);
  const isHeldElsewhere = (mark: number): boolean => alive.has(mark);
  const names = new StoreNames(file);
  const places = names.name(["vm"]);
  const told: string[] = [];
  const messages = { areLost: false };
  const all = new Map<number, VmScopes>();
  const start = (serial: number, name: string): Worker => {
    const scopes = new VmScopes();
    all.set(serial, scopes);
    const memory = { file: Object.assign(file, { isHeldElsewhere }), serial };
    scopes.share(memory, (to, id) => {
      if (!messages.areLost) all.get(to)?.queues.wake(id);
    });
    scopes.name(places);
    const queue = scopes.acquire("vm").queues.register("vm", NAME);
    if (queue === undefined) throw new Error("there is no queue");
    return { scopes, queue, receiver: { isReady: true, tell: () => void told.push(name) } };
  };
  const [one, two] = [start(1, "one"), start(2, "two")];
  const words = new Int32Array(file.map(0, LIMITS.sharedStoreBytes) ?? []);
  return { one, two, told, messages, alive, names, words };
}

async function eventLoop(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
}
