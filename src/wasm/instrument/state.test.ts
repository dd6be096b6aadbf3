import { describe, expect, test } from "bun:test";
import { NONE, original, outcome, POLL, rewrite, start } from "./testing.ts";

describe("the virtual size of the memory", () => {
  const MODULE = `(memory (export "m") 2 10)
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`;

  test.each([0, 1, 3, 8, 9, 10, 65_535, 65_536, -1, 2 ** 31])(
    "is what it was without, growing by %i",
    (pages) => {
      const before = original(MODULE);
      const { call, global, pages: name } = start(MODULE);
      for (let turn = 0; turn < 3; turn++) {
        expect(outcome(call, "grow", pages)).toBe(outcome(before, "grow", pages));
        expect(call["size"]?.()).toBe(before["size"]?.());
        expect(global(name)).toBe(before["size"]?.() as number);
      }
    },
  );

  test("is bounded by the host's maximum", () => {
    const { call } = start(MODULE, { memoryPagesMax: 5 });
    expect(call["grow"]?.(4)).toBe(-1);
    expect(call["grow"]?.(3)).toBe(2);
    expect(call["grow"]?.(1)).toBe(-1);
  });

  test("is put back, and grows again inside of the real memory", () => {
    const { call, added, exports } = start(MODULE);
    const real = (): number => (exports["m"] as WebAssembly.Memory).buffer.byteLength / 65_536;
    added("capture");
    for (let turn = 0; turn < 3; turn++) {
      expect(call["grow"]?.(3)).toBe(2);
      expect([call["size"]?.(), real()]).toEqual([5, 5]);
      added("restore");
      expect([call["size"]?.(), real()]).toEqual([2, 5]);
    }
    expect(call["grow"]?.(7)).toBe(2);
    expect([call["size"]?.(), real()]).toEqual([9, 9]);
  });

  test("is not there when nothing grows", () => {
    const { call, pages } = start('(memory 2) (func (export "size") (result i32) (memory.size))');
    expect(pages).toBeUndefined();
    expect(call["size"]?.()).toBe(2);
  });

  test("refuses the page that polls are made to", () => {
    const { call } = start(
      '(memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))',
      { memoryPagesMax: 65_536, checks: POLL },
    );
    expect(call["grow"]?.(65_535)).toBe(-1);
  });
});

describe("capture() and restore()", () => {
  const GLOBALS = `
    (memory 1)
    (global (mut i32) (i32.const 1)) (global (mut i64) (i64.const 2))
    (global (mut f32) (f32.const 3)) (global (mut f64) (f64.const 4))
    (global (mut v128) (v128.const i32x4 5 5 5 5)) (global (mut funcref) (ref.func $f))
    (global i32 (i32.const 9))
    (func $f) (elem declare func $f)
    (func (export "change")
      (global.set 0 (i32.const -1)) (global.set 1 (i64.const -2))
      (global.set 2 (f32.const -3)) (global.set 3 (f64.const -4))
      (global.set 4 (v128.const i32x4 6 6 6 6)) (global.set 5 (ref.null func)))
    (func (export "sum") (result f64)
      (f64.add (f64.convert_i32_s (i32.add (global.get 0) (ref.is_null (global.get 5))))
        (f64.add (f64.convert_i64_s (global.get 1))
          (f64.add (f64.promote_f32 (global.get 2))
            (f64.add (global.get 3)
              (f64.convert_i32_s (i32x4.extract_lane 3 (global.get 4))))))))`;

  test("put back mutable globals of every type", () => {
    const { call, added } = start(GLOBALS);
    added("capture");
    const before = call["sum"]?.();
    expect(before).toBe(1 + 2 + 3 + 4 + 5);
    call["change"]?.();
    expect(call["sum"]?.()).toBe(-1 + 1 - 2 - 3 - 4 + 6);
    expect(added("restore")).toBe(0);
    expect(call["sum"]?.()).toBe(before);
  });

  test("leave the fuel alone", () => {
    const { added } = start(GLOBALS);
    added("setFuel", 500);
    added("capture");
    added("setFuel", 400);
    added("restore");
    expect(added("setFuel", 0)).toBe(400);
  });

  test("list every mutable global with its type", () => {
    const { globals, exports } = start(GLOBALS, { checks: NONE });
    expect(globals.map(({ type }) => type)).toEqual([
      "i32",
      "i64",
      "f32",
      "f64",
      "v128",
      "funcref",
    ]);
    for (const { name } of globals) expect(exports[name]).toBeInstanceOf(WebAssembly.Global);
  });

  test("let the host write what it has read in another instance", () => {
    const text = `(memory 1) (global $g (mut i32) (i32.const 1))
      (func (export "set") (global.set $g (i32.const 7)))
      (func (export "get") (result i32) (global.get $g))`;
    const [first, second] = [start(text), start(text)];
    first.call["set"]?.();
    const [name = ""] = first.globals.map((each) => each.name);
    (second.exports[name] as WebAssembly.Global).value = first.global(name);
    expect(second.call["get"]?.()).toBe(7);
  });
});

