import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

interface Entry {
  readonly value: Uint8Array;
  readonly cas: number;
}

/** Keys and values that the plugins of one VM id share, with compare-and-swap; on this worker. */
export class SharedData {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #lastCas = 0;

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /**
   * Sets a value when nobody has set it since `cas` was read.
   * @param cas 0: whatever is there; it is not looked at either when nothing is there
   * @param value kept as it is: hand over a copy
   * @returns CasMismatch; InternalFailure above LIMITS.sharedDataBytesMax or sharedDataKeysMax
   */
  set(key: string, value: Uint8Array, cas: number): Status {
    const old = this.#entries.get(key);
    if (old !== undefined && cas !== 0 && cas !== old.cas) return Status.CasMismatch;
    if (old === undefined && this.#entries.size >= LIMITS.sharedDataKeysMax) {
      return Status.InternalFailure;
    }
    const freed = old === undefined ? 0 : key.length + old.value.byteLength;
    const bytes = this.#bytes - freed + key.length + value.byteLength;
    if (bytes > LIMITS.sharedDataBytesMax) return Status.InternalFailure;
    this.#bytes = bytes;
    this.#entries.set(key, { value, cas: this.#takeCas() });
    return Status.Ok;
  }

  /** Never 0, which stands for "whatever is there". */
  #takeCas(): number {
    this.#lastCas = this.#lastCas >= 0xffff_ffff ? 1 : this.#lastCas + 1;
    return this.#lastCas;
  }
}

export function sharedDataFunctions(guest: Guest) {
  const { scope, log } = guest.resources;
  return {
    proxy_get_shared_data(
      keyPtr: number,
      keyLength: number,
      resultPtr: number,
      lengthPtr: number,
      casPtr: number,
    ): Status {
      const { memory } = guest;
      const key = memory.latin1(keyPtr, keyLength, LIMITS.guestNameBytesMax);
      if (key === undefined || !memory.contains(casPtr, 4)) return Status.InvalidMemoryAccess;
      const entry = scope.data.get(key);
      if (entry === undefined) return Status.NotFound;
      const status = guest.give(entry.value, resultPtr, lengthPtr);
      if (status === Status.Ok) memory.writeU32(casPtr, entry.cas);
      return status;
    },

    /** @returns BadArgument for a key longer than LIMITS.guestNameBytesMax; else what set() says */
    proxy_set_shared_data(
      keyPtr: number,
      keyLength: number,
      valuePtr: number,
      valueLength: number,
      cas: number,
    ): Status {
      const key = guest.memory.latin1(keyPtr, keyLength, LIMITS.guestNameBytesMax);
      const value = guest.memory.read(valuePtr, valueLength);
      if (key === undefined || value === undefined) return Status.InvalidMemoryAccess;
      if (key.length > LIMITS.guestNameBytesMax) return Status.BadArgument;
      if (value.byteLength > LIMITS.guestBytesMax) return Status.BadArgument;
      const status = scope.data.set(key, new Uint8Array(value), cas >>> 0);
      if (status === Status.InternalFailure) {
        const { sharedDataBytesMax, sharedDataKeysMax } = LIMITS;
        log.warnOnce(
          "shared data",
          `Cannot share more than ${sharedDataKeysMax} keys or ${sharedDataBytesMax} bytes`,
        );
      }
      return status;
    },
  };
}
