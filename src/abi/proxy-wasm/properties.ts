import { LIMITS } from "../../base/limits.ts";
import { DENIED, type PropertyValue } from "../../filter/filter.ts";
import type { Stream } from "./context.ts";
import type { Guest } from "./guest.ts";
import { encodeProperty } from "./property-encoding.ts";
import { Status } from "./types.ts";

export function propertyFunctions(guest: Guest) {
  return {
    /**
     * Hands over a property in Envoy's encoding: see encodeProperty().
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
      const value = readProperty(guest, segmentsOf(path));
      if (value === undefined) return Status.NotFound;
      if (typeof value === "string") return guest.giveLatin1(value, resultPtr, lengthPtr);
      const bytes = encodeProperty(value);
      if (bytes === undefined) return Status.SerializationFailure;
      return guest.give(bytes, resultPtr, lengthPtr);
    },

    /**
     * Any path can be set; it is readable under the same path by this and every later filter.
     * @returns BadArgument for more than a filter may keep, and for a second value of a property
     *   that has been declared to keep its first one
     */
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
      const declared = guest.rootEvents.declared.property(path);
      const kept =
        declared?.isText === true ? Buffer.from(value).toString("latin1") : new Uint8Array(value);
      return keepProperty(stream, segmentsOf(path), kept, declared?.readOnly ?? false);
    },
  };
}

/**
 * Keeps a property with the exchange, within what the filter may keep there.
 * @param value text when an expression shall see text, else bytes
 */
export function keepProperty(
  stream: Stream,
  path: readonly string[],
  value: string | Uint8Array,
  readOnly: boolean,
): Status {
  let byteLength = value.length + path.length - 1;
  for (const segment of path) byteLength += segment.length;
  if (stream.propertyBytes + byteLength > LIMITS.guestPropertyBytesMax) return Status.BadArgument;
  stream.propertyBytes += byteLength;
  const isKept = stream.host.exchange.setProperty(path, value, readOnly);
  return isKept ? Status.Ok : Status.BadArgument;
}

/** What is known under a path in the context that the guest runs in; what is denied is not. */
export function readProperty(guest: Guest, segments: readonly string[]): PropertyValue | undefined {
  const value =
    ownProperty(guest, segments) ??
    gatewayProperty(guest, segments) ??
    guest.stream?.host.exchange.getProperty(segments);
  return value === DENIED ? undefined : value;
}

/** Segments are joined by NUL; some SDKs write one behind the last segment, too. */
export function segmentsOf(path: string): string[] {
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

const NO_STREAM = "proxy_set_property has no effect outside the context of an exchange";
