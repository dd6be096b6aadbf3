import { LIMITS } from "../../base/limits.ts";
import { LOG_LEVELS } from "../../filter/filter.ts";
import type { Guest } from "./guest.ts";
import { Status } from "./types.ts";

export function logFunctions(guest: Guest) {
  const { log } = guest.resources;
  return {
    /**
     * Writes a line, cut at LIMITS.guestLogBytesMax bytes. What is below the plugin's level costs
     * nothing: some SDKs log ten lines per request.
     * @returns BadArgument for a level above 5
     */
    proxy_log(level: number, ptr: number, byteLength: number): Status {
      const name = LOG_LEVELS[level];
      if (name === undefined) return Status.BadArgument;
      if (level < log.floor) return Status.Ok;
      const { memory } = guest;
      if (!memory.contains(ptr, byteLength)) return Status.InvalidMemoryAccess;
      const length = byteLength >>> 0;
      const text = memory.utf8(ptr, Math.min(length, LIMITS.guestLogBytesMax)) ?? "";
      log.write(name, length > LIMITS.guestLogBytesMax ? `${text}…` : text);
      return Status.Ok;
    },

    /** Writes the number of the lowest level that is written. */
    proxy_get_log_level(resultPtr: number): Status {
      const written = guest.memory.writeU32(resultPtr, log.floor);
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },
  };
}
