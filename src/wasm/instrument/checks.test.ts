import { describe, expect, test } from "bun:test";
import { FUEL, outcome, start } from "./testing.ts";

/** Modules whose function "f" never ends, or not within a lifetime. */
const ENDLESS = [
  { name: "a loop", text: '(func (export "f") (loop (br 0)))' },
  { name: "a loop that branches under a condition", text: looping("(br_if 0 (i32.const 1))") },
  { name: "a loop that a br_table goes back to", text: looping("(br_table 0 0 (i32.const 7))") },
  { name: "a loop inside of a loop", text: looping("(loop (br 1))") },
  { name: "a loop in an arm", text: '(func (export "f") (if (i32.const 1) (then (loop (br 0)))))' },
  {
    name: "a loop with an exit that is never taken",
    text: '(func (export "f") (block (loop (br_if 1 (i32.const 0)) (br 0))))',
  },
  {
    name: "a loop that an exception is caught in",
    text: `(tag $t) (func (export "f") (loop $again
      (try (do (throw $t)) (catch $t)) (br $again)))`,
  },
  { name: "a loop of calls", text: `(func $g) ${looping("(call $g) (br 0)")}` },
  { name: "recursion", text: '(func $f (export "f") (call $f) (drop (i32.const 1)))' },
  { name: "a function that calls itself last", text: '(func $f (export "f") (return_call $f))' },
  {
    name: "functions that call each other last",
    text: '(func $f (export "f") (return_call $g)) (func $g (return_call $f))',
  },
  {
    name: "a function that calls itself through a table",
    text: `(table funcref (elem $f))
      (func $f (export "f") (return_call_indirect (i32.const 0)))`,
  },
  {
    name: "a function that reaches itself through a table and another one",
    text: `(table funcref (elem $g))
      (func $f (export "f") (return_call_indirect (i32.const 0))) (func $g (return_call $f))`,
  },
  { name: "calls that double at each of 60 functions", text: doubling("call $f") },
  {
    name: "calls that double, with little work in the last function",
    text: `${doubling("call $f")} (global $g (mut i32) (i32.const 0))`,
  },
  {
    name: "a straight chain of 60 doublings through a table",
    text: `(table funcref (elem ${names(60)}))
      ${doubling((n) => `(call_indirect (i32.const ${n}))`)}`,
  },
  {
    name: "long bulk operations",
    text: `(memory 100)
      ${looping("(memory.fill (i32.const 0) (i32.const 1) (i32.const 6553600)) (br 0)")}`,
  },
];

function looping(body: string): string {
  return `(func (export "f") (loop ${body}))`;
}

function names(count: number): string {
  return Array.from({ length: count }, (_, n) => `$f${n}`).join(" ");
}

/** Function 0 calls function 1 twice, that one function 2 twice, and so on: 2^60 calls. */
function doubling(call: string | ((n: number) => string)): string {
  const callOf = typeof call === "string" ? (n: number) => `(${call}${n})` : call;
  const functions = Array.from({ length: 60 }, (_, n) => {
    const exported = n === 0 ? '(export "f")' : "";
    return `(func $f${n} ${exported} ${n === 59 ? "" : callOf(n + 1).repeat(2)})`;
  });
  return functions.join("\n");
}

describe("instrument() ends", () => {
  test.each(ENDLESS)("$name", ({ text }) => {
    const { call, added } = start(text);
    added("setFuel", 10_000);
    expect(outcome(call, "f")).toContain("Unreachable code");
    expect(added("setFuel", 0)).toBeLessThan(0);
  });

  test("what runs before anybody has set the fuel", () => {
    const { call, added } = start('(func (export "f") (loop (br 0)))');
    expect(added("setFuel", 50_000)).toBe(2 ** 31 - 1);
    expect(outcome(call, "f")).toContain("Unreachable code");
  });
});

