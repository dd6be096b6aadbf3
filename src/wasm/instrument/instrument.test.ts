import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { FUEL, NONE, original, outcome, POLL, BOTH, rewrite, start, wat } from "./testing.ts";

/** Functions "f" of an i32, which have to behave as before. */
const CONSTRUCTS = [
  { name: "a straight body", body: "(i32.add (local.get 0) (i32.const 1))" },
  {
    name: "a loop",
    body: `(local $sum i32)
      (block $out (loop $next
        (br_if $out (i32.eqz (local.get 0)))
        (local.set $sum (i32.add (local.get $sum) (local.get 0)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br $next)))
      (local.get $sum)`,
  },
  {
    name: "a loop with a parameter on the stack",
    body: `(local.get 0) (i32.const 1)
      (loop $next (param i32 i32) (result i32)
        (local.set 0) (i32.add (i32.const 3)) (local.get 0)
        (i32.add (i32.const 1)) (local.tee 0) (i32.lt_s (i32.const 10))
        (if (param i32) (result i32) (then (local.get 0) (br $next)) (else)))`,
  },
  {
    name: "if and else",
    body: "(if (result i32) (local.get 0) (then (i32.const 7)) (else (i32.const 9)))",
  },
  {
    name: "br_table",
    body: `(block $c (block $b (block $a (br_table $a $b $c (local.get 0)))
      (return (i32.const 10))) (return (i32.const 20))) (i32.const 30)`,
  },
  {
    name: "unreachable code",
    body: `(block $out (br $out) (drop (i32.div_u (i32.const 1) (i32.const 0)))
      (loop $again (br $again))) (local.get 0)`,
  },
  {
    name: "an exception that is caught",
    body: `(try (result i32)
      (do (if (local.get 0) (then (throw $tag (i32.const 5)))) (i32.const 1))
      (catch $tag (i32.add (local.get 0))) (catch_all (i32.const 4)))`,
  },
  {
    name: "an exception that is thrown again",
    body: `(try (result i32)
      (do (try (result i32) (do (throw $tag (local.get 0))) (catch $tag (drop) (rethrow 0))))
      (catch $tag (i32.add (i32.const 2))))`,
  },
  {
    name: "an exception that is delegated",
    body: `(try $outer (result i32)
      (do (try (do (throw $tag (local.get 0))) (delegate $outer)) (i32.const 1))
      (catch $tag (i32.add (i32.const 3))))`,
  },
  { name: "recursion", body: "(call $fac (i32.and (local.get 0) (i32.const 7)))" },
  { name: "a tail call", body: "(return_call $even (local.get 0))" },
  { name: "an indirect call", body: "(call_indirect (type $unary) (i32.const 4) (local.get 0))" },
  {
    name: "an indirect tail call",
    body: "(return_call_indirect (type $unary) (local.get 0) (i32.const 0))",
  },
  { name: "a trap", body: "(i32.div_u (i32.const 1) (local.get 0))" },
  { name: "an address out of bounds", body: "(i32.load (i32.mul (local.get 0) (i32.const -4)))" },
  {
    name: "bulk memory operations",
    body: `(memory.fill (i32.const 100) (local.get 0) (i32.const 50))
      (memory.copy (i32.const 200) (i32.const 90) (i32.const 20))
      (memory.init $passive (i32.const 205) (i32.const 1) (i32.const 2))
      (i32.xor (i32.load (i32.const 204)) (i32.load (i32.const 210)))`,
  },
  {
    name: "table operations",
    body: `(table.set $t (i32.const 3) (ref.func $fac))
      (table.copy $t $t (i32.const 4) (i32.const 3) (i32.const 1))
      (table.fill $t (i32.const 2) (ref.null func) (i32.const 1))
      (table.init $t $elements (i32.const 5) (i32.const 0) (i32.const 1))
      (drop (table.grow $t (ref.null func) (i32.const 2)))
      (elem.drop $elements) (data.drop $passive)
      (i32.add (table.size $t) (ref.is_null (table.get $t (i32.const 2))))`,
  },
  {
    name: "the size of the memory",
    body: `(drop (memory.grow (i32.and (local.get 0) (i32.const 3))))
      (i32.add (memory.size) (i32.mul (i32.const 100) (memory.grow (i32.const 1))))`,
  },
  {
    name: "vectors",
    body: `(i32x4.extract_lane 2 (i32x4.add (v128.const i32x4 1 2 3 4)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
        (i32x4.splat (local.get 0)) (v128.load32_lane 1 (i32.const 8) (v128.const i64x2 1 2)))))`,
  },
  { name: "atomics", body: "(i32.atomic.rmw.add (i32.const 8) (local.get 0))" },
  {
    name: "numbers of every kind",
    body: `(i32.trunc_sat_f64_s (f64.add (f64.const 1.5) (f64.convert_i64_s
      (i64.extend8_s (i64.mul (i64.const -77777777777) (i64.extend_i32_u (local.get 0)))))))`,
  },
  {
    name: "select with a type",
    body: "(select (result i32) (i32.const 3) (i32.const 4) (local.get 0))",
  },
  {
    name: "a call of the host",
    body: "(call $double (local.get 0))",
  },
] as const;

