import { deflateSync, inflateSync } from "node:zlib";
import { LIMITS } from "../../base/limits.ts";
import { Status } from "./types.ts";

/** `compress`: the argument as a zlib stream. */
export function compress(argument: Uint8Array): Uint8Array {
  return deflateSync(argument);
}

/**
 * `uncompress`: what a zlib stream holds.
 * @returns SerializationFailure for what is none, is cut off, or holds more than
 *   LIMITS.guestInflatedBytesMax
 */
export function uncompress(argument: Uint8Array): Uint8Array | Status {
  try {
    return inflateSync(argument, { maxOutputLength: LIMITS.guestInflatedBytesMax });
  } catch {
    return Status.SerializationFailure;
  }
}
