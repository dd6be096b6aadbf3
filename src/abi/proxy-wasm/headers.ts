import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import type { HeaderMap } from "./header-map.ts";
import { MAP_TYPE_MAX, MapType, Status } from "./types.ts";

const EMPTY = new Uint8Array(0);

/** Reading header maps. */
export function headerFunctions(guest: Guest) {
  return {
    /** A map that is not there is an empty one. */
    proxy_get_header_map_pairs(type: number, resultPtr: number, lengthPtr: number): Status {
      if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
      const map = mapOf(guest, type);
      const bytes = map === undefined || map.count === 0 ? EMPTY : map.encoded();
      if (bytes === undefined) return Status.InternalFailure;
      return guest.give(bytes, resultPtr, lengthPtr);
    },

    /**
     * The first line of that name.
     * @returns NotFound when there is none; in ABI 0.1.0 that is Ok with an empty value
     */
    proxy_get_header_map_value(
      type: number,
      keyPtr: number,
      keyLength: number,
      resultPtr: number,
      lengthPtr: number,
    ): Status {
      if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
      const key = guest.memory.latin1(keyPtr, keyLength, LIMITS.pairsBytesMax);
      if (key === undefined) return Status.InvalidMemoryAccess;
      // Envoy says BadArgument when the map is missing, over which Rust filters have crashed.
      const map = mapOf(guest, type);
      if (map === undefined) return Status.NotFound;
      const value = map.get(key);
      if (value !== undefined) return guest.giveLatin1(value, resultPtr, lengthPtr);
      if (guest.abi !== "0.1.0") return Status.NotFound;
      return guest.give(EMPTY, resultPtr, lengthPtr);
    },

    /** Writes the bytes of all names and values. */
    proxy_get_header_map_size(type: number, resultPtr: number): Status {
      if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
      const byteLength = mapOf(guest, type)?.byteLength ?? 0;
      const written = guest.memory.writeU32(resultPtr, byteLength);
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },
  };
}

/**
 * The map of that type, undefined when it is not there. Maps 4 to 7 belong to the guest's root
 * context, whichever context is the effective one.
 */
export function mapOf(guest: Guest, type: number): HeaderMap | undefined {
  if (type === MapType.HttpCallResponseHeaders) return guest.answer?.headers;
  if (type === MapType.HttpCallResponseTrailers) return guest.answer?.trailers;
  if (type === MapType.GrpcReceiveInitialMetadata) return guest.grpc.received?.initial;
  if (type === MapType.GrpcReceiveTrailingMetadata) return guest.grpc.received?.trailing;
  return guest.stream?.map(type);
}
