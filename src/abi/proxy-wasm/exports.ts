import { CALLBACK } from "../../filter/filter.ts";
import type { GuestExports, GuestFunction } from "../guest/guest-core.ts";
import type { AbiVersion } from "./types.ts";

/**
 * What a guest exports. All callbacks are optional. Parameters are i32; `proxy_on_request_headers`
 * and `proxy_on_response_headers` have two in most 0.1.0 guests and three in all others, which the
 * JavaScript interface evens out: a guest that takes two ignores the third.
 */
export const CALLBACK_NAMES = [
  "proxy_on_context_create",
  "proxy_on_vm_start",
  "proxy_on_configure",
  "proxy_on_tick",
  "proxy_on_queue_ready",
  "proxy_on_http_call_response",
  "proxy_on_grpc_receive_initial_metadata",
  "proxy_on_grpc_receive",
  "proxy_on_grpc_receive_trailing_metadata",
  "proxy_on_grpc_trailing_metadata",
  "proxy_on_grpc_close",
  "proxy_on_request_headers",
  "proxy_on_request_body",
  "proxy_on_request_trailers",
  "proxy_on_response_headers",
  "proxy_on_response_body",
  "proxy_on_response_trailers",
  "proxy_on_log",
  "proxy_on_done",
  "proxy_on_delete",
] as const;

export type CallbackName = (typeof CALLBACK_NAMES)[number];

/** A guest's callbacks, undefined where it has none. */
export type Callbacks = Readonly<Record<CallbackName, GuestFunction | undefined>>;

/** Objects of one shape, however guests' exports differ: looked at for every exchange. */
export function callbacksOf(exports: GuestExports): Callbacks {
  return Object.fromEntries(CALLBACK_NAMES.map((name) => [name, exports[name]])) as Callbacks;
}

/** Callbacks of the ABI that this host never calls: no TCP, metadata, foreign functions. */
export const UNCALLED_CALLBACK_NAMES = [
  "proxy_validate_configuration",
  "proxy_on_foreign_function",
  "proxy_on_request_metadata",
  "proxy_on_response_metadata",
  "proxy_on_new_connection",
  "proxy_on_downstream_data",
  "proxy_on_upstream_data",
  "proxy_on_downstream_connection_close",
  "proxy_on_upstream_connection_close",
] as const;

/** How to get memory from a guest: the specification's name, then what most toolchains have. */
export const ALLOCATOR_NAMES = ["proxy_on_memory_allocate", "malloc"] as const;

/** What is called for exchanges, again and again. */
export const CALLED_NAMES: readonly string[] = [...CALLBACK_NAMES, ...ALLOCATOR_NAMES];

export const START_NAMES = ["_initialize", "_start", "main", "__main_void"] as const;

const MARKERS: readonly (readonly [name: string, version: AbiVersion])[] = [
  ["proxy_abi_version_0_2_1", "0.2.1"],
  ["proxy_abi_version_0_2_0", "0.2.0"],
  ["proxy_abi_version_0_1_0", "0.1.0"],
];

/** The newest version that a module with these exports is marked for. */
export function abiVersionOf(exportNames: ReadonlySet<string>): AbiVersion | undefined {
  return MARKERS.find(([name]) => exportNames.has(name))?.[1];
}

/** Bits of `Plugin.callbacks`: what this guest does not export costs an exchange nothing. */
export function callbackBits(exports: GuestExports): number {
  let bits = 0;
  if (exports["proxy_on_request_headers"]) bits |= CALLBACK.requestHeaders;
  if (exports["proxy_on_request_body"]) bits |= CALLBACK.requestBody;
  if (exports["proxy_on_request_trailers"]) bits |= CALLBACK.requestTrailers;
  if (exports["proxy_on_response_headers"]) bits |= CALLBACK.responseHeaders;
  if (exports["proxy_on_response_body"]) bits |= CALLBACK.responseBody;
  if (exports["proxy_on_response_trailers"]) bits |= CALLBACK.responseTrailers;
  return bits;
}
