import { LIMITS } from "../../base/limits.ts";
import { DENIED, type PropertyValue } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import type { Guest } from "./guest.ts";
import { HeaderMap } from "./header-map.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";
import { Status } from "./types.ts";

const NUMBER_BYTES = 8;

export function propertyFunctions(guest: Guest) {
  return {
    /**
     * Hands over a property in Envoy's encoding: text and bytes as they are, integers as 8 bytes,
     * times and durations as 8 bytes of nanoseconds, doubles as 8 bytes, booleans as 1 byte, maps
     * as pairs; all little-endian.
     * @returns NotFound, also for what is not granted, and when the path is longer than
     *   LIMITS.guestNameBytesMax
     */
    proxy_get_property(
      pathPtr: number,
      pathLength: number,
      resultPtr: number,
      lengthPtr: number,
    ): Status {
      const path = guest.memory.latin1(pathPtr, pathLength, LIMITS.guestNameBytesMax);
      if (path === undefined) return Status.InvalidMemoryAccess;
      if (path.length > LIMITS.guestNameBytesMax) return Status.NotFound;
      const segments = segmentsOf(path);
      const value =
        ownProperty(guest, segments) ??
        gatewayProperty(guest, segments) ??
        guest.stream?.host.exchange.getProperty(segments);
      if (value === undefined || value === DENIED) return Status.NotFound;
      if (typeof value === "string") return guest.giveLatin1(value, resultPtr, lengthPtr);
      const bytes = encodeProperty(value);
      if (bytes === undefined) return Status.SerializationFailure;
      return guest.give(bytes, resultPtr, lengthPtr);
    },

    /** Any path can be set; it is readable under the same path by this and every later filter. */
    proxy_set_property(
      pathPtr: number,
      pathLength: number,
      valuePtr: number,
      valueLength: number,
    ): Status {
      const { memory, stream } = guest;
      const path = memory.latin1(pathPtr, pathLength, LIMITS.guestNameBytesMax);
      const value = memory.read(valuePtr, valueLength);
      if (path === undefined || value === undefined) return Status.InvalidMemoryAccess;
      if (path.length > LIMITS.guestNameBytesMax) return Status.BadArgument;
      if (stream === undefined) {
        guest.resources.log.warnOnce("root property", NO_STREAM);
        return Status.Ok;
      }
      const byteLength = path.length + value.byteLength;
      if (stream.propertyBytes + byteLength > LIMITS.guestPropertyBytesMax) {
        return Status.BadArgument;
      }
      stream.propertyBytes += byteLength;
      stream.host.exchange.setProperty(segmentsOf(path), new Uint8Array(value));
      return Status.Ok;
    },
  };
}

/** Segments are joined by NUL; some SDKs write one behind the last segment, too. */
function segmentsOf(path: string): string[] {
  const segments = path.split("\0");
  if (segments.length > 1 && segments.at(-1) === "") segments.pop();
  return segments;
}

function ownProperty(guest: Guest, segments: readonly string[]): string | undefined {
  if (segments.length !== 1) return undefined;
  const { host } = guest.resources;
  switch (segments[0] ?? "") {
    case "plugin_name":
      return host.name;
    case "plugin_root_id":
      return host.rootId;
    case "plugin_vm_id":
      return host.vmId;
    default:
      return undefined;
  }
}

/** Not what an earlier filter has set under such a name: nobody speaks for the gateway. */
function gatewayProperty(
  guest: Guest,
  segments: readonly string[],
): PropertyValue | typeof DENIED | undefined {
  const [root = ""] = segments;
  if (!root.startsWith("gateway") && !root.startsWith("node")) return undefined;
  const name = segments.join(".");
  const value = guest.resources.host.gatewayProperty(name);
  if (value === DENIED) guest.resources.log.warnDenied("properties", name);
  return value;
}

function encodeProperty(value: Exclude<PropertyValue, string>): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof HeaderList) return new HeaderMap(value, NO_PSEUDO_HEADERS).encoded();
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  const bytes = new DataView(new ArrayBuffer(NUMBER_BYTES));
  if (typeof value === "bigint") bytes.setBigInt64(0, value, true);
  else bytes.setFloat64(0, value, true);
  return new Uint8Array(bytes.buffer);
}

const NO_STREAM = "proxy_set_property has no effect outside the context of an exchange";
