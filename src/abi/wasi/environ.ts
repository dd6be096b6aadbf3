import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

/**
 * The environment that the YAML grants, never the process's own.
 *
 *   environ_get   ptr → │ p0 │ p1 │ …        bytesPtr → │ K=V NUL │ K=V NUL │ …
 */
export function environFunctions(host: WasiHost) {
  const encoder = new TextEncoder();
  const entries = Object.entries(host.environment).map(([name, value]) =>
    encoder.encode(`${name}=${value}\0`),
  );
  const byteLength = entries.reduce((sum, entry) => sum + entry.byteLength, 0);
  return {
    environ_sizes_get(countPtr: number, bytesPtr: number): number {
      const { memory } = host;
      const written =
        memory.writeU32(countPtr, entries.length) && memory.writeU32(bytesPtr, byteLength);
      return written ? ERRNO.success : ERRNO.fault;
    },

    environ_get(ptr: number, bytesPtr: number): number {
      const { memory } = host;
      let at = bytesPtr >>> 0;
      for (const [index, entry] of entries.entries()) {
        const slot = (ptr >>> 0) + 4 * index;
        // The sum can leave u32, where it must not start again at 0.
        if (slot > 0xffff_ffff || at > 0xffff_ffff) return ERRNO.fault;
        if (!memory.writeU32(slot, at) || !memory.write(at, entry)) return ERRNO.fault;
        at += entry.byteLength;
      }
      return ERRNO.success;
    },
  };
}
