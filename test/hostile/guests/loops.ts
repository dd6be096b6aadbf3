import { attack, callback, DEADLINE, type HostileGuest, SERVED, SHORT } from "../guest.ts";

/** Every form of a loop that the binary format has, in the first callback of an exchange. */
const NOTHING = "(type $v (func)) (table 2 funcref) (elem (i32.const 0) $f) (func $f)";
const WIDE = "(local.set $i (i32.add (local.get $i) #1))".repeat(2000);
const DOUBLINGS = 60;
const doubling = Array.from(
  { length: DOUBLINGS },
  (_, n) => `(func $f${n + 1} (call $f${n}) (call $f${n}))`,
).join("\n");
const doublingIndirectly = Array.from(
  { length: DOUBLINGS },
  (_, n) => `(func $f${n + 1} (call_indirect (type $v) #${n}) (call_indirect (type $v) #${n}))`,
).join("\n");

export const FORMS: Readonly<Record<string, { body: string; more?: string }>> = {
  empty: { body: "(loop $l (br $l))" },
  nested: {
    body: `(loop $l (local.set $i #1000)
      (loop $m (local.set $i (i32.sub (local.get $i) #1)) (br_if $m (local.get $i))) (br $l))`,
  },
  "nested-endless-inside": { body: "(loop $l (loop $m (loop $n (br $n)) (br $m)) (br $l))" },
  "br-if": { body: "(loop $l (br_if $l #1))" },
  "br-table": { body: "(loop $l (br_table $l $l $l (local.get $i)))" },
  "if-arms": {
    body: "(loop $l (if (local.get $i) (then (br $l)) (else (local.set $i #1))) (br $l))",
  },
  "block-and-back": {
    body: `(block $out (loop $l (block $in (br_if $in (local.get $i)) (br_if $out (local.get $j)))
      (br $l)))`,
  },
  "with-parameter": { body: "#0 (loop $l (param i32) (drop) #0 (br $l))" },
  "counting-to-2-64": {
    body: `(loop $l (local.set $k (i64.add (local.get $k) (i64.const 1)))
      (br_if $l (i64.ne (local.get $k) (i64.const -1))))`,
  },
  "wide-body": { body: `(loop $l ${WIDE} (br $l))` },
  call: { body: "(loop $l (call $f) (br $l))", more: "(func $f)" },
  "call-indirect": { body: "(loop $l (call_indirect (type $v) #0) (br $l))", more: NOTHING },
  "tail-call": { body: "(call $f)", more: "(func $f (return_call $f))" },
  "tail-call-pair": {
    body: "(call $f)",
    more: "(func $f (return_call $g)) (func $g (return_call $f))",
  },
  "tail-call-indirect": {
    body: "(call $f)",
    more: `(type $v (func)) (table 1 funcref) (elem (i32.const 0) $f)
      (func $f (return_call_indirect (type $v) #0))`,
  },
  "pointer-chase": {
    body: `(i32.store #32768 #65532) (i32.store #65532 #32768) (local.set $i #32768)
      (loop $l (local.set $i (i32.load (local.get $i))) (br $l))`,
  },
  fill: {
    body: "(loop $l (memory.fill #65536 #7 #1048576) (br $l))",
    more: '(memory (export "memory") 17)',
  },
  copy: {
    body: "(loop $l (memory.copy #65536 #131072 #524288) (br $l))",
    more: '(memory (export "memory") 17)',
  },
  init: {
    body: "(loop $l (memory.init $d #32768 #0 #4) (br $l))",
    more: '(data $d "1234")',
  },
  "grow-by-nothing": { body: "(loop $l (drop (memory.grow #0)) (br $l))" },
  "memory-size": { body: "(loop $l (drop (memory.size)) (br $l))" },
  "table-set": { body: "(loop $l (table.set #1 (ref.null func)) (br $l))", more: NOTHING },
  "table-grow-by-nothing": {
    body: "(loop $l (drop (table.grow (ref.null func) #0)) (br $l))",
    more: NOTHING,
  },
  divisions: {
    body: `(local.set $k (i64.const 7))
      (loop $l (local.set $k (i64.div_u (i64.const -1) (local.get $k))) (br $l))`,
  },
  "square-roots": { body: "(loop $l (drop (f64.sqrt (f64.const 2))) (br $l))" },
  vectors: {
    body: `(loop $l (drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4)))
      (br $l))`,
  },
  "inside-catch-all": { body: "(loop $l (try (do (loop $m (br $m))) (catch_all)) (br $l))" },
  "throwing-and-catching": {
    body: "(loop $l (try (do (throw $e)) (catch $e)) (br $l))",
    more: "(tag $e)",
  },
  "behind-delegate": {
    body: "(try $t (do (try (do (loop $l (br $l))) (delegate $t))) (catch_all))",
  },
  "doubling-calls": { body: `(call $f${DOUBLINGS})`, more: `(func $f0) ${doubling}` },
  "doubling-indirect-calls": {
    body: `(call_indirect (type $v) #${DOUBLINGS})`,
    more: `(type $v (func)) (table ${DOUBLINGS + 1} funcref) (func $f0) ${doublingIndirectly}
      (elem (i32.const 0) ${Array.from({ length: DOUBLINGS + 1 }, (_, n) => `$f${n}`).join(" ")})`,
  },
  "of-host-calls": {
    body: "(loop $l (drop (call $proxy_get_header_map_size #0 #64)) (br $l))",
  },
  "waiting-for-the-clock": {
    body: "(loop $l (drop (call $clock_time_get #1 (i64.const 0) #64)) (br $l))",
  },
  yielding: { body: "(loop $l (drop (call $sched_yield)) (br $l))" },
  "of-randomness": { body: "(loop $l (drop (call $random_get #32768 #4096)) (br $l))" },
  "writing-the-poll-page": { body: "(loop $l (i32.store8 #-65536 #1) (br $l))" },
  "reading-the-poll-page": { body: "(loop $l (drop (i32.load8_u #-65536)) (br $l))" },
};

