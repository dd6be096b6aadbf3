import {
  attack,
  callback,
  type CallbackName,
  FLOODED,
  type HostileGuest,
  SERVED,
  SHORT,
} from "../guest.ts";

/**
 * Host calls without an end, each kind for itself. Something has to stop each: the callback's
 * deadline or the bound on what host calls may cost it.
 */
const N = "(local.set $i (i32.add (local.get $i) #1)) (call $spell (local.get $i))";

interface Flood {
  /** Runs once per turn. */
  readonly turn: string;
  readonly first?: string;
  readonly more?: string;
  readonly where?: CallbackName;
  readonly request?: "post";
  readonly expect?: readonly string[];
}

const FLOODS: Readonly<Record<string, Flood>> = {
  "log-lines": { turn: "(drop (call $proxy_log #2 #16 #8))" },
  "long-log-lines": { turn: "(drop (call $proxy_log #4 #0 #65536))" },
  "standard-output": {
    first: "(i32.store #32768 #4096) (i32.store #32772 #8192)",
    turn: "(drop (call $fd_write #1 #32768 #1 #64))",
  },
  "standard-error-without-line-ends": {
    first: "(memory.fill #4096 #97 #8192) (i32.store #32768 #4096) (i32.store #32772 #8192)",
    turn: "(drop (call $fd_write #2 #32768 #1 #64))",
  },
  "metrics-defined": { turn: `${N} (drop (call $proxy_define_metric #0 #256 #8 #128))` },
  "metrics-incremented": {
    first: "(drop (call $proxy_define_metric #0 #16 #8 #128))",
    turn: "(drop (call $proxy_increment_metric (i32.load #128) (i64.const 0x7fffffffffffffff)))",
  },
  "metrics-recorded": {
    first: "(drop (call $proxy_define_metric #2 #16 #8 #128))",
    turn: "(drop (call $proxy_record_metric (i32.load #128) (i64.const -1)))",
  },
  "metrics-read": {
    first: "(drop (call $proxy_define_metric #1 #16 #8 #128))",
    turn: "(drop (call $proxy_get_metric (i32.load #128) #136))",
  },
  "shared-keys": { turn: `${N} (drop (call $proxy_set_shared_data #256 #8 #0 #64 #0))` },
  "shared-values": { turn: `${N} (drop (call $proxy_set_shared_data #256 #8 #0 #65536 #0))` },
  "shared-value-read": {
    first: "(drop (call $proxy_set_shared_data #16 #8 #0 #16384 #0))",
    turn: "(drop (call $proxy_get_shared_data #16 #8 #64 #68 #72))",
  },
  queues: { turn: `${N} (drop (call $proxy_register_shared_queue #256 #8 #128))` },
  "queues-resolved": {
    turn: `${N} (drop (call $proxy_resolve_shared_queue #0 #0 #256 #8 #128))`,
  },
  "queue-items": {
    first: "(drop (call $proxy_register_shared_queue #256 #1 #128))",
    turn: "(drop (call $proxy_enqueue_shared_queue (i32.load #128) #0 #64))",
    more: callback("queue_ready", ""),
  },
  "large-queue-items": {
    first: "(drop (call $proxy_register_shared_queue #256 #1 #128))",
    turn: "(drop (call $proxy_enqueue_shared_queue (i32.load #128) #0 #65536))",
  },
  "request-headers": { turn: `${N} (drop (call $proxy_add_header_map_value #0 #256 #8 #256 #8))` },
  "one-request-header": {
    turn: "(drop (call $proxy_add_header_map_value #0 #16 #8 #16 #8))",
  },
  "long-headers": {
    first: "(memory.fill #32768 #97 #32768)",
    turn: "(drop (call $proxy_add_header_map_value #0 #16 #8 #32768 #32768))",
  },
  "response-headers": {
    where: "response_headers",
    turn: `${N} (drop (call $proxy_add_header_map_value #2 #256 #8 #256 #8))`,
  },
  "headers-replaced": {
    turn: `${N} (drop (call $proxy_replace_header_map_value #0 #256 #8 #256 #8))`,
  },
  "headers-removed": { turn: "(drop (call $proxy_remove_header_map_value #0 #16 #8))" },
  "header-maps-read": { turn: "(drop (call $proxy_get_header_map_pairs #0 #64 #68))" },
  "header-maps-set": { turn: "(drop (call $proxy_set_header_map_pairs #0 #0 #0))" },
  "properties-set": { turn: `${N} (drop (call $proxy_set_property #256 #8 #256 #8))` },
  "properties-read": {
    first: "(i64.store #256 (i64.const 0x7a7a7a7a7a7a7a7a))",
    turn: "(drop (call $proxy_get_property #256 #8 #64 #68))",
  },
  replies: { turn: "(drop (call $proxy_send_local_response #418 #0 #0 #0 #32768 #0 #0 #-1))" },
  ticks: {
    turn: "(drop (call $proxy_set_tick_period_milliseconds #1))",
    more: callback("tick", ""),
  },
  contexts: { turn: `${N} (drop (call $proxy_set_effective_context (local.get $i)))` },
  "contexts-continued": { turn: "(drop (call $proxy_continue_stream #0))" },
  "foreign-functions": {
    turn: `${N} (drop (call $proxy_call_foreign_function #256 #8 #0 #0 #64 #68))`,
  },
  compressions: {
    first: "(i64.store #256 (i64.const 0x73736572706d6f63))", // compress
    turn: "(drop (call $proxy_call_foreign_function #256 #8 #0 #65536 #0 #0))",
  },
  expressions: {
    // expr_create of minus signs and a digit.
    first: `(i64.store #256 (i64.const 0x6572635f72707865)) (i32.store #264 #0x657461)
      (memory.fill #512 #45 #2047) (i32.store8 #2559 #49)`,
    turn: "(drop (call $proxy_call_foreign_function #256 #11 #512 #2048 #0 #0))",
  },
  "grpc-calls": { turn: "(drop (call $proxy_grpc_call #0 #0 #0 #0 #0 #0 #0 #0 #0 #0 #0 #64))" },
  "refused-call-outs": {
    turn: "(drop (call $proxy_http_call #16 #8 #0 #0 #0 #0 #0 #0 #0 #64))",
  },
  clocks: { turn: "(drop (call $proxy_get_current_time_nanoseconds #64))" },
  randomness: { turn: "(drop (call $random_get #0 #65536))" },
  "a-gigabyte-of-randomness": { turn: "(drop (call $random_get #0 #0x40000000))" },
  environment: { turn: "(drop (call $environ_get #32768 #32768))" },
  polls: { turn: "(drop (call $poll_oneoff #32768 #32768 #1 #64))" },
  exits: {
    turn: "(try (do (call $proc_exit #0)) (catch_all))",
    expect: [...FLOODED, "503 FILTER_FAILED"],
  },
  "bodies-read": {
    where: "request_body",
    request: "post",
    turn: "(drop (call $proxy_get_buffer_bytes #0 #0 #-1 #64 #68))",
  },
  "bodies-appended-to": {
    where: "request_body",
    request: "post",
    turn: "(drop (call $proxy_set_buffer_bytes #0 #-1 #0 #0 #65536))",
  },
  "bodies-prepended-to": {
    where: "request_body",
    request: "post",
    turn: "(drop (call $proxy_set_buffer_bytes #0 #0 #0 #0 #1))",
  },
  "response-bodies": {
    where: "response_body",
    turn: "(drop (call $proxy_set_buffer_bytes #1 #-1 #0 #0 #65536))",
    expect: [...FLOODED, "cut"],
  },
  "the-log-in-on-log": {
    where: "log",
    turn: "(drop (call $proxy_log #2 #16 #8))",
    expect: SERVED,
  },
};

export const FLOODED_HOSTS: readonly HostileGuest[] = Object.entries(FLOODS).map(
  ([name, { where = "request_headers", first = "", turn, more = "", request, expect }]) => ({
    name: `flood-${name}`,
    wat: attack(where, `${first} (loop $l ${turn} (br $l))`) + more,
    expect: expect ?? FLOODED,
    settings: SHORT,
    ...(request === undefined ? {} : { request }),
  }),
);
