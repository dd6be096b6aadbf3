import { attack, DEADLINE, FAILED, type HostileGuest, SERVED, SHORT } from "../guest.ts";

/** Allocators that lie, or do something else than to allocate. Bytes are the header's: 16. */
const ASK = `(local.set $i (call $proxy_get_header_map_value #0 #16 #8 #64 #68))
  (if (i32.eq (local.get $i) #1) (then (return #0)))`;
const OK = 0;
const BAD_MEMORY = 6;
/** What host functions answer that may not be called now. */
const NOT_NOW = 10;

function allocating(
  name: string,
  body: string,
  outcome: { status: number } | { verdicts: readonly string[] },
  more: Partial<HostileGuest> = {},
): HostileGuest {
  const status = "status" in outcome ? `(call $expect (local.get $i) #${outcome.status})` : "";
  const wat = `(data (i32.const 16) "x-attack")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $i i32)
      ${ASK} ${status} #0)
    (func (export "proxy_on_memory_allocate") (param $n i32) (result i32) ${body})`;
  const expect = "status" in outcome ? SERVED : outcome.verdicts;
  return { expect, ...more, name: `allocator-${name}`, wat: wat + (more.wat ?? "") };
}

/** Calls a host function from inside the allocator, and keeps its answer for the callback. */
function calling(name: string, call: string, status: number): HostileGuest {
  const wat = `${attack("request_headers", `(call $expect (i32.load #128) #${status})`)}
    (func (export "malloc") (param i32) (result i32)
      (i32.store #128 (call ${call})) #4096)`;
  return { name: `allocator-calling-${name}`, wat, expect: SERVED };
}

export const ALLOCATORS: readonly HostileGuest[] = [
  allocating("null", "#0", { status: BAD_MEMORY }),
  allocating("at-one", "#1", { status: OK }),
  allocating("minus-sixteen", "#-16", { status: BAD_MEMORY }),
  allocating("minus-one", "#-1", { status: BAD_MEMORY }),
  allocating("three-before-the-end", "(i32.sub (i32.mul (memory.size) #65536) #3)", {
    status: BAD_MEMORY,
  }),
  allocating("just-fitting", "(i32.sub (i32.mul (memory.size) #65536) (local.get $n))", {
    status: OK,
  }),
  allocating("the-end", "(i32.mul (memory.size) #65536)", { status: BAD_MEMORY }),
  allocating("the-poll-page", "#-65536", { status: BAD_MEMORY }),
  allocating("the-sign-bit", "#0x80000000", { status: BAD_MEMORY }),
  allocating("the-out-pointers", "#64", { status: OK }),
  allocating("between-the-out-pointers", "#66", { status: OK }),
  allocating("the-name-asked-for", "#16", { status: OK }),
  allocating("trap", "unreachable", { verdicts: FAILED }),
  allocating("division-by-zero", "(i32.div_u (local.get $n) #0)", { verdicts: FAILED }),
  allocating("exit", "(call $proc_exit #3) #4096", { verdicts: FAILED }),
  allocating("exit-with-zero", "(call $proc_exit #0) #4096", { verdicts: FAILED }),
  allocating("throw", "(throw $e)", { verdicts: FAILED }, { wat: "(tag $e)" }),
  allocating("loop", "(loop $l (br $l)) #4096", { verdicts: DEADLINE }, { settings: SHORT }),
  allocating("growing", "(drop (memory.grow #1)) #4096", { status: OK }),
  allocating("wiping-everything", "(memory.fill #0 #255 (i32.mul (memory.size) #65536)) #4096", {
    status: OK,
  }),
  {
    // The trap passes through the host function; whoever catches it must not go on.
    name: "allocator-trap-caught",
    wat: `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (try (do (drop (call $armed))) (catch_all)) #0)
      (func (export "malloc") (param i32) (result i32) unreachable)`,
    expect: FAILED,
  },
  {
    name: "allocator-exit-caught",
    wat: `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (try (do (drop (call $armed))) (catch_all)) #0)
      (func (export "malloc") (param i32) (result i32) (call $proc_exit #9) #4096)`,
    expect: FAILED,
  },
  {
    name: "allocator-loop-caught-and-looped-on",
    wat: `(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (loop $l (try (do (br_if $l (call $armed))) (catch_all (br $l)))) #0)
      (func (export "malloc") (param i32) (result i32) (loop $l (br $l)) #4096)`,
    expect: DEADLINE,
    settings: SHORT,
  },
  calling("a-header", "$proxy_get_header_map_value #0 #16 #8 #64 #68", NOT_NOW),
  calling("set-header", "$proxy_add_header_map_value #0 #16 #8 #16 #8", NOT_NOW),
  calling("reply", "$proxy_send_local_response #418 #0 #0 #0 #0 #0 #0 #-1", NOT_NOW),
  calling("continue", "$proxy_continue_stream #0", NOT_NOW),
  calling("close", "$proxy_close_stream #0", NOT_NOW),
  calling("effective-context", "$proxy_set_effective_context #1", NOT_NOW),
  calling("done", "$proxy_done", NOT_NOW),
  calling("shared-data", "$proxy_set_shared_data #16 #8 #16 #8 #0", NOT_NOW),
  calling("a-call-out", "$proxy_http_call #16 #8 #0 #0 #0 #0 #0 #0 #0 #64", NOT_NOW),
  calling("log", "$proxy_log #0 #16 #8", OK),
  calling("the-clock", "$proxy_get_current_time_nanoseconds #136", OK),
];
