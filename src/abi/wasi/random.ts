import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

/** bytes; also what the engine's generator gives in one call. */
const RANDOM_BYTES_MAX = 65_536;

export function randomFunctions(host: WasiHost) {
  return {
    random_get(ptr: number, byteLength: number): number {
      if (byteLength >>> 0 > RANDOM_BYTES_MAX) return ERRNO.invalid;
      const window = host.memory.read(ptr, byteLength);
      if (window === undefined) return ERRNO.fault;
      crypto.getRandomValues(window as Uint8Array<ArrayBuffer>);
      return ERRNO.success;
    },
  };
}
