import { describe, expect, test } from "bun:test";
import initWabt from "wabt";
import { ModuleError } from "./binary/module-error.ts";
import { loadModule } from "./module.ts";

const wabt = await initWabt();

describe("loadModule()", () => {
  test("makes no export where there is no start section", () => {
    const { module, startExport } = loaded(wat('(module (func (export "f")))'));
    expect(startExport).toBeUndefined();
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exports).toEqual(["f", "sluice:set-fuel", "sluice:capture", "sluice:restore"]);
  });

  test.each([
    { name: "with exports", exports: '(func (export "f"))' },
    { name: "without exports", exports: "" },
    { name: "with data behind it", exports: '(memory 1) (data (i32.const 0) "abc")' },
    { name: "with a table behind it", exports: "(table 1 funcref) (elem (i32.const 0) $start)" },
  ])("makes an export of a start section, $name", ({ exports }) => {
    const { module, startExport } = loaded(
      wat(`(module
        (import "env" "called" (func $called))
        (func $start (call $called))
        ${exports}
        (start $start))`),
    );
    let calls = 0;
    const instance = new WebAssembly.Instance(module, { env: { called: () => calls++ } });
    expect(calls).toBe(0); // Instantiating has not run it.
    (instance.exports[startExport ?? ""] as () => void)();
    expect(calls).toBe(1);
  });

  test("makes an export of an imported start function", () => {
    const { module, startExport } = loaded(
      wat('(module (import "env" "called" (func $called)) (start $called))'),
    );
    let calls = 0;
    const instance = new WebAssembly.Instance(module, { env: { called: () => calls++ } });
    (instance.exports[startExport ?? ""] as () => void)();
    expect(calls).toBe(1);
  });

  test("finds another name when the module has that export already", () => {
    const { startExport } = loaded(wat('(module (func $s (export "sluice:start")) (start $s))'));
    expect(startExport).toBe("sluice:start'");
  });

  test("keeps custom sections between the others", () => {
    const bytes = wat('(module (func $s) (func (export "f")) (start $s))');
    const at = bytes.lastIndexOf(8); // The start section; a custom one goes before it.
    const custom = Uint8Array.of(0, 3, 1, 0x61, 0xff);
    const { module } = loaded(
      new Uint8Array([...bytes.subarray(0, at), ...custom, ...bytes.subarray(at)]),
    );
    expect(WebAssembly.Module.customSections(module, "a")).toHaveLength(1);
  });
});

describe("loadModule() errors", () => {
  test("hands on what the reader refuses", () => {
    expect(() => loaded(new TextEncoder().encode("hello"))).toThrow(ModuleError);
  });

  test("refuses what the engine refuses, with its reason", () => {
    const bytes = wat("(module (func (result i32) i32.const 7))");
    bytes[bytes.lastIndexOf(0x41)] = 0x42; // i64.const: another type than the function's result.
    expect(() => loaded(bytes)).toThrow(/the engine says "doesn't (parse|validate)/);
  });

  test("refuses objects that the engine would collect: no limit bounds them", () => {
    // One type, an array of mutable i8; and no function.
    const bytes = Uint8Array.fromHex("0061736d010000000104015e7801");
    expect(() => loaded(bytes)).toThrow("types of structs or arrays");
  });

  test("does not let a rewrite repair an invalid module", () => {
    // The start section's function does not exist in the code, which only the engine notices.
    const bytes = wat("(module (func $s) (start $s))");
    const broken = bytes.slice(0, bytes.lastIndexOf(10)); // Without its code section.
    expect(() => loaded(broken)).toThrow("code section");
  });
});

function wat(text: string): Uint8Array {
  const module = wabt.parseWat("test.wat", text);
  return new Uint8Array(module.toBinary({}).buffer);
}

function loaded(bytes: Uint8Array): {
  module: WebAssembly.Module;
  startExport: string | undefined;
} {
  const { module, rewritten } = loadModule(bytes, { memoryPages: 16, fuel: false });
  return { module, startExport: rewritten.names.start };
}