function construct(body: string): string {
  return `
    (type $unary (func (param i32) (result i32)))
    (import "env" "double" (func $double (param i32) (result i32)))
    (tag $tag (param i32))
    (memory (export "memory") 1 20)
    (data (i32.const 0) "0123456789abcdef")
    (data $passive "xyz")
    (table $t (export "table") 8 funcref)
    (elem (i32.const 0) $fac $even $odd)
    (elem (i32.const 4) func $fac)
    (elem $elements func $odd)
    (func $fac (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
        (else (i32.mul (local.get 0) (call $fac (i32.sub (local.get 0) (i32.const 1)))))))
    (func $even (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
        (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
    (func $odd (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
        (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "f") (param i32) (result i32) ${body})`;
}

const IMPORTS = { env: { double: (n: number) => 2 * n } };
const ARGUMENTS = [0, 1, 2, 3, 17];

describe("instrument() keeps what a module does:", () => {
  test.each(CONSTRUCTS)("$name", ({ body }) => {
    const bytes = wat(construct(body));
    const before = original(bytes, IMPORTS);
    const expected = ARGUMENTS.map((argument) => outcome(before, "f", argument));
    for (const checks of [FUEL, NONE]) {
      const { call } = start(bytes, { checks }, IMPORTS);
      expect(ARGUMENTS.map((argument) => outcome(call, "f", argument))).toEqual(expected);
    }
    for (const checks of [POLL, BOTH]) {
      expect(WebAssembly.validate(rewrite(bytes, { checks }).bytes)).toBe(true);
    }
  });
});

