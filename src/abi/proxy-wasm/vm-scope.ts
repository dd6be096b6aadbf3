import { SharedData } from "./shared-data.ts";
import { SharedQueues } from "./shared-queue.ts";

/** What the plugins with one VM id share. */
export interface VmScope {
  readonly data: SharedData;
  /** Of all VM ids: a guest may resolve another VM's queue. */
  readonly queues: SharedQueues;
}

/** Scopes by VM id, kept as long as one plugin uses them, so that a reload does not empty them. */
export class VmScopes {
  readonly #queues = new SharedQueues();
  readonly #byVmId = new Map<string, { scope: VmScope; uses: number }>();

  acquire(vmId: string): VmScope {
    let known = this.#byVmId.get(vmId);
    if (known === undefined) {
      known = { scope: { data: new SharedData(), queues: this.#queues }, uses: 0 };
      this.#byVmId.set(vmId, known);
    }
    known.uses++;
    return known.scope;
  }

  release(vmId: string): void {
    const known = this.#byVmId.get(vmId);
    if (known === undefined || --known.uses > 0) return;
    this.#byVmId.delete(vmId);
    this.#queues.drop(vmId);
  }
}

/** The worker's. */
export const vmScopes = new VmScopes();
