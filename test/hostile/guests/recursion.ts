import { attack, DEADLINE, type HostileGuest, SERVED, SHORT, TOO_DEEP } from "../guest.ts";

/** Guests that call themselves: until the stack is full, or for ever by other means. */
const big = Array.from({ length: 200 }, (_, n) => `(local $l${n} i64)`).join(" ");
const bigSum = Array.from({ length: 200 }, (_, n) => `(local.set $l${n} (local.get $k))`).join(" ");

export const RECURSION: readonly HostileGuest[] = [
  {
    name: "recursion-direct",
    wat: `${attack("request_headers", "(drop (call $f #1))")}
      (func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) #1))`,
    expect: TOO_DEEP,
  },
  {
    name: "recursion-mutual",
    wat: `${attack("request_headers", "(drop (call $f #1))")}
      (func $f (param i32) (result i32) (i32.add (call $g (local.get 0)) #1))
      (func $g (param i32) (result i32) (i32.add (call $f (local.get 0)) #1))`,
    expect: TOO_DEEP,
  },
  {
    name: "recursion-indirect",
    wat: `${attack("request_headers", "(drop (call $f #1))")}
      (type $t (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $f)
      (func $f (param i32) (result i32)
        (i32.add (call_indirect (type $t) (local.get 0) #0) #1))`,
    expect: TOO_DEEP,
  },
  {
    name: "recursion-with-large-frames",
    wat: `${attack("request_headers", "(call $f (i64.const 1))")}
      (func $f (param $k i64) ${big}
        ${bigSum} (call $f (i64.add (local.get $l7) (local.get $l199)))
        (drop (local.get $l100)))`,
    expect: TOO_DEEP,
  },
  {
    name: "recursion-of-a-thousand",
    wat: `${attack("request_headers", "(call $expect (call $f #1000) #1000)")}
      (func $f (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (call $f (i32.sub (local.get 0) #1)) #1)) (else #0)))`,
    expect: SERVED,
  },
  {
    // Catches each overflow and goes down again: 2 to the power of the depth calls.
    name: "recursion-from-its-own-overflow",
    wat: `${attack("request_headers", "(call $f)")}
      (func $f (try (do (call $f)) (catch_all (call $f))))`,
    expect: TOO_DEEP,
    settings: SHORT,
  },
  {
    name: "recursion-catching-and-looping",
    wat: `${attack("request_headers", "(loop $l (try (do (call $f)) (catch_all)) (br $l))")}
      (func $f (call $f) (call $f))`,
    expect: TOO_DEEP,
    settings: SHORT,
  },
  {
    // Two to the power of 60 calls, never deeper than 60.
    name: "recursion-of-trees",
    wat: `${attack("request_headers", "(call $f #60)")}
      (func $f (param i32)
        (if (local.get 0) (then
          (call $f (i32.sub (local.get 0) #1)) (call $f (i32.sub (local.get 0) #1)))))`,
    expect: DEADLINE,
    settings: SHORT,
  },
  {
    name: "recursion-in-the-allocator",
    wat: `${attack("request_headers", "")}
      (func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) #1))
      (export "malloc" (func $f))`,
    expect: TOO_DEEP,
  },
  {
    name: "recursion-in-on-log",
    wat: `${attack("log", "(drop (call $f #1))")}
      (func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) #1))`,
    expect: SERVED,
  },
  {
    // The host asks the allocator for memory, the allocator asks the host for a header, and so on.
    name: "recursion-through-the-host",
    wat: `${attack("request_headers", "(call $expect (i32.load #128) #10)")}
      (func (export "malloc") (param i32) (result i32)
        (i32.store #128 (call $proxy_get_header_map_value #0 #16 #8 #64 #68))
        #4096)`,
    expect: SERVED,
  },
];
