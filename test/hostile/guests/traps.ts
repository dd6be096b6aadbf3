import { attack, callback, FAILED, type HostileGuest, SERVED } from "../guest.ts";

/** Every way to end a call early, and a trap in every place. */
const TABLE = `(type $v (func)) (type $other (func (param i64)))
  (table 3 funcref) (elem (i32.const 0) $f) (func $f)`;

const KINDS: Readonly<Record<string, { body: string; more?: string }>> = {
  unreachable: { body: "unreachable" },
  "division-by-zero": { body: "(drop (i32.div_s (local.get $i) (local.get $j)))" },
  "remainder-by-zero": { body: "(drop (i64.rem_u (local.get $k) (local.get $k)))" },
  "division-that-overflows": { body: "(drop (i32.div_s #0x80000000 #-1))" },
  "not-a-number": { body: "(drop (i32.trunc_f64_s (f64.const nan)))" },
  "number-too-large": { body: "(drop (i64.trunc_f32_u (f32.const 1e30)))" },
  "load-behind-the-end": { body: "(drop (i32.load (i32.mul (memory.size) #65536)))" },
  "load-over-the-end": { body: "(drop (i64.load (i32.sub (i32.mul (memory.size) #65536) #7)))" },
  "store-far-away": { body: "(i32.store #0x70000000 #1)" },
  "store-at-the-last-byte": { body: "(i32.store8 #-1 #1)" },
  "store-over-the-last-byte": { body: "(i64.store #-1 (i64.const 1))" },
  "store-behind-the-poll-page": { body: "(i32.store8 offset=0x10000 #0xffff0000 #1)" },
  "store-with-a-huge-offset": { body: "(i32.store offset=0xffffffff #-1 #1)" },
  "store-at-8-gigabytes-less-one": { body: "(i32.store8 offset=0xffffffff #-1 #1)" },
  "fill-behind-the-end": { body: "(memory.fill #65000 #0 #-1)" },
  "fill-of-everything": { body: "(memory.fill #0 #0 #-1)" },
  "copy-behind-the-end": { body: "(memory.copy #0 #65000 #65000)" },
  "copy-from-the-poll-page": { body: "(memory.copy #0 #-65536 #16)" },
  "init-behind-the-segment": { body: "(memory.init $d #0 #2 #4)", more: '(data $d "1234")' },
  "init-after-drop": { body: "(data.drop $d) (memory.init $d #0 #0 #1)", more: '(data $d "1")' },
  "indirect-call-of-nothing": { body: "(call_indirect (type $v) #1)", more: TABLE },
  "indirect-call-behind-the-table": { body: "(call_indirect (type $v) #3)", more: TABLE },
  "indirect-call-at-minus-one": { body: "(call_indirect (type $v) #-1)", more: TABLE },
  "indirect-call-of-another-type": {
    body: "(call_indirect (type $other) (i64.const 0) #0)",
    more: TABLE,
  },
  "table-get-behind-the-end": { body: "(drop (table.get #3))", more: TABLE },
  "table-fill-behind-the-end": {
    body: "(table.fill #2 (ref.null func) #-1)",
    more: TABLE,
  },
  "uncaught-throw": { body: "(throw $e)", more: "(tag $e)" },
  "uncaught-throw-with-values": {
    body: "(throw $e (i64.const 1) #2)",
    more: "(tag $e (param i64 i32))",
  },
  rethrow: { body: "(try (do (throw $e)) (catch_all (rethrow 0)))", more: "(tag $e)" },
  "exit-0": { body: "(call $proc_exit #0)" },
  "exit-1": { body: "(call $proc_exit #1)" },
  "exit-255": { body: "(call $proc_exit #255)" },
  "exit-minus-one": { body: "(call $proc_exit #-1)" },
  "exit-that-is-caught": { body: "(try (do (call $proc_exit #1)) (catch_all))" },
  "trap-inside-catch-all": { body: "(try (do unreachable) (catch_all))" },
};

const BEFORE_THE_HEAD = [
  ["context_create", "get"],
  ["request_headers", "get"],
  ["request_body", "post"],
  ["request_trailers", "trailers"],
  ["response_headers", "get"],
] as const;
/** The head has left by then, unless the whole answer came in one piece. */
const AFTER_THE_HEAD = [
  ["response_body", "get"],
  ["response_trailers", "trailers"],
] as const;
const AFTER_THE_END = ["log", "done", "delete"] as const;

const EXITS = { trap: "unreachable", exit: "(call $proc_exit #1)", throw: "(throw $e)" } as const;

function everywhere(kind: keyof typeof EXITS): HostileGuest[] {
  const more = kind === "throw" ? "(tag $e)" : "";
  const guest = (
    where: Parameters<typeof attack>[0],
    expect: readonly string[],
    request: HostileGuest["request"],
  ): HostileGuest => ({
    name: `${kind}-in-${where.replaceAll("_", "-")}`,
    wat: attack(where, EXITS[kind]) + more,
    expect,
    ...(request === undefined ? {} : { request }),
  });
  return [
    ...BEFORE_THE_HEAD.map(([where, request]) => guest(where, FAILED, request)),
    ...AFTER_THE_HEAD.map(([where, request]) => guest(where, [...FAILED, "cut"], request)),
    ...AFTER_THE_END.map((where) => guest(where, SERVED, "get")),
  ];
}

export const TRAPS: readonly HostileGuest[] = [
  ...Object.entries(KINDS).map(([name, { body, more = "" }]) => ({
    name: `trap-by-${name}`,
    wat: attack("request_headers", body) + more,
    expect: FAILED,
  })),
  ...(Object.keys(EXITS) as (keyof typeof EXITS)[]).flatMap(everywhere),
  {
    name: "trap-in-tick",
    wat:
      callback("configure", "(drop (call $proxy_set_tick_period_milliseconds #10))") +
      callback("tick", "unreachable") +
      callback("request_headers", ""),
    expect: [...SERVED, ...FAILED],
  },
  {
    name: "trap-in-queue-ready",
    wat:
      callback("configure", "(drop (call $proxy_register_shared_queue #256 #1 #128))") +
      callback("queue_ready", "unreachable") +
      attack("request_headers", "(drop (call $proxy_enqueue_shared_queue (i32.load #128) #0 #1))"),
    expect: [...SERVED, ...FAILED],
  },
  {
    name: "trap-after-a-reply",
    wat: attack(
      "request_headers",
      "(drop (call $proxy_send_local_response #418 #0 #0 #0 #0 #0 #0 #-1)) unreachable",
    ),
    expect: FAILED,
  },
  {
    name: "trap-with-the-locks-held",
    wat: `(global $locked (mut i32) (i32.const 0)) ${attack(
      "request_headers",
      "(global.set $locked #1) unreachable",
    )} ${callback("response_headers", "(if (global.get $locked) (then unreachable))")}`,
    expect: FAILED,
  },
];
