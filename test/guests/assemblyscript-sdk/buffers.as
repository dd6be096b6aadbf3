import { get_buffer_bytes } from "@solo-io/proxy-runtime/runtime";

// The SDK does not export its names of these.
export const BUFFER_REQUEST_BODY: i32 = 0;
export const BUFFER_RESPONSE_BODY: i32 = 1;
export const BUFFER_CALL_RESPONSE_BODY: i32 = 4;
export const BUFFER_PLUGIN_CONFIGURATION: i32 = 7;

// The SDK cannot write into bodies: what it calls proxy_set_buffer_status imports another function.
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(
  buffer: i32, start: u32, replaced: u32, bytes: usize, size: u32,
): u32;

export function bytesOf(buffer: i32, size: u32): Uint8Array {
  return Uint8Array.wrap(get_buffer_bytes(buffer, 0, size));
}

export function textOf(buffer: i32, size: u32): string {
  return String.UTF8.decode(get_buffer_bytes(buffer, 0, size));
}

/** Puts the text in the place of `replaced` bytes, from `start` on. @returns a status */
export function setText(buffer: i32, start: u32, replaced: u32, text: string): u32 {
  const bytes = String.UTF8.encode(text);
  return proxy_set_buffer_bytes(
    buffer, start, replaced, changetype<usize>(bytes), bytes.byteLength,
  );
}