const EMPTY = "(loop $l (br $l))";

/** Where exchanges are stopped, and with which verdict. */
const PLACES: readonly Partial<HostileGuest>[] = [
  { name: "context-create", wat: attack("context_create", EMPTY), expect: DEADLINE },
  { name: "request-body", wat: attack("request_body", EMPTY), request: "post", expect: DEADLINE },
  {
    name: "request-trailers",
    wat: attack("request_trailers", EMPTY),
    request: "trailers",
    expect: DEADLINE,
  },
  { name: "response-headers", wat: attack("response_headers", EMPTY), expect: DEADLINE },
  // The head has left by then, unless the whole answer came in one piece.
  { name: "response-body", wat: attack("response_body", EMPTY), expect: [...DEADLINE, "cut"] },
  {
    name: "response-trailers",
    wat: attack("response_trailers", EMPTY),
    request: "trailers",
    expect: [...DEADLINE, "cut"],
  },
  // The answer has left by then: the exchange is as it should be.
  { name: "log", wat: attack("log", EMPTY), expect: SERVED },
  { name: "done", wat: attack("done", EMPTY), expect: SERVED },
  { name: "delete", wat: attack("delete", EMPTY), expect: SERVED },
  {
    name: "log-and-done",
    wat: attack("log", EMPTY) + attack("done", EMPTY) + attack("delete", EMPTY),
    expect: SERVED,
  },
];

/** In what runs beside the exchanges: they may or may not be caught in it. */
const BESIDE: readonly Partial<HostileGuest>[] = [
  {
    name: "tick",
    wat:
      callback("configure", "(drop (call $proxy_set_tick_period_milliseconds #10))") +
      callback("tick", EMPTY),
    expect: [...SERVED, ...DEADLINE],
  },
  {
    name: "queue-ready",
    wat:
      callback("configure", "(drop (call $proxy_register_shared_queue #256 #1 #128))") +
      callback("queue_ready", EMPTY) +
      attack(
        "request_headers",
        "(drop (call $proxy_enqueue_shared_queue (i32.load #128) #256 #1))",
      ),
    expect: [...SERVED, ...DEADLINE],
  },
];

export const LOOPS: readonly HostileGuest[] = [
  ...Object.entries(FORMS).map(([name, { body, more = "" }]) => ({
    name: `loop-${name}`,
    wat: attack("request_headers", body) + more,
    expect: DEADLINE,
    settings: SHORT,
  })),
  ...[...PLACES, ...BESIDE].map(
    (place) => ({ settings: SHORT, ...place, name: `loop-in-${place.name}` }) as HostileGuest,
  ),
];
