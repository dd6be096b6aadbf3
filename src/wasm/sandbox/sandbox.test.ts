import { describe, expect, test } from "bun:test";
import initWabt from "wabt";
import { type LoadedModule, loadModule } from "../module.ts";
import { dispatch } from "./dispatch.ts";
import { type Image, Sandbox } from "./sandbox.ts";

const wabt = await initWabt();

/** Adds what it is given to a global and to a word of its memory, and answers their sum. */
const COUNTING = `
  (memory (export "memory") 1 4)
  (global $count (mut i32) (i32.const 5))
  (global $wide (mut i64) (i64.const -1))
  (global $real (mut f64) (f64.const 0.5))
  (data (i32.const 8) "\\07")
  (func (export "add") (param i32) (result i32)
    (global.set $count (i32.add (global.get $count) (local.get 0)))
    (global.set $wide (i64.add (global.get $wide) (i64.const 1)))
    (global.set $real (f64.mul (global.get $real) (f64.const 2)))
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0)))
    (i32.add (i32.load (i32.const 8))
      (i32.add (global.get $count)
        (i32.add (i32.wrap_i64 (global.get $wide)) (i32.trunc_f64_s (global.get $real))))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "spin") (loop $l (br $l)))
  (func (export "trap") (drop (call $add (i32.const 100))) unreachable)
  (func $add (param i32) (result i32)
    (global.set $count (local.get 0)) (i32.store (i32.const 8) (local.get 0)) (i32.const 0))`;

describe("Sandbox", () => {
  test("is put back to its image: memory, globals and size", () => {
    const sandbox = started(COUNTING);
    imageOf(sandbox);
    const first = [call(sandbox, "add", 1), call(sandbox, "add", 2), call(sandbox, "grow", 2)];
    expect(call(sandbox, "size")).toBe(3);
    expect(sandbox.pages).toBe(3);
    expect([2, 3].map((pages) => sandbox.hasGrownAbove(pages))).toEqual([true, false]);
    for (let n = 0; n < 5; n++) {
      expect(sandbox.restore()).toBe(true);
      expect(sandbox.pages).toBe(1);
      expect(sandbox.hasGrownAbove(1)).toBe(false); // Though its memory has three.
      expect(call(sandbox, "size")).toBe(1);
      expect([call(sandbox, "add", 1), call(sandbox, "add", 2), call(sandbox, "grow", 2)]).toEqual(
        first,
      );
    }
  });

  test("begins where the image was captured, in another instance, too", () => {
    const module = load(COUNTING);
    const original = started(module);
    call(original, "grow", 1);
    call(original, "add", 30);
    const image = imageOf(original);
    const next = call(original, "add", 3);
    const copy = new Sandbox(module, {}, ["add"]);
    copy.attach(image);
    expect(call(copy, "size")).toBe(2);
    expect(call(copy, "add", 3)).toBe(next);
    // Nothing of one is seen by the other.
    for (let n = 0; n < 3; n++) call(copy, "add", 1000);
    expect(original.restore()).toBe(true);
    expect(call(original, "add", 3)).toBe(next);
  });

  test("is as good as new after a trap", () => {
    const sandbox = started(COUNTING);
    imageOf(sandbox);
    const good = call(sandbox, "add", 1);
    sandbox.restore();
    expect(() => call(sandbox, "trap")).toThrow(WebAssembly.RuntimeError);
    expect(sandbox.restore()).toBe(true);
    expect(call(sandbox, "add", 1)).toBe(good);
  });

  test("captures the state as it is, and leaves it so", () => {
    const sandbox = started(COUNTING);
    const twin = started(COUNTING);
    call(sandbox, "add", 9);
    call(twin, "add", 9);
    sandbox.capture();
    expect(call(sandbox, "add", 1)).toBe(call(twin, "add", 1));
  });

  test("gives its slots of the dispatch table back when it is discarded, once", () => {
    const before = dispatch.size;
    const sandbox = new Sandbox(load(COUNTING), {}, ["add", "grow", "size"]);
    expect(dispatch.size).toBeGreaterThanOrEqual(before + 3);
    sandbox.discard();
    sandbox.discard();
    expect(dispatch.size).toBe(before);
  });

  test("keeps no slot of an instance that cannot be watched", () => {
    const before = dispatch.size;
    const module = { ...load(COUNTING), watched: true };
    expect(() => new Sandbox(module, {}, ["add"])).toThrow("no memory left that can be watched");
    expect(dispatch.size).toBe(before);
  });
});

