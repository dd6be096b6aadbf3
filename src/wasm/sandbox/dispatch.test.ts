import { describe, expect, test } from "bun:test";
import initWabt from "wabt";
import { Dispatch, DISPATCH_PARAMS_MAX } from "./dispatch.ts";

const wabt = await initWabt();

describe("Dispatch", () => {
  test.each(
    [0, 1].flatMap((results) =>
      Array.from({ length: DISPATCH_PARAMS_MAX + 1 }, (_, params) => ({ params, results })),
    ),
  )("calls an export of $params parameters and $results results", ({ params, results }) => {
    const dispatch = new Dispatch();
    const { last, f } = guest(params, results);
    const { call } = dispatch.add(f, params, results);
    const given = [1, 2, 3, 4, 5].slice(0, params);
    const expected = given.reduce((sum, each) => sum * 10 + each, 0);
    expect(call(...given)).toBe(results === 0 ? undefined : expected);
    expect(last.value).toBe(expected);
  });

  test("keeps a thousand exports apart, and uses a slot again", () => {
    const dispatch = new Dispatch();
    const guests = Array.from({ length: 1000 }, () => guest(1, 0));
    const added = guests.map(({ f }) => dispatch.add(f, 1, 0));
    added.forEach(({ call }, index) => call(index));
    guests.forEach(({ last }, index) => expect(last.value).toBe(index));
    expect(dispatch.size).toBe(1000);
    dispatch.remove(added[3]?.slot ?? 0);
    const next = guest(1, 0);
    expect(dispatch.add(next.f, 1, 0).slot).toBe(added[3]?.slot ?? 0);
    expect(dispatch.size).toBe(1000);
  });

  test("lets a trap through", () => {
    const dispatch = new Dispatch();
    const { exports } = new WebAssembly.Instance(compile('(func (export "f") unreachable)'), {});
    const { call } = dispatch.add(exports["f"], 0, 0);
    expect(call).toThrow(WebAssembly.RuntimeError);
    expect(call).toThrow("Unreachable");
  });

  test("traps when what was removed is called", () => {
    const dispatch = new Dispatch();
    const { call, slot } = dispatch.add(guest(0, 0).f, 0, 0);
    dispatch.remove(slot);
    expect(call).toThrow(WebAssembly.RuntimeError);
  });

  test("traps when the signature is another one", () => {
    const dispatch = new Dispatch();
    const { call } = dispatch.add(guest(2, 0).f, 1, 0);
    expect(call).toThrow(WebAssembly.RuntimeError);
  });
});

/** A function that writes its arguments, read as digits, into a global. */
function guest(params: number, results: number): { f: unknown; last: WebAssembly.Global } {
  const sum = Array.from({ length: params }, (_, at) => `(local.get ${at})`).reduce(
    (sofar, each) => `(i32.add (i32.mul ${sofar} (i32.const 10)) ${each})`,
    "(i32.const 0)",
  );
  const { exports } = new WebAssembly.Instance(
    compile(`
      (global $last (export "last") (mut i32) (i32.const -1))
      (func (export "f") ${"(param i32)".repeat(params)} ${"(result i32)".repeat(results)}
        (global.set $last ${sum}) ${"(global.get $last)".repeat(results)})`),
    {},
  );
  return { f: exports["f"], last: exports["last"] as WebAssembly.Global };
}

function compile(text: string): WebAssembly.Module {
  const module = wabt.parseWat("test.wat", `(module ${text})`);
  return new WebAssembly.Module(new Uint8Array(module.toBinary({}).buffer));
}
