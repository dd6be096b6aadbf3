import { attack, callback, FAILED, type HostileGuest, SERVED } from "../guest.ts";

/**
 * Guests that leave a mark for the next exchange, wherever something can be left, and reply 599
 * when they find one. With `instances: per_request` none may ever do.
 */
const fresh = (name: string, wat: string, expect: readonly string[] = SERVED): HostileGuest => ({
  name: `state-${name}`,
  wat,
  expect,
  instances: ["per_request"],
});
const headers = (body: string): string => attack("request_headers", body);
/** An address: nothing there, then a mark. */
const at = (address: string): string =>
  `(call $expect (i32.load ${address}) #0) (i32.store ${address} #0x4b52414d)`;

const GLOBALS: Readonly<Record<string, string>> = {
  i32: "(global $g (mut i32) (i32.const 0))",
  i64: "(global $g (mut i64) (i64.const 0))",
  f32: "(global $g (mut f32) (f32.const 0))",
  f64: "(global $g (mut f64) (f64.const 0))",
};
const isSet: Readonly<Record<string, string>> = {
  i32: "(global.get $g)",
  i64: "(i64.ne (global.get $g) (i64.const 0))",
  f32: "(f32.ne (global.get $g) (f32.const 0))",
  f64: "(f64.ne (global.get $g) (f64.const 0))",
};

export const STATE: readonly HostileGuest[] = [
  fresh("in-low-memory", headers(at("#2048"))),
  fresh("in-the-first-word", headers(at("#0"))),
  fresh("in-the-last-word", headers(at("#65532"))),
  fresh(
    "in-every-page",
    `(memory (export "memory") 16) ${headers(
      `(loop $l (local.set $j (i32.add (i32.mul (local.get $i) #4096) #2048))
        ${at("(local.get $j)")}
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) #1)) #256)))`,
    )}`,
  ),
  fresh(
    "in-the-data",
    `(data (i32.const 32768) "GOOD") ${headers(
      "(call $expect (i32.load #32768) #0x444f4f47) (i32.store #32768 #0x4c495645)",
    )}`,
  ),
  fresh(
    "in-large-data",
    `(memory (export "memory") 32) (data (i32.const 1048576) "GOOD") ${headers(
      `(call $expect (i32.load #1048576) #0x444f4f47)
      (call $expect (i32.load #1048580) #0) (memory.fill #65536 #255 #2031616)`,
    )}`,
  ),
  ...Object.entries(GLOBALS).map(([type, global]) =>
    fresh(
      `in-a-global-${type}`,
      `${global} ${headers(`(call $expect ${isSet[type]} #0) (global.set $g (${type}.const 1))`)}`,
    ),
  ),
  fresh(
    "in-a-global-v128",
    `(global $g (mut v128) (v128.const i32x4 0 0 0 0)) ${headers(
      `(call $expect (v128.any_true (global.get $g)) #0)
      (global.set $g (v128.const i32x4 1 2 3 4))`,
    )}`,
  ),
  fresh(
    "in-a-global-funcref",
    `(global $g (mut funcref) (ref.null func)) (func $f) (elem declare func $f) ${headers(
      `(call $expect (ref.is_null (global.get $g)) #1) (global.set $g (ref.func $f))`,
    )}`,
  ),
  fresh(
    "in-an-exported-global",
    `(global $g (export "kept") (mut i32) (i32.const 0)) ${headers(
      "(call $expect (global.get $g) #0) (global.set $g #1)",
    )}`,
  ),
  fresh("in-the-memory-size", headers("(call $expect (memory.size) #1) (drop (memory.grow #3))")),
  fresh(
    "in-grown-memory",
    headers(
      `(local.set $i (i32.mul (memory.grow #4) #65536))
      ${at("(local.get $i)")} ${at("(i32.add (local.get $i) #200000)")}`,
    ),
  ),
  fresh(
    "in-grown-memory-once-more",
    headers(
      `(drop (memory.grow #4)) ${at("#70000")} (drop (memory.grow #40)) ${at("#2000000")}
      (call $expect (memory.size) #45)`,
    ),
  ),
  fresh(
    "behind-the-memory-after-growth",
    headers("(drop (memory.grow #4)) (drop (i32.load (i32.mul (memory.size) #65536)))"),
    FAILED,
  ),
  fresh(
    // A page that a former exchange had grown, and this one has not: which does, chance decides.
    "behind-the-memory-without-growth",
    headers(
      `(drop (call $random_get #160 #1))
      (if (i32.and (i32.load8_u #160) #1)
        (then (drop (memory.grow #4)) (i32.store #131072 #1))
        (else (call $expect (memory.size) #1)))`,
    ),
  ),
  fresh("in-the-poll-page", headers(at("#-65536"))),
  fresh("at-the-end-of-the-poll-page", headers(at("#-61444"))),
  fresh("behind-the-poll-page", headers("(i32.store #-60000 #1)"), FAILED),
  fresh("at-the-last-word", headers("(i32.store #-4 #1)"), FAILED),
  fresh("before-the-poll-page", headers("(i32.store #-65540 #1)"), FAILED),
  fresh(
    "in-a-table",
    `(table 4 funcref) (func $f) (elem declare func $f) ${headers(
      `(call $expect (ref.is_null (table.get #2)) #1) (table.set #2 (ref.func $f))`,
    )}`,
  ),
  fresh(
    "in-a-table-by-fill-and-copy",
    `(table 8 funcref) (func $f) (elem declare func $f) ${headers(
      `(call $expect (ref.is_null (table.get #7)) #1)
      (table.fill #0 (ref.func $f) #4) (table.copy #4 #0 #4)`,
    )}`,
  ),
  fresh(
    "in-the-table-size",
    `(table 1 funcref) ${headers(
      `(call $expect (table.size) #1) (drop (table.grow (ref.null func) #9))`,
    )}`,
  ),
  fresh(
    "in-a-dropped-data-segment",
    `(data $d "abcd") ${headers("(memory.init $d #2048 #0 #4) (data.drop $d)")}`,
  ),
  fresh(
    "in-a-dropped-element-segment",
    `(table 2 funcref) (func $f) (elem $e func $f) ${headers(
      "(table.init $e #0 #0 #1) (elem.drop $e)",
    )}`,
  ),
  fresh(
    "in-what-a-trap-leaves",
    `(global $g (mut i32) (i32.const 0)) ${headers(
      `(if (global.get $g) (then (call $expect #1 #0) (return #1)))
      (call $expect (i32.load #2048) #0)
      (global.set $g #1) (i32.store #2048 #1) unreachable`,
    )}`,
    FAILED,
  ),
  fresh(
    "in-later-callbacks",
    `(global $g (mut i32) (i32.const 0)) ${
      headers("(call $expect (global.get $g) #0)") +
      attack("log", "(global.set $g #1)") +
      attack("done", "(i32.store #2048 #1)") +
      attack("delete", "(drop (memory.grow #1)) (global.set $g #1)")
    } ${attack("context_create", "(call $expect (i32.load #2048) #0)")}`,
  ),
  fresh(
    "from-the-start-kept",
    `(global $g (mut i32) (i32.const 0))
      ${callback("configure", "(global.set $g #7) (i32.store #2048 #8)")}
      ${headers(
        `(call $expect (global.get $g) #7) (call $expect (i32.load #2048) #8)
        (global.set $g #9) (i32.store #2048 #9)`,
      )}`,
  ),
];
