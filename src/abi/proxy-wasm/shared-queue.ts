import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import type { SharedQueue } from "./shared-queues.ts";
import { refusedByStore } from "./store-status.ts";
import { Status } from "./types.ts";

/** Whether a queue is there that is not granted, only the log tells. */
function findQueue(guest: Guest, vmId: string, name: Uint8Array): SharedQueue | undefined {
  const { scope, log, host } = guest.resources;
  const queue = scope.queues.resolve(vmId, name);
  if (queue === undefined || host.mayFindQueues(vmId)) return queue;
  log.warnDenied("queues", vmId);
  return undefined;
}

export function sharedQueueFunctions(guest: Guest) {
  return { ...nameFunctions(guest), ...itemFunctions(guest) };
}

function nameFunctions(guest: Guest) {
  const { scope, log, host } = guest.resources;
  return {
    /**
     * The same name gives the same id on every worker; the plugin that asked last is the receiver.
     * @returns BadArgument for a long name; InternalFailure when there are too many queues
     */
    proxy_register_shared_queue(namePtr: number, nameLength: number, resultPtr: number): Status {
      const name = guest.memory.read(namePtr, nameLength);
      if (name === undefined || !guest.memory.contains(resultPtr, 4)) {
        return Status.InvalidMemoryAccess;
      }
      if (name.byteLength > LIMITS.guestNameBytesMax) return Status.BadArgument;
      try {
        const queue = scope.queues.register(host.vmId, name);
        if (queue === undefined || !guest.rootEvents.receive(queue.id)) {
          const bounds = `${LIMITS.sharedQueuesMax} shared queues`;
          log.warnOnce("queues", `Cannot register more than ${bounds} of one namespace`);
          return Status.InternalFailure;
        }
        guest.memory.writeU32(resultPtr, queue.id);
        return Status.Ok;
      } catch (error) {
        return refusedByStore(error, log);
      }
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
      const name = guest.memory.read(namePtr, nameLength);
      if (vmId === undefined || name === undefined || !guest.memory.contains(resultPtr, 4)) {
        return Status.InvalidMemoryAccess;
      }
      if (name.byteLength > LIMITS.guestNameBytesMax) return Status.NotFound;
      try {
        const queue = findQueue(guest, vmId === "" ? host.vmId : vmId, name);
        if (queue === undefined) return Status.NotFound;
        guest.rootEvents.resolve(queue.id);
        guest.memory.writeU32(resultPtr, queue.id);
        return Status.Ok;
      } catch (error) {
        return refusedByStore(error, log, Status.NotFound);
      }
    },
  };
}

function itemFunctions(guest: Guest) {
  const { scope, log, host } = guest.resources;
  /** Ids are small numbers: a guest may use its own VM's queues and those that it could name. */
  const queueOf = (id: number): SharedQueue | undefined => {
    const queue = scope.queues.get(id >>> 0);
    return queue?.vmId === host.vmId || guest.rootEvents.hasResolved(id >>> 0) ? queue : undefined;
  };
  return {
    /** @returns NotFound, also when the queue is full or cannot be used: a guest survives it */
    proxy_enqueue_shared_queue(id: number, ptr: number, byteLength: number): Status {
      try {
        const queue = queueOf(id);
        if (queue === undefined) return Status.NotFound;
        const item = guest.memory.read(ptr, byteLength);
        if (item === undefined) return Status.InvalidMemoryAccess;
        queue.enqueue(item);
        return Status.Ok;
      } catch (error) {
        return refusedByStore(error, log, Status.NotFound);
      }
    },

    /** @returns NotFound, also when it cannot be used; Empty */
    proxy_dequeue_shared_queue(id: number, resultPtr: number, lengthPtr: number): Status {
      let item: Uint8Array | undefined;
      try {
        const queue = queueOf(id);
        if (queue === undefined) return Status.NotFound;
        const { memory } = guest;
        if (!memory.contains(resultPtr, 4) || !memory.contains(lengthPtr, 4)) {
          return Status.InvalidMemoryAccess; // Before the item is lost.
        }
        item = queue.dequeue();
      } catch (error) {
        return refusedByStore(error, log, Status.NotFound);
      }
      return item === undefined ? Status.Empty : guest.give(item, resultPtr, lengthPtr);
    },
  };
}
