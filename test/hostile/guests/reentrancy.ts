import { attack, callback, type HostileGuest, reply, SERVED } from "../guest.ts";

/** Host calls out of place: at the wrong time, in the wrong context, twice. */
const headers = (body: string, answer?: number): string => attack("request_headers", body, answer);
const BAD_ARGUMENT = 2;
const NOT_FOUND = 1;
const NOT_NOW = 10;

export const REENTRANCY: readonly HostileGuest[] = [
  {
    name: "reentrancy-contexts-that-are-not-there",
    wat: headers(
      [0, -1, 0x7fff_ffff, "0x80000000"]
        .map((id) => `(call $expect (call $proxy_set_effective_context #${id}) #${BAD_ARGUMENT})`)
        .join("\n"),
    ),
    expect: SERVED,
  },
  {
    // Exchanges of one connection follow one another: the ones before are dead.
    name: "reentrancy-a-dead-context",
    wat: headers(
      `(call $expect
        (call $proxy_set_effective_context (i32.sub (local.get $id) #1))
        (select #0 #${BAD_ARGUMENT} (i32.eq (local.get $id) #2)))`,
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-a-context-to-come",
    wat: headers(
      `(call $expect (call $proxy_set_effective_context (i32.add (local.get $id) #1))
        #${BAD_ARGUMENT})`,
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-reply-from-the-root",
    wat: headers(
      `(drop (call $proxy_set_effective_context #1))
      (local.set $i (call $proxy_send_local_response #418 #0 #0 #0 #0 #0 #0 #-1))
      (drop (call $proxy_set_effective_context (local.get $id)))
      (call $expect (local.get $i) #${BAD_ARGUMENT})`,
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-the-root-to-the-end",
    wat: headers(
      `(drop (call $proxy_set_effective_context #1))
      (drop (call $proxy_add_header_map_value #0 #16 #8 #16 #8))
      (drop (call $proxy_set_property #16 #8 #16 #8))
      (drop (call $proxy_continue_stream #0)) (drop (call $proxy_close_stream #0))`,
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-continue-without-a-pause",
    wat: headers("(drop (call $proxy_continue_stream #0)) (drop (call $proxy_continue_stream #0))"),
    expect: SERVED,
  },
  {
    name: "reentrancy-continue-the-response-first",
    wat: headers("(drop (call $proxy_continue_stream #1)) (drop (call $proxy_continue_response))"),
    expect: SERVED,
  },
  {
    name: "reentrancy-pause-and-continue-at-once",
    wat: headers("(drop (call $proxy_continue_stream #0))", 1),
    expect: SERVED,
  },
  {
    name: "reentrancy-close-twice",
    wat: headers("(drop (call $proxy_close_stream #0)) (drop (call $proxy_close_stream #1))"),
    expect: ["502 FILTER_RESET"],
  },
  {
    name: "reentrancy-close-reply-and-continue",
    wat: headers(
      `(drop (call $proxy_close_stream #0)) ${reply(418)} (drop (call $proxy_continue_stream #0))`,
      1,
    ),
    expect: ["502 FILTER_RESET", "418"],
  },
  {
    name: "reentrancy-reply-close-and-continue",
    wat: headers(
      `${reply(418)} (drop (call $proxy_continue_stream #0)) (drop (call $proxy_close_stream #0))`,
      1,
    ),
    expect: ["502 FILTER_RESET", "418"],
  },
  {
    name: "reentrancy-close-in-the-response-body",
    wat: attack("response_body", "(drop (call $proxy_close_stream #1))"),
    expect: ["502 FILTER_RESET", "cut"],
  },
  {
    name: "reentrancy-close-on-log",
    wat: attack(
      "log",
      "(drop (call $proxy_close_stream #0)) (drop (call $proxy_continue_stream #0))",
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-done-with-nothing-pending",
    wat: headers(`(call $expect (call $proxy_done) #${NOT_FOUND})`),
    expect: SERVED,
  },
  {
    name: "reentrancy-not-done-and-done-all-the-same",
    wat:
      callback("done", "", 0) +
      attack("delete", "(drop (call $proxy_done)) (drop (call $proxy_done))"),
    expect: SERVED,
  },
  {
    name: "reentrancy-headers-of-an-ended-exchange",
    wat: attack(
      "delete",
      `(drop (call $proxy_add_header_map_value #2 #16 #8 #16 #8))
      (drop (call $proxy_set_header_map_pairs #0 #0 #0))
      (drop (call $proxy_set_buffer_bytes #1 #0 #0 #16 #8))`,
    ),
    expect: SERVED,
  },
  {
    name: "reentrancy-host-calls-before-there-are-contexts",
    wat: `(func (export "_initialize")
        (i32.store #128 (call $proxy_set_shared_data #16 #8 #16 #8 #0))
        (i32.store #132 (call $proxy_set_tick_period_milliseconds #10))
        (i32.store #136 (call $proxy_set_effective_context #1))
        (i32.store #140 (call $proxy_send_local_response #418 #0 #0 #0 #0 #0 #0 #-1)))
      ${headers(
        [128, 132, 136, 140].map((at) => `(call $expect (i32.load #${at}) #${NOT_NOW})`).join("\n"),
      )}`,
    expect: SERVED,
  },
  {
    // Two items for each that comes; it ends only to spare this test.
    name: "reentrancy-a-queue-that-feeds-itself",
    wat:
      "(global $left (mut i32) (i32.const 0))" +
      callback("configure", "(drop (call $proxy_register_shared_queue #256 #1 #128))") +
      callback(
        "queue_ready",
        `(drop (call $proxy_dequeue_shared_queue (local.get $queue) #64 #68))
        (if (i32.eqz (global.get $left)) (then (return)))
        (global.set $left (i32.sub (global.get $left) #1))
        (drop (call $proxy_enqueue_shared_queue (local.get $queue) #0 #64))
        (drop (call $proxy_enqueue_shared_queue (local.get $queue) #0 #64))`,
      ) +
      attack(
        "request_headers",
        `(global.set $left #100)
        (drop (call $proxy_enqueue_shared_queue (i32.load #128) #0 #1))`,
      ),
    expect: SERVED,
  },
];
