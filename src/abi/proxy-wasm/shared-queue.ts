import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import { QueueTurns, type Telling } from "./queue-turns.ts";
import { Status } from "./types.ts";

/** Called from the event loop, once for every item that is still there. */
export type Receiver = (queueId: number) => void;

/** A queue of bytes; whoever registered it last is told of what comes in. On this worker. */
export class SharedQueue implements Telling {
  readonly id: number;
  readonly vmId: string;
  /** Who has registered and is still there, one for each such guest; the last one is told. */
  readonly #receivers: Receiver[] = [];
  readonly #items: Uint8Array[] = [];
  #bytes = 0;
  #untold = 0;
  #isWaiting = false;
  readonly #turns: QueueTurns;

  constructor(id: number, vmId: string, turns: QueueTurns) {
    this.id = id;
    this.vmId = vmId;
    this.#turns = turns;
  }

  /** From now on it is the one that is told. */
  receive(receiver: Receiver): void {
    this.leave(receiver);
    this.#receivers.push(receiver);
  }

  /**
   * It is gone, and whoever registered before it is told again: a new generation's plugin takes a
   * queue over while it is being built, and must give it back when it never gets to serve.
   */
  leave(receiver: Receiver): void {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
  }

  /** @param item kept as it is: hand over a copy. @returns false when the queue is full */
  enqueue(item: Uint8Array): boolean {
    if (this.#items.length >= LIMITS.sharedQueueItemsMax) return false;
    if (this.#bytes + item.byteLength > LIMITS.sharedQueueBytesMax) return false;
    this.#items.push(item);
    this.#bytes += item.byteLength;
    this.#untold++;
    if (!this.#isWaiting) this.#turns.add(this);
    this.#isWaiting = true;
    return true;
  }

  dequeue(): Uint8Array | undefined {
    const item = this.#items.shift();
    if (item !== undefined) this.#bytes -= item.byteLength;
    return item;
  }

  tell(): boolean {
    if (this.#items.length > 0) {
      this.#untold--;
      this.#receivers.at(-1)?.(this.id);
    }
    // Of what was taken out meanwhile there is nothing to tell.
    this.#untold = Math.min(this.#untold, this.#items.length);
    this.#isWaiting = this.#untold > 0;
    return this.#isWaiting;
  }
}

/** All queues of this worker; a name belongs to a VM id. */
export class SharedQueues {
  readonly #byId = new Map<number, SharedQueue>();
  readonly #ids = new Map<string, number>();
  readonly #turns = new QueueTurns();
  #lastId = 0;

  /** @returns the queue of that name, made when it is new; undefined when the VM has too many */
  register(vmId: string, name: string): SharedQueue | undefined {
    const known = this.resolve(vmId, name);
    if (known !== undefined) return known;
    let owned = 0;
    for (const queue of this.#byId.values()) if (queue.vmId === vmId) owned++;
    if (owned >= LIMITS.sharedQueuesMax) return undefined;
    const queue = new SharedQueue(++this.#lastId, vmId, this.#turns);
    this.#byId.set(queue.id, queue);
    this.#ids.set(keyOf(vmId, name), queue.id);
    return queue;
  }

  resolve(vmId: string, name: string): SharedQueue | undefined {
    return this.get(this.#ids.get(keyOf(vmId, name)) ?? 0);
  }

  get(id: number): SharedQueue | undefined {
    return this.#byId.get(id);
  }

  /** The last plugin with that VM id is gone. */
  drop(vmId: string): void {
    for (const [key, id] of this.#ids) {
      if (this.#byId.get(id)?.vmId !== vmId) continue;
      this.#byId.delete(id);
      this.#ids.delete(key);
    }
  }
}

/** Whether a queue is there that is not granted, only the log tells. */
function findQueue(guest: Guest, vmId: string, name: string): SharedQueue | undefined {
  const { scope, log, host } = guest.resources;
  const queue = scope.queues.resolve(vmId, name);
  if (queue === undefined || host.mayFindQueues(vmId)) return queue;
  log.warnDenied("queues", vmId);
  return undefined;
}

function keyOf(vmId: string, name: string): string {
  return JSON.stringify([vmId, name]);
}

export function sharedQueueFunctions(guest: Guest) {
  const { scope, log, host } = guest.resources;
  /** Ids are small numbers: a guest may use its own VM's queues and those that it could name. */
  const queueOf = (id: number): SharedQueue | undefined => {
    const queue = scope.queues.get(id);
    return queue?.vmId === host.vmId || guest.rootEvents.hasResolved(id) ? queue : undefined;
  };
  return {
    /** The same name gives the same id; the plugin that asked last is the receiver. */
    proxy_register_shared_queue(namePtr: number, nameLength: number, resultPtr: number): Status {
      const name = guest.memory.latin1(namePtr, nameLength, LIMITS.guestNameBytesMax);
      if (name === undefined || !guest.memory.contains(resultPtr, 4)) {
        return Status.InvalidMemoryAccess;
      }
      if (name.length > LIMITS.guestNameBytesMax) return Status.BadArgument;
      const queue = scope.queues.register(host.vmId, name);
      if (queue === undefined) {
        log.warnOnce("queues", `Cannot register more than ${LIMITS.sharedQueuesMax} shared queues`);
        return Status.InternalFailure;
      }
      guest.rootEvents.receive(queue.id);
      guest.memory.writeU32(resultPtr, queue.id);
      return Status.Ok;
    },

    /** An empty VM id means the guest's own. @returns NotFound, also for what is not granted */
    proxy_resolve_shared_queue(
      vmPtr: number,
      vmLength: number,
      namePtr: number,
      nameLength: number,
      resultPtr: number,
    ): Status {
      const vmId = guest.memory.latin1(vmPtr, vmLength, LIMITS.guestNameBytesMax);
      const name = guest.memory.latin1(namePtr, nameLength, LIMITS.guestNameBytesMax);
      if (vmId === undefined || name === undefined || !guest.memory.contains(resultPtr, 4)) {
        return Status.InvalidMemoryAccess;
      }
      const queue = findQueue(guest, vmId === "" ? host.vmId : vmId, name);
      if (queue === undefined) return Status.NotFound;
      guest.rootEvents.resolve(queue.id);
      guest.memory.writeU32(resultPtr, queue.id);
      return Status.Ok;
    },

    /** @returns NotFound, InternalFailure when the queue is full */
    proxy_enqueue_shared_queue(id: number, ptr: number, byteLength: number): Status {
      const queue = queueOf(id);
      if (queue === undefined) return Status.NotFound;
      if (!guest.memory.contains(ptr, byteLength)) return Status.InvalidMemoryAccess;
      // A whole memory must not be copied only to be refused.
      const fits = byteLength >>> 0 <= LIMITS.sharedQueueBytesMax;
      const item = fits ? guest.memory.copy(ptr, byteLength) : undefined;
      if (item !== undefined && queue.enqueue(item)) return Status.Ok;
      const { sharedQueueItemsMax, sharedQueueBytesMax } = LIMITS;
      log.warnOnce(
        "full queue",
        `A shared queue is full: ${sharedQueueItemsMax} items or ${sharedQueueBytesMax} bytes`,
      );
      return Status.InternalFailure;
    },

    /** @returns NotFound, Empty */
    proxy_dequeue_shared_queue(id: number, resultPtr: number, lengthPtr: number): Status {
      const queue = queueOf(id);
      if (queue === undefined) return Status.NotFound;
      const { memory } = guest;
      if (!memory.contains(resultPtr, 4) || !memory.contains(lengthPtr, 4)) {
        return Status.InvalidMemoryAccess; // Before the item is lost.
      }
      const item = queue.dequeue();
      return item === undefined ? Status.Empty : guest.give(item, resultPtr, lengthPtr);
    },
  };
}
