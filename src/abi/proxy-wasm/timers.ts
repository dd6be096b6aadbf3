import { realtimeNs } from "../wasi/clock.ts";
import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

export function timerFunctions(guest: Guest) {
  return {
    /** Writes nanoseconds since 1970 as u64. */
    proxy_get_current_time_nanoseconds(resultPtr: number): Status {
      const written = guest.memory.writeU64(resultPtr, realtimeNs());
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },

    /** Of the root context, whichever context asks; 0 stops it, another call replaces it. */
    proxy_set_tick_period_milliseconds(periodMs: number): Status {
      guest.rootEvents.setTick(periodMs >>> 0);
      return Status.Ok;
    },
  };
}
