import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

const REALTIME = 0;
const MONOTONIC = 1;
const RESOLUTION_NS = 1_000n;

/** Real clocks. CPU clocks are not there: other plugins' work would show through them. */
export function clockFunctions(host: WasiHost) {
  return {
    clock_res_get(id: number, ptr: number): number {
      if (id !== REALTIME && id !== MONOTONIC) return ERRNO.notSupported;
      return host.memory.writeU64(ptr, RESOLUTION_NS) ? ERRNO.success : ERRNO.fault;
    },

    /** @param _precision what the guest would be content with; it gets the best there is */
    clock_time_get(id: number, _precision: bigint, ptr: number): number {
      if (id !== REALTIME && id !== MONOTONIC) return ERRNO.notSupported;
      const timeNs = id === REALTIME ? realtimeNs() : process.hrtime.bigint();
      return host.memory.writeU64(ptr, timeNs) ? ERRNO.success : ERRNO.fault;
    },

    sched_yield: (): number => ERRNO.success,

    /**
     * Answers at once that nothing happened: a guest that slept would stop its whole worker. Go's
     * runtime calls it from its scheduler and goes on.
     */
    poll_oneoff(_in: number, _out: number, _count: number, countPtr: number): number {
      return host.memory.writeU32(countPtr, 0) ? ERRNO.success : ERRNO.fault;
    },
  };
}

/** Nanoseconds since 1970. */
export function realtimeNs(): bigint {
  // Whole microseconds: finer digits of a double of this size would be noise.
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}
