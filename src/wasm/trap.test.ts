import { describe, expect, test } from "bun:test";
import initWabt from "wabt";
import { classifyTrap, GuestExit } from "./trap.ts";

const wabt = await initWabt();

describe("classifyTrap()", () => {
  test.each([
    { name: "unreachable", body: "unreachable", says: "trap: Unreachable code" },
    {
      name: "an address out of bounds",
      body: "(drop (i32.load (i32.const -4)))",
      says: "trap: Out of bounds memory access",
    },
    {
      name: "a division by zero",
      body: "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
      says: "trap: Division by zero",
    },
  ])("calls $name a trap", ({ body, says }) => {
    const trap = classifyTrap(thrownBy(`(memory 1) (func (export "f") ${body})`));
    expect(trap.kind).toBe("trap");
    expect(trap.message).toStartWith(says);
    expect(trap.message).not.toContain("evaluating"); // JSC quotes the JavaScript that called.
  });

  test("calls endless recursion a stack overflow", () => {
    const error = thrownBy('(func $f (export "f") (call $f) (drop (i32.const 1)))');
    expect(classifyTrap(error).kind).toBe("stack");
  });

  test("tells an exit, with its code", () => {
    expect(classifyTrap(new GuestExit(3))).toEqual({
      kind: "exit",
      message: "the guest exited with code 3",
    });
  });

  test("calls everything else a fault of the host", () => {
    expect(classifyTrap(new TypeError("oops"))).toEqual({
      kind: "host",
      message: "host function failed: oops",
    });
    expect(classifyTrap(new RangeError("Invalid array length")).kind).toBe("host");
  });
});

function thrownBy(functions: string): unknown {
  const bytes = wabt.parseWat("test.wat", `(module ${functions})`).toBinary({}).buffer;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), {});
  try {
    (instance.exports["f"] as () => void)();
  } catch (error) {
    return error;
  }
  throw new Error("the guest did not trap");
}
