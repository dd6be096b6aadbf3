import { LIMITS } from "../../base/limits.ts";
import type { BodyWindow } from "../../filter/filter.ts";
import type { Guest } from "./guest.ts";
import { BUFFER_TYPE_MAX, BufferType, Status } from "./types.ts";

const EMPTY = new Uint8Array(0);

export function bufferFunctions(guest: Guest) {
  return {
    /**
     * Hands over at most `lengthMax` bytes from `start`, cut at the end of the buffer.
     * @returns NotFound when that buffer is not there now, BadArgument when there is no such type
     */
    proxy_get_buffer_bytes(
      type: number,
      start: number,
      lengthMax: number,
      resultPtr: number,
      lengthPtr: number,
    ): Status {
      if (type >>> 0 > BUFFER_TYPE_MAX) return Status.BadArgument;
      const bytes = bytesOf(guest, type, start >>> 0, lengthMax >>> 0);
      if (bytes === undefined) return Status.NotFound;
      return guest.give(bytes, resultPtr, lengthPtr);
    },

    /**
     * Replaces `length` bytes at `start`, both cut at the end: 0, 0 prepends, 0 and everything
     * replaces, the end appends; what is in between Envoy refuses and is a splice here.
     */
    proxy_set_buffer_bytes(
      type: number,
      start: number,
      length: number,
      ptr: number,
      byteLength: number,
    ): Status {
      if (type >>> 0 > BUFFER_TYPE_MAX) return Status.BadArgument;
      if (isReadOnly(type)) return Status.BadArgument;
      const window = bodyOf(guest, type);
      if (window === undefined) {
        // An error would make Rust's SDK panic, and the exchange with it.
        guest.resources.log.warnOnce("late body", LATE_BODY);
        return Status.Ok;
      }
      const bytes = guest.memory.read(ptr, byteLength);
      if (bytes === undefined) return Status.InvalidMemoryAccess;
      const removed = Math.min(length >>> 0, window.length);
      if (window.length - removed + bytes.byteLength > LIMITS.guestBytesMax) {
        return Status.BadArgument;
      }
      window.splice(start >>> 0, length >>> 0, bytes);
      return Status.Ok;
    },

    /** Writes the length in bytes, and flags, of which there are none. */
    proxy_get_buffer_status(type: number, lengthPtr: number, flagsPtr: number): Status {
      if (type >>> 0 > BUFFER_TYPE_MAX) return Status.BadArgument;
      const length = lengthOf(guest, type);
      if (length === undefined) return Status.NotFound;
      const { memory } = guest;
      const written = memory.writeU32(lengthPtr, length) && memory.writeU32(flagsPtr, 0);
      return written ? Status.Ok : Status.InvalidMemoryAccess;
    },

    /** ABI 0.1.0: the plugin's configuration inside `proxy_on_configure`, else the VM's. */
    proxy_get_configuration(resultPtr: number, lengthPtr: number): Status {
      const { configuration, vmConfiguration } = guest.resources.host;
      return guest.give(guest.configuring ? configuration : vmConfiguration, resultPtr, lengthPtr);
    },
  };
}

function bytesOf(
  guest: Guest,
  type: number,
  start: number,
  lengthMax: number,
): Uint8Array | undefined {
  const window = bodyOf(guest, type);
  if (window !== undefined) {
    return start >= window.length ? EMPTY : window.read(start, Math.min(lengthMax, window.length));
  }
  return fixedBytes(guest, type)?.subarray(start, start + lengthMax);
}

function lengthOf(guest: Guest, type: number): number | undefined {
  return bodyOf(guest, type)?.length ?? fixedBytes(guest, type)?.byteLength;
}

function bodyOf(guest: Guest, type: number): BodyWindow | undefined {
  if (type === BufferType.HttpRequestBody) return guest.stream?.host.body("request");
  if (type === BufferType.HttpResponseBody) return guest.stream?.host.body("response");
  return undefined;
}

function fixedBytes(guest: Guest, type: number): Uint8Array | undefined {
  const { host } = guest.resources;
  if (type === BufferType.HttpCallResponseBody) return guest.answer?.body;
  if (type === BufferType.GrpcReceiveBuffer) return guest.grpc.received?.message;
  if (type === BufferType.VmConfiguration) return host.vmConfiguration;
  if (type === BufferType.PluginConfiguration) return host.configuration;
  return undefined;
}

function isReadOnly(type: number): boolean {
  return type !== BufferType.HttpRequestBody && type !== BufferType.HttpResponseBody;
}

const LATE_BODY =
  "proxy_set_buffer_bytes has no effect: that body is held only in its callback and while paused";
