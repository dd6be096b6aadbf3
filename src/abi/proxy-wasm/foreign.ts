import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

/** What leaves the ABI: functions of other hosts, and the two helpers of C++ toolchains. */
export function foreignFunctions(guest: Guest) {
  return {
    /** No foreign functions here: NotFound, and the first name that was asked for in the log. */
    proxy_call_foreign_function(namePtr: number, nameLength: number): Status {
      const name = guest.memory.latin1(namePtr, nameLength, LIMITS.guestNameBytesMax);
      if (name === undefined) return Status.InvalidMemoryAccess;
      const shown = JSON.stringify(name.slice(0, LIMITS.guestNameBytesMax));
      guest.resources.log.warnOnce("foreign", `There is no foreign function ${shown}`);
      return Status.NotFound;
    },

    /** There is one thread: equal when the numbers are. */
    pthread_equal: (a: number, b: number): number => (a === b ? 1 : 0),

    /** Every access looks for itself whether the memory has grown. */
    emscripten_notify_memory_growth(): void {},
  };
}
