import type { HttpWasmGuest } from "./guest.ts";
import { Feature, FEATURES_KNOWN } from "./types.ts";

export function featureFunctions(guest: HttpWasmGuest) {
  return {
    /**
     * Enables features: for all exchanges when the guest is being started, else for this one.
     * Trailers of a message that is not waited for cannot be had, so that bit stays clear then.
     * What handle_response enables comes too late for its own exchange.
     * @returns all that are enabled
     */
    enable_features(bits: number): number {
      const known = bits & FEATURES_KNOWN;
      const { exchange } = guest;
      if (exchange === undefined) {
        guest.features |= known;
        return guest.features;
      }
      if (exchange.phase === "requesting") {
        exchange.features |= exchange.needs.wholeRequest ? known : known & ~Feature.Trailers;
      }
      return exchange.features;
    },
  };
}
