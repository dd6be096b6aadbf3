import { LIMITS } from "../../base/limits.ts";
import type { LogLevel } from "../../filter/filter.ts";
import { giveBytes } from "./guest-text.ts";
import type { HttpWasmGuest } from "./guest.ts";

/** By the ABI's number; 3 is "none", and other numbers do not exist. */
const LEVELS: ReadonlyMap<number, LogLevel> = new Map([
  [-1, "debug"],
  [0, "info"],
  [1, "warn"],
  [2, "error"],
]);

/** What may be called also while the guest is being started. */
export function logFunctions(guest: HttpWasmGuest) {
  const { log, host } = guest.resources;
  return {
    /** Hands over the plugin's configuration: text as it was written, or JSON. */
    get_config: (buf: number, limit: number): number =>
      giveBytes(guest, host.configuration, buf, limit),

    log_enabled(level: number): number {
      const name = LEVELS.get(level);
      return name !== undefined && log.enabled(name) ? 1 : 0;
    },

    /** Writes a line, cut at LIMITS.guestLogBytesMax bytes. What is wrong is left out, no trap. */
    log(level: number, ptr: number, byteLength: number): void {
      const name = LEVELS.get(level);
      if (name === undefined || !log.enabled(name)) return;
      const length = byteLength >>> 0;
      if (!guest.memory.contains(ptr, length)) {
        log.warnOnce("log outside", "a log line is left out: it lies outside of the memory");
        return;
      }
      const text = guest.memory.utf8(ptr, Math.min(length, LIMITS.guestLogBytesMax)) ?? "";
      log.write(name, length > LIMITS.guestLogBytesMax ? `${text}…` : text);
    },
  };
}
