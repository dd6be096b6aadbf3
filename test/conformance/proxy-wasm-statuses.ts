import type { HostFunctionName } from "../../src/abi/proxy-wasm/signatures.ts";

const OK = "Ok";
const NOT_FOUND = "NotFound";
const ARGUMENT = "BadArgument";
const PARSE = "ParseFailure";
const MEMORY = "InvalidMemoryAccess";
const EMPTY = "Empty";
const CAS = "CasMismatch";
/** Before there are contexts and inside an allocator; also where a bound is reached. */
const INTERNAL = "InternalFailure";
const SERIALIZATION = "SerializationFailure";
/** It has no status. */
const RETURNS = "returns";

/** What each function answers in this host. The cases of each must bring all of them about. */
export const PROXY_WASM_STATUSES: Readonly<Record<HostFunctionName, readonly string[]>> = {
  proxy_log: [OK, ARGUMENT, MEMORY],
  proxy_get_log_level: [OK, MEMORY],
  proxy_get_current_time_nanoseconds: [OK, MEMORY],
  proxy_set_tick_period_milliseconds: [OK, INTERNAL],
  proxy_get_configuration: [OK, MEMORY, INTERNAL],
  proxy_get_buffer_bytes: [OK, NOT_FOUND, ARGUMENT, MEMORY, INTERNAL],
  proxy_set_buffer_bytes: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_get_buffer_status: [OK, NOT_FOUND, ARGUMENT, MEMORY, INTERNAL],
  proxy_get_header_map_pairs: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_set_header_map_pairs: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_get_header_map_value: [OK, NOT_FOUND, ARGUMENT, MEMORY, INTERNAL],
  proxy_add_header_map_value: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_replace_header_map_value: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_remove_header_map_value: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_get_header_map_size: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_get_property: [OK, NOT_FOUND, SERIALIZATION, MEMORY, INTERNAL],
  proxy_set_property: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_continue_request: [OK, ARGUMENT, INTERNAL],
  proxy_continue_response: [OK, ARGUMENT, INTERNAL],
  proxy_clear_route_cache: [OK, INTERNAL],
  proxy_continue_stream: [OK, ARGUMENT, INTERNAL],
  proxy_close_stream: [OK, ARGUMENT, INTERNAL],
  proxy_send_local_response: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_http_call: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_grpc_call: [OK, PARSE, MEMORY, INTERNAL],
  proxy_grpc_stream: [OK, PARSE, MEMORY, INTERNAL],
  proxy_grpc_send: [OK, NOT_FOUND, ARGUMENT, MEMORY, INTERNAL],
  proxy_grpc_cancel: [OK, NOT_FOUND, INTERNAL],
  proxy_grpc_close: [OK, NOT_FOUND, INTERNAL],
  proxy_get_status: [OK, MEMORY, INTERNAL],
  proxy_get_shared_data: [OK, NOT_FOUND, MEMORY, INTERNAL],
  proxy_set_shared_data: [OK, ARGUMENT, CAS, MEMORY, INTERNAL],
  proxy_register_shared_queue: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_resolve_shared_queue: [OK, NOT_FOUND, MEMORY, INTERNAL],
  proxy_enqueue_shared_queue: [OK, NOT_FOUND, MEMORY, INTERNAL],
  proxy_dequeue_shared_queue: [OK, NOT_FOUND, EMPTY, MEMORY, INTERNAL],
  proxy_define_metric: [OK, ARGUMENT, MEMORY, INTERNAL],
  proxy_increment_metric: [OK, NOT_FOUND, ARGUMENT, INTERNAL],
  proxy_record_metric: [OK, NOT_FOUND, INTERNAL],
  proxy_get_metric: [OK, NOT_FOUND, ARGUMENT, MEMORY, INTERNAL],
  proxy_set_effective_context: [OK, ARGUMENT, INTERNAL],
  proxy_done: [OK, NOT_FOUND, INTERNAL],
  proxy_call_foreign_function: [OK, NOT_FOUND, ARGUMENT, SERIALIZATION, MEMORY, INTERNAL],
  pthread_equal: [RETURNS],
  emscripten_notify_memory_growth: [RETURNS],
};
