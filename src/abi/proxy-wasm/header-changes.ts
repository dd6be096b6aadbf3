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
      return write(guest, type, keyPtr, keyLength, valuePtr, valueLength, false);
    },

    proxy_replace_header_map_value(
      type: number,
      keyPtr: number,
      keyLength: number,
      valuePtr: number,
      valueLength: number,
    ): Status {
      return write(guest, type, keyPtr, keyLength, valuePtr, valueLength, true);
    },

    /** Ok also when there was no such line. */
    proxy_remove_header_map_value(type: number, keyPtr: number, keyLength: number): Status {
      if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
      const key = guest.memory.latin1(keyPtr, keyLength, LIMITS.pairsBytesMax);
      if (key === undefined) return Status.InvalidMemoryAccess;
      const map = mutableMapOf(guest, type);
      return map === undefined ? Status.Ok : changed(guest, type, map.remove(key));
    },
  };
}

function write(
  guest: Guest,
  type: number,
  keyPtr: number,
  keyLength: number,
  valuePtr: number,
  valueLength: number,
  replaces: boolean,
): Status {
  if (type >>> 0 > MAP_TYPE_MAX) return Status.BadArgument;
  const key = guest.memory.latin1(keyPtr, keyLength, LIMITS.pairsBytesMax);
  if (key === undefined) return Status.InvalidMemoryAccess;
  const map = mutableMapOf(guest, type);
  if (map === undefined) return Status.Ok;
  const value = guest.memory.latin1(valuePtr, valueLength, LIMITS.pairsBytesMax);
  if (value === undefined) return Status.InvalidMemoryAccess;
  // Cut: what is left, without the spaces at its end, could look like a short one.
  if (value.length > LIMITS.pairsBytesMax) return changed(guest, type, "full");
  return changed(guest, type, replaces ? map.replace(key, value) : map.add(key, value));
}

function changed(guest: Guest, type: number, change: Change): Status {
  if (change === "full") return Status.BadArgument;
  if (change === "refused") warnRefused(guest);
  noteChange(guest, type);
  return Status.Ok;
}

/** Routes are chosen by the request's head, so another head may mean another route. */
function noteChange({ stream, resources }: Guest, type: number): void {
  const isHead = type === MapType.HttpRequestHeaders;
  if (isHead && resources.settings.routeCache === "clear") stream?.host.exchange.clearRoute();
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
