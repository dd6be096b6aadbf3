import { ERRNO } from "./errno.ts";
import type { WasiHost } from "./wasi.ts";

export function procFunctions(host: WasiHost) {
  return {
    /** Envoy logs and goes on; here the guest is over, as it has asked for. */
    proc_exit(code: number): void {
      host.exit(code);
    },

    proc_raise: (): number => ERRNO.notSupported,
  };
}
