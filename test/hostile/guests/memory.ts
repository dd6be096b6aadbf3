import { attack, callback, FAILED, type HostileGuest, SERVED } from "../guest.ts";

/** Guests that want all the memory, and tables, there are. The cap is 64 pages. */
const CAPPED = "limits: { memory: 4MiB }";
const TABLE = "(table 1 funcref)";

export const MEMORY: readonly HostileGuest[] = [
  {
    name: "memory-everything-at-once",
    wat: attack("request_headers", "(call $expect (memory.grow #65535) #-1)"),
    expect: SERVED,
  },
  {
    name: "memory-one-page-above-the-cap",
    wat: attack(
      "request_headers",
      `(drop (memory.grow (i32.sub #64 (memory.size))))
      (call $expect (memory.size) #64) (call $expect (memory.grow #1) #-1)`,
    ),
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-page-by-page-to-the-cap",
    wat: attack(
      "request_headers",
      `(loop $l (br_if $l (i32.ne (memory.grow #1) #-1)))
      (call $expect (memory.size) #64)`,
    ),
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-grown-and-touched",
    wat: attack(
      "request_headers",
      `(drop (memory.grow (i32.sub #64 (memory.size))))
      (memory.fill #65536 #7 (i32.sub (i32.mul (memory.size) #65536) #65536))
      (call $expect (i32.load8_u #4194303) #7)`,
    ),
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-grown-by-every-exchange",
    wat: attack(
      "request_headers",
      `(local.set $i (memory.grow #1))
      (if (i32.ne (local.get $i) #-1)
        (then (i32.store8 (i32.mul (local.get $i) #65536) #1)))`,
    ),
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-grown-by-every-callback",
    wat: [
      "request_headers" as const,
      "request_body" as const,
      "response_headers" as const,
      "response_body" as const,
    ]
      .map((name) => attack(name, "(drop (memory.grow #5))"))
      .join("\n"),
    request: "post",
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-grown-by-the-tick",
    wat:
      callback("configure", "(drop (call $proxy_set_tick_period_milliseconds #10))") +
      callback("tick", "(drop (memory.grow #8))") +
      callback("request_headers", ""),
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "memory-behind-what-was-grown",
    wat: attack(
      "request_headers",
      "(drop (memory.grow #1)) (i32.store (i32.mul (memory.size) #65536) #1)",
    ),
    settings: CAPPED,
    expect: FAILED,
  },
  {
    name: "memory-grown-while-the-host-writes",
    wat: `${attack(
      "request_headers",
      "(call $expect (call $proxy_get_header_map_pairs #0 #64 #68) #0)",
    )}
      (func (export "malloc") (param $n i32) (result i32) (local $at i32)
        (local.set $at (memory.grow #1))
        (if (i32.eq (local.get $at) #-1) (then (return #4096)))
        (i32.mul (local.get $at) #65536))`,
    settings: CAPPED,
    expect: SERVED,
  },
  {
    name: "table-everything-at-once",
    wat: TABLE + attack("request_headers", "(call $expect (table.grow (ref.null func) #-1) #-1)"),
    expect: SERVED,
  },
  {
    name: "table-to-its-cap",
    wat:
      TABLE +
      attack(
        "request_headers",
        `(loop $l (br_if $l (i32.ne (table.grow (ref.null func) #4096) #-1)))
        (call $expect (i32.gt_u (table.size) #65536) #0)`,
      ),
    expect: SERVED,
  },
  {
    name: "table-filled-to-its-cap",
    wat: `${TABLE} (func $f) (elem declare func $f) ${attack(
      "request_headers",
      `(loop $l (br_if $l (i32.ne (table.grow (ref.func $f) #4096) #-1)))
      (table.fill #0 (ref.null func) (table.size))`,
    )}`,
    settings: "limits: { deadline: 1s }",
    expect: SERVED,
  },
];
