import { systemLibc } from "../base/libc.ts";
import { log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Places } from "../shm/place.ts";
import { SharedFile } from "../shm/shared-file.ts";
import { StoreNames } from "../shm/store-names.ts";

/** The descriptor by which a worker finds the shared file: the first behind the standard ones. */
export const SHARED_FD = 3;

/**
 * The master's side of shared data and queues: the file that its workers inherit, their serial
 * numbers, and which namespace has which part of it. It never works in a store itself, so no worker
 * ever waits for it.
 */
export class StoreLender {
  /** Undefined: there is no memory that processes could share here. */
  readonly file: SharedFile | undefined;
  readonly #names: StoreNames | undefined;
  #serial = 0;
  #hasWarned = false;

  constructor(file: SharedFile | undefined) {
    this.file = file;
    this.#names = file === undefined ? undefined : new StoreNames(file);
  }

  /** For another worker; no two ever have the same. */
  takeSerial(): number {
    return ++this.#serial;
  }

  /**
   * Where the stores of a configuration are; it is about to be tried.
   * @throws RangeError when there are too many namespaces
   */
  name(config: Config): Places {
    return this.#names?.name(namespacesOf(config)) ?? {};
  }

  /** That configuration serves; what only others have named ends when no worker uses it. */
  keepOnly(config: Config): void {
    this.#names?.keepOnly(namespacesOf(config));
    if (this.file !== undefined || config.workers === 1 || this.#hasWarned) return;
    this.#hasWarned = true;
    log.warn(
      "there is no shared memory on this system: each worker has shared data and queues of its " +
        "own; set workers: 1 where plugins need one for all",
    );
  }

  /** Gives back the memory of what nobody uses any more; for once in a while. */
  sweep(): void {
    this.#names?.sweep();
  }
}

/** Undefined where processes cannot share memory, or where nobody could tell who is dead. */
export function createLentFile(): SharedFile | undefined {
  const libc = systemLibc();
  return libc === undefined ? undefined : SharedFile.create(libc);
}

function namespacesOf(config: Config): Set<string> {
  return new Set(config.plugins.map(({ allow }) => allow.namespace));
}
