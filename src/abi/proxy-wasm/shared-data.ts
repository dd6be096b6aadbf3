import { LIMITS } from "../../base/limits.ts";
import type { Entry } from "../../shm/data-table.ts";
import type { Guest } from "./guest.ts";
import { refusedByStore } from "./store-status.ts";
import { Status } from "./types.ts";

/** Keys and values that the plugins of one VM id share on all workers, with compare-and-swap. */
export function sharedDataFunctions(guest: Guest) {
  const { scope, log } = guest.resources;
  return {
    /** @returns NotFound; InternalFailure when the store cannot be used */
    proxy_get_shared_data(
      keyPtr: number,
      keyLength: number,
      resultPtr: number,
      lengthPtr: number,
      casPtr: number,
    ): Status {
      const { memory } = guest;
      const key = memory.read(keyPtr, keyLength);
      if (key === undefined || !memory.contains(casPtr, 4)) return Status.InvalidMemoryAccess;
      if (key.byteLength > LIMITS.sharedKeyBytesMax) return Status.NotFound;
      let entry: Entry | undefined;
      try {
        entry = scope.store.get(key);
      } catch (error) {
        return refusedByStore(error, log);
      }
      if (entry === undefined) return Status.NotFound;
      const status = guest.give(entry.value, resultPtr, lengthPtr);
      if (status === Status.Ok) memory.writeU32(casPtr, entry.cas);
      return status;
    },

    /**
     * @param cas 0: whatever is there; it is not looked at either when nothing is there
     * @returns CasMismatch; BadArgument for a key longer than LIMITS.sharedKeyBytesMax or a value
     * longer than guestBytesMax; InternalFailure when the store is full or cannot be used
     */
    proxy_set_shared_data(
      keyPtr: number,
      keyLength: number,
      valuePtr: number,
      valueLength: number,
      cas: number,
    ): Status {
      const key = guest.memory.read(keyPtr, keyLength);
      const value = guest.memory.read(valuePtr, valueLength);
      if (key === undefined || value === undefined) return Status.InvalidMemoryAccess;
      if (key.byteLength > LIMITS.sharedKeyBytesMax) return Status.BadArgument;
      if (value.byteLength > LIMITS.guestBytesMax) return Status.BadArgument;
      try {
        return scope.store.set(key, value, cas >>> 0) ? Status.Ok : Status.CasMismatch;
      } catch (error) {
        return refusedByStore(error, log);
      }
    },
  };
}
