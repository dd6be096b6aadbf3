import type * as Zlib from "node:zlib";
import { LIMITS } from "../../base/limits.ts";
import { Status } from "./types.ts";

/** Loaded late: a worker that compresses nothing starts sooner. */
export function zlib(): typeof Zlib {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return require("node:zlib") as typeof Zlib;
}

/** `compress`: the argument as a zlib stream. */
export function compress(argument: Uint8Array): Uint8Array {
  return zlib().deflateSync(argument);
}

/**
 * `uncompress`: what a zlib stream holds.
 * @returns SerializationFailure for what is none, is cut off, or holds more than
 *   LIMITS.guestInflatedBytesMax
 */
export function uncompress(argument: Uint8Array): Uint8Array | Status {
  try {
    return zlib().inflateSync(argument, { maxOutputLength: LIMITS.guestInflatedBytesMax });
  } catch {
    return Status.SerializationFailure;
  }
}
