import type { Places } from "../../shm/place.ts";
import type { Store } from "../../shm/store.ts";
import { type SharedMemory, Stores } from "../../shm/stores.ts";
import { SharedQueues } from "./shared-queues.ts";

/** What the plugins with one VM id share. */
export interface VmScope {
  /** Their data and queues: of all workers, where there is shared memory. */
  readonly store: Store;
  /** Of all VM ids: a guest may resolve another VM's queue. */
  readonly queues: SharedQueues;
}

/**
 * Scopes by VM id. What they hold is kept as long as one plugin here uses them, or the
 * configuration has that VM id, so that a reload does not empty them.
 */
export class VmScopes {
  readonly #stores = new Stores();
  readonly queues: SharedQueues;

  /** @param nowMs clock by which events of queues leave time to others */
  constructor(nowMs?: () => number) {
    this.queues = new SharedQueues(this.#stores, nowMs);
  }

  /**
   * From now on stores are those of all workers; before anything was acquired.
   * @param wake has that process look into that queue
   * @returns false when the kernel refuses
   */
  share(memory: SharedMemory, wake: (serial: number, queueId: number) => void): boolean {
    this.queues.wakeOthers = wake;
    return this.#stores.share(memory);
  }

  /** Where the stores of these VM ids are. */
  name(places: Places): void {
    this.#stores.name(places);
    this.queues.forgetClosed();
  }

  acquire(vmId: string): VmScope {
    const named = this.#stores.acquire(vmId);
    const { queues } = this;
    return {
      get store() {
        return named.store;
      },
      queues,
    };
  }

  release(vmId: string): void {
    this.#stores.release(vmId);
    this.queues.forgetClosed();
  }
}

/** The worker's. */
export const vmScopes = new VmScopes();
