import { WASI_MODULES, WASI_SIGNATURES } from "../abi/wasi/signatures.ts";
import type { HostFunctionName } from "../abi/proxy-wasm/signatures.ts";
import { type Shape, shape } from "./shape.ts";

/** See shape.ts for the notation. */
const PROXY_WASM: Readonly<Record<HostFunctionName, string>> = {
  proxy_log: "level message:text",
  proxy_get_log_level: "> level",
  proxy_get_current_time_nanoseconds: "> time:u64",
  proxy_set_tick_period_milliseconds: "period_ms:u32",
  proxy_get_configuration: "> configuration:bytes",
  proxy_get_buffer_bytes: "buffer start:u32 length:u32 > bytes",
  proxy_set_buffer_bytes: "buffer start:u32 length:u32 bytes",
  proxy_get_buffer_status: "buffer > length:u32 flags:u32",
  proxy_get_header_map_pairs: "map > pairs",
  proxy_set_header_map_pairs: "map pairs",
  proxy_get_header_map_value: "map key:text > value:bytes",
  proxy_add_header_map_value: "map key:text value:text",
  proxy_replace_header_map_value: "map key:text value:text",
  proxy_remove_header_map_value: "map key:text",
  proxy_get_header_map_size: "map > size:u32",
  proxy_get_property: "path:text > value:bytes",
  proxy_set_property: "path:text value:bytes",
  proxy_continue_request: "",
  proxy_continue_response: "",
  proxy_clear_route_cache: "",
  proxy_continue_stream: "stream",
  proxy_close_stream: "stream",
  proxy_send_local_response:
    "status:i32 details:text body:bytes headers:pairs grpc_status:i32 = status",
  proxy_http_call:
    "upstream:text headers:pairs body:bytes trailers:pairs timeout_ms:u32 > token:u32",
  proxy_grpc_call:
    "upstream:bytes service:text method:text metadata:pairs message:bytes timeout_ms:u32" +
    " > token:u32",
  proxy_grpc_stream: "upstream:bytes service:text method:text metadata:pairs > token:u32",
  proxy_grpc_send: "token:u32 message:bytes end_of_stream:bool",
  proxy_grpc_cancel: "token:u32",
  proxy_grpc_close: "token:u32",
  proxy_get_status: "> code:u32 message:bytes",
  proxy_get_shared_data: "key:text > value:bytes cas:u32",
  proxy_set_shared_data: "key:text value:bytes cas:u32",
  proxy_register_shared_queue: "name:text > queue:u32",
  proxy_resolve_shared_queue: "vm_id:text name:text > queue:u32",
  proxy_enqueue_shared_queue: "queue:u32 item:bytes",
  proxy_dequeue_shared_queue: "queue:u32 > item:bytes",
  proxy_define_metric: "metric name:text > id:u32",
  proxy_increment_metric: "id:u32 offset:i64",
  proxy_record_metric: "id:u32 value:u64",
  proxy_get_metric: "id:u32 > value:u64",
  proxy_set_effective_context: "context:u32",
  proxy_done: "",
  proxy_call_foreign_function: "name:text arguments:bytes > results:bytes",
  pthread_equal: "a:hidden b:hidden = i32",
  emscripten_notify_memory_growth: "memory:u32 = void",
};

/** Those that modules import in practice; of the others only the name and the answer are told. */
const WASI: Readonly<Record<string, string>> = {
  args_get: "argv:hidden buffer:hidden = errno",
  args_sizes_get: "> count:u32 bytes:u32 = errno",
  environ_get: "environ:hidden buffer:hidden = errno",
  environ_sizes_get: "> count:u32 bytes:u32 = errno",
  clock_res_get: "clock:u32 > resolution:u64 = errno",
  clock_time_get: "clock:u32 precision:u64 > time:u64 = errno",
  fd_close: "fd:u32 = errno",
  fd_fdstat_get: "fd:u32 stat:hidden = errno",
  fd_filestat_get: "fd:u32 stat:hidden = errno",
  fd_prestat_get: "fd:u32 prestat:hidden = errno",
  fd_prestat_dir_name: "fd:u32 path:hidden length:u32 = errno",
  fd_read: "fd:u32 iovecs:hidden count:u32 read:hidden = errno",
  fd_seek: "fd:u32 offset:i64 whence:u32 at:hidden = errno",
  fd_write: "fd:u32 iovecs > written:u32 = errno",
  path_open:
    "fd:u32 flags:u32 path:text oflags:u32 rights:hidden inherited:hidden fdflags:u32" +
    " opened:hidden = errno",
  poll_oneoff: "in:hidden out:hidden count:u32 > events:u32 = errno",
  proc_exit: "code:u32 = void",
  random_get: "> bytes:fill = errno",
  sched_yield: " = errno",
};

