import { describe, expect, spyOn, test } from "bun:test";
import { GatewayError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { StoreRefusal } from "../../shm/store-refusal.ts";
import { SharedQueue } from "./shared-queues.ts";
import { BAD, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";
import { VmScopes } from "./vm-scope.ts";

describe("proxy_register_shared_queue()", () => {
  test("gives a name one id, which resolves, and which is not another name's", () => {
    const { register, resolve } = open();
    const id = register("q");
    expect(id).toBeGreaterThan(0);
    expect(register("q")).toBe(id);
    expect(resolve("", "q")).toBe(id);
    expect(resolve("vm", "q")).toBe(id);
    expect(register("r")).not.toBe(id);
  });
});

describe("proxy_enqueue_shared_queue()", () => {
  test("keeps items in order and tells the receiver later, once for each", async () => {
    const told: unknown[] = [];
    const { kit, register, enqueue, dequeue } = open({
      proxy_on_queue_ready: (...args) => void told.push(args.slice(0, 2)),
    });
    const id = register("q");
    enqueue(id, "one");
    enqueue(id, "two");
    expect(told).toEqual([]); // Not from inside the guest.
    // In one turn, unless the first takes long: then the second has the next one.
    for (let turn = 0; turn < 4; turn++) await eventLoop();
    expect(told).toEqual([
      [1, id],
      [1, id],
    ]);
    expect(dequeue(id)).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe("one");
    expect(dequeue(id)).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe("two");
    expect(dequeue(id)).toBe(Status.Empty);
  });

  test("tells who has registered last", async () => {
    const scopes = new VmScopes();
    const told: string[] = [];
    const first = open({ proxy_on_queue_ready: () => void told.push("first") }, scopes);
    const second = open({ proxy_on_queue_ready: () => void told.push("second") }, scopes);
    const id = first.register("q");
    second.register("q");
    first.enqueue(id, "x");
    await eventLoop();
    expect(told).toEqual(["second"]);
  });

  test("tells who had registered before when the last one is gone", async () => {
    const scopes = new VmScopes();
    const told: string[] = [];
    const first = open({ proxy_on_queue_ready: () => void told.push("first") }, scopes);
    const second = open({ proxy_on_queue_ready: () => void told.push("second") }, scopes);
    const id = first.register("q");
    second.register("q");
    second.kit.guest.stop(new GatewayError("FILTER_FAILED", "It is closed"));
    first.enqueue(id, "x");
    await eventLoop();
    expect(told).toEqual(["first"]);
  });

  test("does not take a queue back for a guest that is put back to its image", async () => {
    const scopes = new VmScopes();
    const told: string[] = [];
    const first = open({ proxy_on_queue_ready: () => void told.push("first") }, scopes);
    const second = open({ proxy_on_queue_ready: () => void told.push("second") }, scopes);
    const id = first.register("q");
    second.register("q");
    first.kit.guest.rootEvents.adopt(first.kit.guest.rootEvents.state);
    first.enqueue(id, "x");
    await eventLoop();
    expect(told).toEqual(["second"]);
  });

  test("tells a guest that takes over while the store is blocked, when it is not", async () => {
    const scopes = new VmScopes();
    const told: string[] = [];
    const first = open({ proxy_on_queue_ready: () => void told.push("first") }, scopes);
    const second = open({ proxy_on_queue_ready: () => void told.push("second") }, scopes);
    const gone = open({ proxy_on_queue_ready: () => void told.push("gone") }, scopes);
    const id = first.register("q");
    const { state } = first.kit.guest.rootEvents;
    const receive = spyOn(SharedQueue.prototype, "receive");
    for (const { kit } of [second, gone]) {
      receive.mockImplementationOnce(() => {
        throw new StoreRefusal("SHARED_STORE_BUSY", "Cannot use the shared store");
      });
      kit.guest.rootEvents.adopt(state);
      expect(kit.guest.rootEvents.state.received).toEqual(new Set());
    }
    receive.mockRestore();
    gone.kit.guest.rootEvents.end();
    first.kit.guest.rootEvents.end();
    first.enqueue(id, "x");
    while (told.length === 0) await Bun.sleep(10);
    expect(told).toEqual(["second"]);
    expect(second.kit.guest.rootEvents.state.received).toEqual(new Set([id]));
  });

  test("does not tell of what has been taken meanwhile", async () => {
    const told: number[] = [];
    const { register, enqueue, dequeue } = open({
      proxy_on_queue_ready: (_, id = 0) => void told.push(id),
    });
    const id = register("q");
    for (let n = 0; n < 1000; n++) {
      enqueue(id, "x");
      dequeue(id);
    }
    await eventLoop();
    expect(told).toEqual([]);
  });
});

describe("shared queues, errors", () => {
  test("answers NotFound for ids and names that are not there", () => {
    const { kit, enqueue, dequeue } = open();
    expect(enqueue(7, "x")).toBe(Status.NotFound);
    expect(dequeue(7)).toBe(Status.NotFound);
    const resolve = kit.within(undefined, (env) =>
      env.proxy_resolve_shared_queue(0, 0, ...kit.put("q"), OUT),
    );
    expect(resolve).toBe(Status.NotFound);
  });

  test("does not let a guest use the queue of another VM by its number", () => {
    const scopes = new VmScopes();
    const other = scopes.acquire("other").queues.register("other", bytes("q"));
    const { kit, enqueue, resolve } = open({}, scopes);
    const id = other?.id ?? 0;
    expect(enqueue(id, "x")).toBe(Status.NotFound);
    kit.host.findable = ["vm", "other"];
    expect(resolve("other", "q")).toBe(id); // By its name it may.
    expect(enqueue(id, "x")).toBe(Status.Ok);
  });

  test("finds no queue of a VM that is not granted, and says so once", () => {
    const scopes = new VmScopes();
    scopes.acquire("other").queues.register("other", bytes("q"));
    const { kit, enqueue } = open({}, scopes);
    const find = (vmId: string, name: string): number =>
      kit.within(undefined, (env) =>
        env.proxy_resolve_shared_queue(...kit.put(vmId), ...kit.put(name), OUT),
      );
    expect(find("other", "q")).toBe(Status.NotFound);
    expect(find("other", "q")).toBe(Status.NotFound);
    expect(enqueue(1, "x")).toBe(Status.NotFound);
    expect(kit.host.logged).toEqual(['warn: denied queues "other"']);
    // What is not there at all is no denial.
    expect(find("other", "r")).toBe(Status.NotFound);
    expect(kit.host.logged).toHaveLength(1);
  });

  test("checks every address, and loses no item over it", () => {
    const { kit, register, enqueue, dequeue } = open();
    const id = register("q");
    enqueue(id, "item");
    kit.within(undefined, (env) => {
      const bad = Status.InvalidMemoryAccess;
      const name = kit.put("q");
      expect(env.proxy_register_shared_queue(BAD, 1, OUT)).toBe(bad);
      expect(env.proxy_register_shared_queue(...name, BAD)).toBe(bad);
      expect(env.proxy_resolve_shared_queue(BAD, 1, ...name, OUT)).toBe(bad);
      expect(env.proxy_resolve_shared_queue(0, 0, BAD, 1, OUT)).toBe(bad);
      expect(env.proxy_resolve_shared_queue(0, 0, ...name, BAD)).toBe(bad);
      expect(env.proxy_enqueue_shared_queue(id, BAD, 1)).toBe(bad);
      expect(env.proxy_dequeue_shared_queue(id, BAD, OUT)).toBe(bad);
      expect(env.proxy_dequeue_shared_queue(id, OUT, BAD)).toBe(bad);
    });
    expect(dequeue(id)).toBe(Status.Ok);
  });

  test("answers NotFound when a queue is full, and names the error once", () => {
    const { kit, register, enqueue, dequeue } = open();
    const id = register("q");
    for (let n = 0; n < LIMITS.sharedQueueItemsMax; n++) {
      kit.guest.resources.scope.queues.get(id)?.enqueue(new Uint8Array());
    }
    expect(enqueue(id, "")).toBe(Status.NotFound);
    expect(enqueue(id, "")).toBe(Status.NotFound);
    expect(dequeue(id)).toBe(Status.Ok);
    expect(enqueue(id, "")).toBe(Status.Ok);
    expect(kit.host.logged).toEqual([
      expect.stringMatching(/^warn: Cannot add .*10001 items.*\[SHARED_QUEUE_FULL\]$/),
    ]);
  });

  test("refuses a long name, and says once that there are too many queues", () => {
    const { kit, register } = open();
    for (let n = 0; n < LIMITS.sharedQueuesMax; n++) register(`q${n}`);
    kit.within(undefined, (env) => {
      const long = kit.put("n".repeat(LIMITS.guestNameBytesMax + 1));
      expect(env.proxy_register_shared_queue(...long, OUT)).toBe(Status.BadArgument);
      const full = env.proxy_register_shared_queue(...kit.put("more"), OUT);
      expect(full).toBe(Status.InternalFailure);
    });
    expect(kit.host.logged).toHaveLength(1);
  });

  test("drops the queues of a VM id that nobody uses any more", () => {
    const scopes = new VmScopes();
    const id = scopes.acquire("vm").queues.register("vm", bytes("q"))?.id;
    scopes.release("vm");
    expect(scopes.acquire("vm").queues.resolve("vm", bytes("q"))).toBeUndefined();
    expect(scopes.acquire("vm").queues.register("vm", bytes("q"))?.id).not.toBe(id);
  });
});

describe("a guest that is put back to its image", () => {
  test("knows the queues of other VMs that it knew then, and no others", () => {
    const { rootEvents } = open().kit.guest;
    const unaware = rootEvents.state;
    rootEvents.resolve(7);
    const aware = rootEvents.state;
    rootEvents.adopt(unaware);
    expect(rootEvents.hasResolved(7)).toBe(false);
    rootEvents.adopt(aware);
    expect(rootEvents.hasResolved(7)).toBe(true);
    rootEvents.resolve(8);
    rootEvents.adopt(aware);
    expect([7, 8].map((id) => rootEvents.hasResolved(id))).toEqual([true, false]);
  });

  test("is not told of a queue that it registered for since", async () => {
    const scopes = new VmScopes();
    const told: string[] = [];
    const first = open({ proxy_on_queue_ready: () => void told.push("first") }, scopes);
    const second = open({ proxy_on_queue_ready: () => void told.push("second") }, scopes);
    const { state } = second.kit.guest.rootEvents;
    const id = first.register("q");
    second.register("q");
    second.kit.guest.rootEvents.adopt(state);
    first.enqueue(id, "x");
    await eventLoop();
    expect(told).toEqual(["first"]);
  });

  test("does not take over later what it could not take over before", async () => {
    const scopes = new VmScopes();
    const first = open({}, scopes);
    const { rootEvents } = open({}, scopes).kit.guest;
    const none = rootEvents.state;
    first.register("q");
    const receive = spyOn(SharedQueue.prototype, "receive");
    receive.mockImplementation(() => {
      throw new StoreRefusal("SHARED_STORE_BUSY", "Cannot use the shared store");
    });
    rootEvents.adopt(first.kit.guest.rootEvents.state);
    rootEvents.adopt(none);
    const { length } = receive.mock.calls;
    receive.mockRestore();
    // What would be tried again is tried within this time.
    const untilMs = performance.now() + 1.5 * LIMITS.sharedLockMsMax;
    while (performance.now() < untilMs) await Bun.sleep(10);
    expect(length).toBe(1);
    expect(rootEvents.state.received).toEqual(new Set());
  });
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Queues tell by setImmediate(); one that is asked for later runs later. */
function eventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function open(
  scripts: Record<string, (...args: number[]) => number | void> = {},
  scopes?: VmScopes,
) {
  const kit = new ScriptedGuest(scripts, "0.2.1", scopes);
  return {
    kit,
    register: (name: string): number => {
      const status = kit.within(undefined, (env) =>
        env.proxy_register_shared_queue(...kit.put(name), OUT),
      );
      expect(status).toBe(Status.Ok);
      return kit.u32(OUT);
    },
    resolve: (vmId: string, name: string): number => {
      const status = kit.within(undefined, (env) =>
        env.proxy_resolve_shared_queue(...kit.put(vmId), ...kit.put(name), OUT),
      );
      expect(status).toBe(Status.Ok);
      return kit.u32(OUT);
    },
    enqueue: (id: number, item: string) =>
      kit.within(undefined, (env) => env.proxy_enqueue_shared_queue(id, ...kit.put(item))),
    dequeue: (id: number) =>
      kit.within(undefined, (env) => env.proxy_dequeue_shared_queue(id, OUT, OUT + 4)),
  };
}