describe("setFuel()", () => {
  const { call, added } = start(
    `(func (export "f") (param i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
  );

  test("returns what was left, and sets it, signed", () => {
    added("setFuel", 1000);
    expect(added("setFuel", -5)).toBe(1000);
    expect(added("setFuel", 7)).toBe(-5);
    expect(added("setFuel", 0)).toBe(7);
  });

  test("returns the least i32 when a call has taken more than that", () => {
    const { call: fill, added: set } = start(
      `(memory 1) (func (export "fill") (param i32)
        (memory.fill (i32.const 0) (i32.const 0) (i32.const -1)))`,
      { checks: FUEL },
    );
    for (let n = 0; n < 17; n++) {
      set("setFuel", n === 0 ? -(2 ** 31) : set("setFuel", 0));
      outcome(fill, "fill", 0);
    }
    expect(set("setFuel", 0)).toBe(-(2 ** 31));
  });

  test("charges a loop for each turn", () => {
    added("setFuel", 1_000_000);
    call["f"]?.(1000);
    const once = 1_000_000 - added("setFuel", 1_000_000);
    call["f"]?.(2000);
    const twice = 1_000_000 - added("setFuel", 0);
    expect(once).toBeGreaterThanOrEqual(5000); // Five instructions a turn.
    expect(twice).toBe(2 * once);
  });
});

describe("the weight of a loop", () => {
  const base = used("");

  test("is that of its instructions", () => {
    expect(used(work(50))).toBe(base + 50);
  });

  test("is that of its heaviest arm, not of their sum", () => {
    const arms = (other: string): string =>
      `(if (i32.and (local.get 0) (i32.const 1)) (then ${work(100)}) (else ${other}))`;
    expect(used(arms(work(90)))).toBe(used(arms("")));
  });

  test("leaves a heavy arm to those who take it", () => {
    const rare = `(if (i32.eqz (local.get 0)) (then ${work(900)}))`;
    expect(used(rare)).toBeLessThan(base + 10);
    const taken = `(if (local.get 0) (then ${work(900)}))`;
    expect(used(taken)).toBeGreaterThan(base + 900 - 10);
  });

  test("leaves the cases of a switch to those who take them", () => {
    const cases = `(block $out (block $c (block $b (block $a
      (br_table $a $b $c (i32.and (local.get 0) (i32.const 0))))
      ${work(10)} (br $out)) ${work(900)} (br $out)) ${work(800)})`;
    expect(used(cases)).toBeLessThan(base + 30);
  });

  test("leaves out loops inside, which pay for themselves", () => {
    const inner = `(block $done (loop $inner
      (br_if $done (i32.const 1)) ${work(500)} (br $inner)))`;
    const once = used(inner);
    expect(once).toBeGreaterThan(base + 500);
    expect(once).toBeLessThan(base + 520);
  });

  test("is charged in parts of at most 1,024", () => {
    const { call, added } = start(`(func (export "f") ${work(100_000)})`);
    const step = 1024;
    for (let fuel = 0; fuel < 20_000; fuel += 977) {
      added("setFuel", fuel);
      expect(outcome(call, "f")).toContain("Unreachable code");
      expect(added("setFuel", 0)).toBeGreaterThanOrEqual(-step);
    }
  });

  test("holds what its light callees cost", () => {
    const { call, added } = start(
      `(func $light ${work(100)}) (func $heavy ${work(400)})
       (func (export "light") (loop (call $light)))
       (func (export "both") (loop $next (call $light) (call $heavy) (br_if $next (i32.const 0))))`,
    );
    const usedBy = (name: string): number => {
      added("setFuel", 10_000);
      call[name]?.();
      return 10_000 - added("setFuel", 0);
    };
    expect(usedBy("light")).toBe(0); // Not a loop: nothing goes back.
    expect(usedBy("both")).toBeGreaterThanOrEqual(500);
    expect(usedBy("both")).toBeLessThan(520);
  });
});

describe("bulk operations", () => {
  test.each([
    { name: "memory.fill", body: "(memory.fill (i32.const 0) (i32.const 0) (local.get 0))" },
    { name: "memory.copy", body: "(memory.copy (i32.const 0) (i32.const 9) (local.get 0))" },
    { name: "memory.init", body: "(memory.init $d (i32.const 0) (i32.const 0) (local.get 0))" },
    { name: "table.fill", body: "(table.fill 0 (i32.const 0) (ref.null func) (local.get 0))" },
    { name: "table.copy", body: "(table.copy 0 0 (i32.const 0) (i32.const 1) (local.get 0))" },
    { name: "table.init", body: "(table.init $e (i32.const 0) (i32.const 0) (local.get 0))" },
    { name: "table.grow", body: "(drop (table.grow 0 (ref.null func) (local.get 0)))" },
  ])("pay for their length before they run: $name", ({ body }) => {
    const { call, added } = start(
      `(memory 1) (table 1 funcref) (data $d "abc") (elem $e func)
       (func (export "f") (param i32) (local i64 f32 f32) ${body})`,
    );
    added("setFuel", 5000);
    outcome(call, "f", 32 * 1000);
    expect(added("setFuel", 999)).toBe(4000);
    expect(outcome(call, "f", 32 * 1000)).toContain("Unreachable code");
    added("setFuel", 10);
    expect(outcome(call, "f", -1)).toContain("Unreachable code"); // 4 GiB, not minus one.
  });
});

/** Units that 1,000 turns of a loop with this body take. */
function used(body: string): number {
  const { call, added } = start(
    `(memory 1) (func (export "f") (param i32) (loop $next ${body}
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
  );
  added("setFuel", 10_000_000);
  call["f"]?.(1000);
  return (10_000_000 - added("setFuel", 0)) / 1000;
}
function work(units: number): string {
  return "(nop)".repeat(units);
}
