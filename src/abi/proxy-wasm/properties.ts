import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
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
  const value = readGranted(guest, segments);
  return value === DENIED ? undefined : value;
}

function readGranted(
  guest: Guest,
  segments: readonly string[],
): PropertyValue | typeof DENIED | undefined {
  const [root = ""] = segments;
  const name = segments.some((segment) => segment.includes(".")) ? "" : segments.join(".");
  const own = OWN_PROPERTIES.get(name);
  if (own !== undefined) return own(guest, name);
  // Not what a filter has set under such a name: nobody speaks for the gateway.
  if (OWN_ROOTS.has(root)) return undefined;
  const gateway = root === "gateway" ? gatewayProperty(guest, name) : undefined;
  return gateway ?? guest.stream?.host.exchange.getProperty(segments);
}

/** Segments are joined by NUL; some SDKs write one behind the last segment, too. */
export function segmentsOf(path: string): string[] {
  const segments = path.split("\0");
  if (segments.length > 1 && segments.at(-1) === "") segments.pop();
  return segments;
}

type Read = (guest: Guest, name: string) => PropertyValue | typeof DENIED | undefined;

/**
 * What is known without an exchange, too, whole paths. `node` is Envoy's message Node, of which
 * `id` is granted by name; the rest of it, and the listener's metadata, is there and empty.
 */
export const OWN_PROPERTIES: ReadonlyMap<string, Read> = new Map<string, Read>(
  Object.entries({
    plugin_name: (guest) => guest.resources.host.name,
    plugin_root_id: (guest) => guest.resources.host.rootId,
    plugin_vm_id: (guest) => guest.resources.host.vmId,
    listener_direction: () => INBOUND,
    listener_metadata: () => NOTHING,
    "listener_metadata.filter_metadata": () => NOTHING,
    "listener_metadata.typed_filter_metadata": () => NOTHING,
    "xds.listener_direction": () => INBOUND,
    "xds.listener_metadata": () => NOTHING,
    node: nodeMessage,
    "node.id": gatewayProperty,
    "node.cluster": () => "",
    "node.metadata": () => NOTHING,
  } satisfies Record<string, Read>),
);

/** First segments that are ours alone; exchanges have some of `xds`. */
const OWN_ROOTS: ReadonlySet<string> = new Set(
  Array.from(OWN_PROPERTIES.keys(), (path) => path.split(".")[0] ?? "").filter(
    (root) => root !== "xds",
  ),
);

/** Envoy's number for the traffic that clients begin. */
const INBOUND = 1n;
const NOTHING = new Uint8Array(0);

function gatewayProperty(guest: Guest, name: string): PropertyValue | typeof DENIED | undefined {
  const value = guest.resources.host.gatewayProperty(name);
  if (value === DENIED) guest.resources.log.warnDenied("properties", name);
  return value;
}

const NODE_ID_FIELD = 1;

function nodeMessage(guest: Guest): PropertyValue | typeof DENIED | undefined {
  const id = gatewayProperty(guest, "node.id");
  if (typeof id !== "string") return id;
  const writer = new BinaryWriter();
  return writer.tag(NODE_ID_FIELD, WireType.LengthDelimited).string(id).finish();
}

const NO_STREAM = "proxy_set_property has no effect outside the context of an exchange";
