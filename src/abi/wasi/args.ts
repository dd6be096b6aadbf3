import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

/** A plugin has no command line. */
export function argsFunctions(host: WasiHost) {
  return {
    args_get: (): number => ERRNO.success,

    /** Writes the number of arguments (0) and their length in bytes (0). */
    args_sizes_get(countPtr: number, bytesPtr: number): number {
      const written = host.memory.writeU32(countPtr, 0) && host.memory.writeU32(bytesPtr, 0);
      return written ? ERRNO.success : ERRNO.fault;
    },
  };
}
