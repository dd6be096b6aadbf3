import { LIMITS } from "../../base/limits.ts";
import type { Guest } from "./guest.ts";
import type { Change, HeaderMap } from "./header-map.ts";
import { decodePairs } from "./pairs.ts";
import { MAP_TYPE_MAX, MapType, Status } from "./types.ts";

/**
 * Changing header maps. Where an error would make Rust's SDK panic over something that is no more
 * than without effect (a map that cannot change any more, a line that would break the message), the
 * answer is Ok and the operator reads one warning.
 */
export function headerChangeFunctions(guest: Guest) {
  return {
    proxy_set_header_map_pairs(type: number, ptr: number, byteLength: number): Status {
      if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
      const bytes = guest.memory.read(ptr, byteLength);
      if (bytes === undefined) return Status.InvalidMemoryAccess;
      const pairs = decodePairs(bytes);
      if (pairs === undefined) return Status.BadArgument;
      const map = mutableMapOf(guest, type);
      if (map === undefined) return Status.Ok;
      if (map.replaceAll(pairs) > 0) warnRefused(guest);
      noteChange(guest, type);
      return Status.Ok;
    },

    proxy_add_header_map_value(
      type: number,
      keyPtr: number,
      keyLength: number,
      valuePtr: number,
      valueLength: number,
    ): Status {
      return change(guest, type, keyPtr, keyLength, (map, key) =>
        withValue(guest, valuePtr, valueLength, (value) => map.add(key, value)),
      );
    },

    proxy_replace_header_map_value(
      type: number,
      keyPtr: number,
      keyLength: number,
      valuePtr: number,
      valueLength: number,
    ): Status {
      return change(guest, type, keyPtr, keyLength, (map, key) =>
        withValue(guest, valuePtr, valueLength, (value) => map.replace(key, value)),
      );
    },

    /** Ok also when there was no such line. */
    proxy_remove_header_map_value(type: number, keyPtr: number, keyLength: number): Status {
      return change(guest, type, keyPtr, keyLength, (map, key) => map.remove(key));
    },
  };
}

/** @param apply undefined: the value lies outside the memory */
function change(
  guest: Guest,
  type: number,
  keyPtr: number,
  keyLength: number,
  apply: (map: HeaderMap, key: string) => Change | undefined,
): Status {
  if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
  const key = guest.memory.latin1(keyPtr, keyLength, LIMITS.pairsBytesMax);
  if (key === undefined) return Status.InvalidMemoryAccess;
  const map = mutableMapOf(guest, type);
  if (map === undefined) return Status.Ok;
  const changed = apply(map, key);
  if (changed === undefined) return Status.InvalidMemoryAccess;
  if (changed === "full") return Status.BadArgument;
  if (changed === "refused") warnRefused(guest);
  noteChange(guest, type);
  return Status.Ok;
}

/** Routes are chosen by the request's head, so another head may mean another route. */
function noteChange({ stream, resources }: Guest, type: number): void {
  const isHead = type === MapType.HttpRequestHeaders;
  if (isHead && resources.settings.routeCache === "clear") stream?.host.exchange.clearRoute();
}

/** @returns undefined when it lies outside the memory; full when no map could take so long a one */
function withValue(
  guest: Guest,
  ptr: number,
  byteLength: number,
  apply: (value: string) => Change,
): Change | undefined {
  const value = guest.memory.latin1(ptr, byteLength, LIMITS.pairsBytesMax);
  if (value === undefined) return undefined;
  // Cut: what is left, without the spaces at its end, could look like a short one.
  return value.length > LIMITS.pairsBytesMax ? "full" : apply(value);
}

function mutableMapOf(guest: Guest, type: number): HeaderMap | undefined {
  const { stream } = guest;
  const map = stream?.isMutable(type) ? stream.map(type) : undefined;
  if (map !== undefined) return map;
  guest.resources.log.warnOnce(`late map ${type}`, `Header map ${type} cannot be changed: ${LATE}`);
  return undefined;
}

function warnRefused(guest: Guest): void {
  guest.resources.log.warnOnce("refused header", REFUSED);
}

const LATE = "it is not there, or it has been sent already; the change is ignored";
const REFUSED =
  "Some header lines are left out: a name was no token, a value had a control character, " +
  "or a pseudo header was unknown or would make no message";
