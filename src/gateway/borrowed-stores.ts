import type { VmScopes } from "../abi/proxy-wasm/vm-scope.ts";
import { systemLibc } from "../base/libc.ts";
import { log } from "../base/log.ts";
import type { Places } from "../shm/place.ts";
import { SharedFile } from "../shm/shared-file.ts";
import type { LentStores } from "./messages.ts";
import { SHARED_FD } from "./store-lender.ts";

/**
 * A worker's side of shared data and queues: the stores of the generation that serves, and besides
 * those of the one that is about to.
 */
export class BorrowedStores {
  readonly #scopes: VmScopes;
  readonly #wake: (serial: number, queueId: number) => void;
  #isShared = false;
  #serving: Places = {};
  #prepared: Places = {};

  constructor(scopes: VmScopes, wake: (serial: number, queueId: number) => void) {
    this.#scopes = scopes;
    this.#wake = wake;
  }

  /** @param lent undefined in a trial, and where there is no shared memory */
  prepare(lent: LentStores | undefined): void {
    if (lent === undefined) return;
    this.#isShared ||= this.#share(lent.serial);
    if (!this.#isShared) return;
    this.#prepared = lent.places;
    this.#scopes.name({ ...this.#serving, ...this.#prepared });
  }

  /** The generation that was prepared serves. */
  commit(): void {
    this.#serving = this.#prepared;
    this.#scopes.name(this.#serving);
  }

  /** There is no other generation than the one that serves. */
  abort(): void {
    this.#prepared = this.#serving;
    this.#scopes.name(this.#serving);
  }

  #share(serial: number): boolean {
    const libc = systemLibc();
    const isShared =
      libc !== undefined &&
      this.#scopes.share({ file: new SharedFile(SHARED_FD, libc), serial }, this.#wake);
    if (!isShared) log.error("Cannot use shared memory: shared data and queues are this worker's");
    return isShared;
  }
}