describe("restore() tells", () => {
  test.each([
    { name: "table.set", body: "(table.set 0 (i32.const 1) (ref.null func))" },
    { name: "table.grow", body: "(drop (table.grow 0 (ref.null func) (i32.const 0)))" },
    { name: "table.fill", body: "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 0))" },
    { name: "table.copy", body: "(table.copy 0 0 (i32.const 0) (i32.const 0) (i32.const 0))" },
    { name: "table.init", body: "(table.init $e (i32.const 0) (i32.const 0) (i32.const 0))" },
    { name: "elem.drop", body: "(elem.drop $e)" },
    { name: "data.drop", body: "(data.drop $d)" },
  ])("$name, until the next capture()", ({ body }) => {
    const { call, added, traits } = start(withTable(body));
    expect(traits.mayTaint).toBe(true);
    expect(added("restore")).toBe(0);
    call["f"]?.();
    expect([added("restore"), added("restore")]).toEqual([1, 1]);
    added("capture");
    expect(added("restore")).toBe(0);
  });

  test("an operation that traps", () => {
    const { call, added } = start(withTable("(table.set 0 (i32.const 9) (ref.null func))"));
    expect(outcome(call, "f")).toContain("Out of bounds");
    expect(added("restore")).toBe(1);
  });

  test("nothing of what only reads tables and segments", () => {
    const { call, added, traits } = start(
      withTable(`(drop (table.get 0 (i32.const 0))) (drop (table.size 0))
        (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))`),
    );
    call["f"]?.();
    expect([added("restore"), traits.mayTaint]).toEqual([0, false]);
  });

  test("nothing of unreachable code", () => {
    const { traits } = start(withTable("(return) (elem.drop $e)"));
    expect(traits.mayTaint).toBe(false);
  });
});

describe("traits", () => {
  test.each([
    { name: "numbers", text: "(global (mut i32) (i32.const 0)) (global (mut f64) (f64.const 0))" },
    {
      name: "constants",
      text: '(global v128 (v128.const i64x2 0 0)) (import "e" "x" (global i32))',
    },
    { name: "tables of functions", text: "(table 3 funcref)" },
  ])("find nothing in the way of $name", ({ text }) => {
    const fields = text.includes("import") ? '(import "e" "x" (global i32))' : text;
    expect(rewrite(fields).traits).toMatchObject({ unrestorable: [], uncopyable: [] });
  });

  test.each([
    { text: "(global (mut v128) (v128.const i64x2 0 0))", says: "mutable global 0 of type v128" },
    { text: "(global (mut funcref) (ref.null func))", says: "mutable global 0 of type funcref" },
  ])("find that $says cannot be copied", ({ text, says }) => {
    const { traits } = rewrite(text);
    expect(traits.unrestorable).toEqual([]);
    expect(traits.uncopyable).toEqual([
      `${says} has a value that cannot be handed to another instance`,
    ]);
  });

  test("find that an externref cannot be put back", () => {
    const { traits } = rewrite(
      '(import "e" "x" (global i32)) (global (mut externref) (ref.null extern))',
    );
    const reason = "mutable global 1 of type externref refers to objects of the host";
    expect(traits.unrestorable).toEqual([reason]);
    expect(traits.uncopyable).toEqual([reason]);
  });
});

function withTable(body: string): string {
  return `(memory 1) (table 4 funcref) (elem (i32.const 0) $f) (elem $e func $f) (data $d "a")
    (func $f)
    (func (export "f") ${body})`;
}