/** The http-wasm handler ABI; its errors are traps, not results. */
const HTTP_WASM: Readonly<Record<string, string>> = {
  enable_features: "features:u32 = u32",
  get_config: "> configuration:upto = u32",
  log: "level:severity message:text = void",
  log_enabled: "level:severity = bool",
  get_method: "> method:upto = u32",
  set_method: "method:text = void",
  get_uri: "> uri:upto = u32",
  set_uri: "uri:text = void",
  get_protocol_version: "> version:upto = u32",
  get_source_addr: "> address:upto = u32",
  get_header_names: "kind > names:upto = i64",
  get_header_values: "kind name:text > values:upto = i64",
  set_header_value: "kind name:text value:text = void",
  add_header_value: "kind name:text value:text = void",
  remove_header: "kind name:text = void",
  read_body: "kind > bytes:upto = i64",
  write_body: "kind bytes = void",
  get_status_code: " = u32",
  set_status_code: "status:u32 = void",
};

/** What the host calls; anything else that a guest exports is not told. */
const CALLBACKS: Readonly<Record<string, string>> = {
  _initialize: " = void",
  _start: " = void",
  main: "argc:hidden argv:hidden = i32",
  __main_void: " = i32",
  proxy_on_context_create: "context:u32 parent:u32 = void",
  proxy_on_vm_start: "context:u32 bytes:u32 = bool",
  proxy_on_configure: "context:u32 bytes:u32 = bool",
  proxy_on_tick: "context:u32 = void",
  proxy_on_queue_ready: "context:u32 queue:u32 = void",
  proxy_on_http_call_response: "context:u32 token:u32 headers:u32 body:u32 trailers:u32 = void",
  proxy_on_request_headers: "context:u32 headers:u32 end_of_stream:bool = action",
  proxy_on_request_body: "context:u32 body:u32 end_of_stream:bool = action",
  proxy_on_request_trailers: "context:u32 trailers:u32 = action",
  proxy_on_response_headers: "context:u32 headers:u32 end_of_stream:bool = action",
  proxy_on_response_body: "context:u32 body:u32 end_of_stream:bool = action",
  proxy_on_response_trailers: "context:u32 trailers:u32 = action",
  proxy_on_log: "context:u32 = void",
  proxy_on_done: "context:u32 = bool",
  proxy_on_delete: "context:u32 = void",
  proxy_on_foreign_function: "context:u32 function:u32 bytes:u32 = void",
  proxy_on_grpc_receive_initial_metadata: "context:u32 token:u32 headers:u32 = void",
  proxy_on_grpc_receive: "context:u32 token:u32 bytes:u32 = void",
  proxy_on_grpc_receive_trailing_metadata: "context:u32 token:u32 trailers:u32 = void",
  proxy_on_grpc_trailing_metadata: "context:u32 token:u32 trailers:u32 = void",
  proxy_on_grpc_close: "context:u32 token:u32 status:u32 = void",
  handle_request: " = i64",
  handle_response: "context:u32 is_error:bool = void",
};

const MODULES: ReadonlyMap<string, ReadonlyMap<string, Shape>> = new Map([
  ["env", shapes(PROXY_WASM)],
  ["http_handler", shapes(HTTP_WASM)],
  ...WASI_MODULES.map((name) => [name, shapes(WASI)] as const),
]);

const CALLBACK_SHAPES = shapes(CALLBACKS);

const UNKNOWN = shape(" = i32");
const UNTOLD = shape(" = errno");

/** Of a host function; one that is not known here shows no arguments. */
export function callShape(module: string, name: string): Shape {
  return MODULES.get(module)?.get(name) ?? (isWasi(module, name) ? UNTOLD : UNKNOWN);
}

/** undefined: there is no such function. */
export function knownCallShape(module: string, name: string): Shape | undefined {
  const found = callShape(module, name);
  return found === UNKNOWN ? undefined : found;
}

function isWasi(module: string, name: string): boolean {
  return WASI_MODULES.includes(module) && Object.hasOwn(WASI_SIGNATURES, name);
}

/** undefined: nothing that the host enters a guest by. */
export function callbackShape(name: string): Shape | undefined {
  return CALLBACK_SHAPES.get(name);
}

function shapes(table: Readonly<Record<string, string>>): ReadonlyMap<string, Shape> {
  return new Map(Object.entries(table).map(([name, text]) => [name, shape(text)]));
}
