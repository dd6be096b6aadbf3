// The host functions of Proxy-Wasm ABI 0.2.1 that this plugin uses. Lengths are bytes.

// @ts-ignore: decorators of the compiler
@external("env", "proxy_log")
export declare function log(level: i32, message: usize, length: usize): i32;

// @ts-ignore
@external("env", "proxy_get_buffer_bytes")
export declare function getBufferBytes(
  type: i32,
  start: usize,
  lengthMax: usize,
  resultAt: usize,
  lengthAt: usize,
): i32;

// @ts-ignore
@external("env", "proxy_add_header_map_value")
export declare function addHeader(
  map: i32,
  name: usize,
  nameLength: usize,
  value: usize,
  valueLength: usize,
): i32;

export const LOG_ERROR: i32 = 4;
export const BUFFER_PLUGIN_CONFIGURATION: i32 = 7;
export const MAP_REQUEST_HEADERS: i32 = 0;
export const MAP_RESPONSE_HEADERS: i32 = 2;