describe("Sandbox errors", () => {
  test.each([
    {
      name: "that changed a table at its start",
      text: `(table $t 1 funcref)
        (func (export "begin") (table.set $t (i32.const 0) (ref.null func)))`,
      says: "it changes its tables or drops segments",
    },
    {
      name: "with a global that is not a number",
      text: `(global $g (mut f32) (f32.const 0))
        (func (export "begin") (global.set $g (f32.const nan:0x200001)))`,
      says: "a global is not a number",
    },
    {
      name: "with a global that cannot be copied",
      text: `(global $g (mut funcref) (ref.null func)) (func (export "begin"))`,
      says: "mutable global 0 of type funcref",
    },
  ])("has no image of a guest $name", ({ text, says }) => {
    const sandbox = started(`(memory (export "memory") 1) ${text}`);
    call(sandbox, "begin");
    const state = sandbox.capture();
    expect(typeof state).toBe("string");
    expect(String(state)).toContain(says);
  });

  test("cannot be put back after it has changed a table, nor before it has an image", () => {
    const sandbox = started(`(memory (export "memory") 1) (table $t 1 funcref)
      (func (export "change") (table.set $t (i32.const 0) (ref.null func)))`);
    expect(sandbox.restore()).toBe(false);
    imageOf(sandbox);
    expect(sandbox.restore()).toBe(true);
    call(sandbox, "change");
    expect(sandbox.restore()).toBe(false);
    expect(sandbox.restore()).toBe(false);
  });

  test("refuses a module without a memory", () => {
    expect(() => new Sandbox(load('(func (export "f"))'), {}, [])).toThrow("exports no memory");
  });

  test("stops a loop by fuel where nothing watches, and says which bound it was", () => {
    const sandbox = started(COUNTING);
    sandbox.metered.enter(1, 0);
    expect(() => call(sandbox, "spin")).toThrow(WebAssembly.RuntimeError);
    expect(sandbox.metered.leave(true).over).toBe("deadline");
    sandbox.metered.enter(1000, 500);
    expect(() => call(sandbox, "spin")).toThrow(WebAssembly.RuntimeError);
    expect(sandbox.metered.leave(true).over).toBe("fuel");
    sandbox.metered.enter(1000, 500);
    call(sandbox, "add", 1);
    expect(sandbox.metered.leave(false).over).toBeUndefined();
  });

  test("has a host that asks often enough told that the time is over", () => {
    const sandbox = started(COUNTING);
    sandbox.metered.enter(2, 0);
    let asked = 0;
    for (; !sandbox.metered.expired() && asked < 1e7; asked++);
    expect(asked).toBeLessThan(1e7);
    // From now on the guest cannot go on either.
    expect(() => call(sandbox, "spin")).toThrow(WebAssembly.RuntimeError);
    expect(sandbox.metered.leave(true).over).toBe("deadline");
  });
});

function load(text: string): LoadedModule {
  const module = wabt.parseWat("test.wat", `(module ${text})`);
  const bytes = new Uint8Array(module.toBinary({}).buffer);
  return loadModule(bytes, { memoryPages: 16, fuel: true });
}

/** With its data written, as the ABI does it. */
function started(text: string | LoadedModule): Sandbox {
  const module = typeof text === "string" ? load(text) : text;
  const sandbox = new Sandbox(module, {}, []);
  const { initialize } = module.rewritten.names;
  if (initialize !== undefined) call(sandbox, initialize);
  return sandbox;
}

function imageOf(sandbox: Sandbox): Image {
  const image = sandbox.capture();
  if (typeof image === "string") throw new Error(image);
  sandbox.attach(image);
  return image;
}

function call(sandbox: Sandbox, name: string, ...args: number[]): number | undefined {
  const target = sandbox.exports[name];
  if (target === undefined) throw new Error(`Cannot find ${name}`);
  return target(...args);
}
