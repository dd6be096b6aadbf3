// Adds one header to the request towards the upstream, to the response, or to both.
// Nothing is allocated while requests run, so the memory does not grow.

import "./abort";
import {
  addHeader,
  BUFFER_PLUGIN_CONFIGURATION,
  getBufferBytes,
  log,
  LOG_ERROR,
  MAP_REQUEST_HEADERS,
  MAP_RESPONSE_HEADERS,
} from "./env";
import { readSettings, Settings } from "./settings";
import { Text } from "./text";

const CONTINUE = 0;

let settings = new Settings();

/** Where the host writes the address and the length of what it hands over. */
const resultAt = memory.data(8);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_configure(_root: i32, size: usize): bool {
  settings = readSettings(configuration(size));
  const problem = settings.problem;
  if (problem) {
    const line = String.UTF8.encode("The configuration is refused: " + problem);
    log(LOG_ERROR, changetype<usize>(line), line.byteLength);
  }
  return !problem;
}

export function proxy_on_request_headers(_stream: i32, _count: i32, _endOfStream: i32): i32 {
  if (settings.onRequest) add(MAP_REQUEST_HEADERS);
  return CONTINUE;
}

export function proxy_on_response_headers(_stream: i32, _count: i32, _endOfStream: i32): i32 {
  if (settings.onResponse) add(MAP_RESPONSE_HEADERS);
  return CONTINUE;
}

function add(map: i32): void {
  const name = settings.name;
  const value = settings.value;
  addHeader(map, name.at, name.length, value.at, value.length);
}

function configuration(size: usize): Text {
  const status = getBufferBytes(BUFFER_PLUGIN_CONFIGURATION, 0, size, resultAt, resultAt + 4);
  if (status != 0) return new Text(0, 0);
  return new Text(load<u32>(resultAt), load<u32>(resultAt + 4));
}