describe("instrument()", () => {
  test("gives the start section and the data segments into the host's hands", () => {
    let seen = "";
    const { exports } = start(
      `(import "env" "see" (func $see))
       (memory (export "memory") 1)
       (data (i32.const 8) "abc")
       (func $main (i32.store8 (i32.const 9) (i32.const 88)) (call $see))
       (start $main)`,
      {},
      { env: { see: () => (seen += "called ") } },
    );
    const text = (): string =>
      Buffer.from((exports["memory"] as WebAssembly.Memory).buffer, 8, 3).toString();
    expect([text(), seen]).toEqual(["abc", ""]);
    (exports["sluice:start"] as () => void)();
    expect([text(), seen]).toEqual(["aXc", "called "]);
  });

  test("adds no start, no initialize and no fuel that nobody needs", () => {
    const { names, pages } = rewrite("(memory 1) (func)", { checks: POLL });
    expect(names).toEqual({
      start: undefined,
      initialize: undefined,
      setFuel: undefined,
      capture: "sluice:capture",
      restore: "sluice:restore",
    });
    expect(pages).toBeUndefined();
  });

  test("takes longer names when the module has them already", () => {
    const { names, globals } = rewrite(
      `(global (export "sluice:global:0") (mut i32) (i32.const 1))
       (func (export "sluice:restore")) (func (export "sluice:restore'"))`,
    );
    expect(names.restore).toBe("sluice:restore''");
    expect(names.capture).toBe("sluice:capture");
    expect(globals).toEqual([{ name: "sluice:global:0'", type: "i32" }]);
  });

  test("checks by fuel in a module without a memory, whatever was asked for", () => {
    const { names } = rewrite("(func (loop (br 0)))", { checks: POLL });
    expect(names.setFuel).toBe("sluice:set-fuel");
  });

  test("keeps custom sections, but not hints that are meant for offsets", () => {
    const bytes = wat("(func)");
    const { bytes: after } = rewrite(
      new Uint8Array([
        ...bytes.subarray(0, 8),
        ...custom("first"),
        ...bytes.subarray(8),
        ...custom("metadata.code.branch_hint"),
        ...custom("last"),
      ]),
    );
    const module = new WebAssembly.Module(after);
    const kept = ["first", "last", "metadata.code.branch_hint"].map(
      (each) => WebAssembly.Module.customSections(module, each).length,
    );
    expect(kept).toEqual([1, 1, 0]);
    expect(after[8]).toBe(0); // The first is still the first.
  });

  test("writes the maximum of memory and tables, or keeps a lower one", () => {
    const { exports } = start(
      `(memory (export "m") 1) (table (export "t") 1 funcref) (table (export "u") 1 3 funcref)`,
      { memoryPagesMax: 5, tableEntriesMax: 7 },
    );
    const grow = (name: string, by: number): unknown =>
      outcome({ grow: () => (exports[name] as WebAssembly.Table).grow(by) }, "grow");
    expect(grow("m", 4)).toBe(1);
    expect(grow("m", 1)).toContain("WebAssembly.Memory.gr");
    expect(grow("t", 6)).toBe(1);
    expect(grow("t", 1)).toContain("WebAssembly.Table.");
    expect(grow("u", 3)).toContain("WebAssembly.Table.");
  });

  test("drops unreachable code", () => {
    const dead = "(drop (i64.const 81985529216486895))".repeat(100);
    const { bytes } = rewrite(`(func (return) ${dead})`);
    expect(bytes.byteLength).toBeLessThan(200);
  });

  test.each(["plugins/add-header.wasm"])("keeps %s valid", async (path) => {
    const file = Bun.file(join(import.meta.dir, "../../..", path));
    const bytes = new Uint8Array(await file.arrayBuffer());
    for (const checks of [NONE, POLL, FUEL, BOTH]) {
      expect(WebAssembly.validate(rewrite(bytes, { checks }).bytes)).toBe(true);
    }
  });
});

describe("instrument() errors", () => {
  test.each([
    { name: "an imported memory", text: '(import "env" "m" (memory 1))', says: 'memory "env.m"' },
    {
      name: "an imported table",
      text: '(import "env" "t" (table 1 funcref))',
      says: 'table "env.t"',
    },
    {
      name: "an imported mutable global",
      text: '(import "env" "g" (global (mut i32)))',
      says: 'mutable global "env.g"',
    },
    { name: "too much memory", text: "(memory 101)", says: "101 pages of memory at its start" },
    {
      name: "too large a table",
      text: "(table 1001 funcref)",
      says: "a table of 1001 entries at its start: the limit is 1000",
    },
  ])("refuses $name", ({ text, says }) => {
    expect(() => rewrite(text)).toThrow(says);
  });

  test("does not repair a module that the engine refuses", () => {
    const bytes = wat("(func (result i32) (unreachable))");
    bytes[bytes.lastIndexOf(0x00)] = 0x01; // nop instead of unreachable: no result.
    expect(() => rewrite(bytes)).toThrow("the engine says");
  });
});

/** A custom section of one byte. */
function custom(name: string): number[] {
  return [0, name.length + 2, name.length, ...Buffer.from(name), 1];
}
