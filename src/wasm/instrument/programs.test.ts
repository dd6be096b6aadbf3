import { describe, expect, test } from "bun:test";
import initWabt from "wabt";
import { instrument } from "./instrument.ts";
import { FUEL, NONE } from "./testing.ts";

/** 600 KB of compiled C++, at hand because the tests assemble their guests with it. */
describe("a rewritten assembler", () => {
  test.each([
    { name: "without checks", checks: NONE },
    { name: "with fuel", checks: FUEL },
  ])("writes the same modules, $name", async ({ checks }) => {
    const plain = await initWabt();
    const rewritten = await withInstances(checks, initWabt);
    for (const text of TEXTS) {
      const [expected, got] = [plain, rewritten].map((wabt) => assemble(wabt, text));
      expect(got).toBe(expected as string);
      expect(got?.length).toBeGreaterThan(100);
    }
    expect(() => assemble(rewritten, "(module (func (param i33)))")).toThrow("unexpected token");
  });
});

const TEXTS = [
  `(module (memory 1) (func $f (export "f") (param i32) (result i32)
    (block $out (loop $next (br_if $out (local.get 0)) (br $next))) (call $f (i32.const 1))))`,
  `(module ${'(func (result i32) (i32.const 7)) (data "some bytes")'.repeat(100)})`,
];

type Wabt = Awaited<ReturnType<typeof initWabt>>;

function assemble(wabt: Wabt, text: string): string {
  const module = wabt.parseWat("test.wat", text);
  const { buffer, log } = module.toBinary({ log: true });
  module.destroy();
  return `${Buffer.from(buffer).toString("hex")}\n${log}`;
}

/** Loads a program whose module is rewritten on the way to the engine. */
async function withInstances<T>(checks: typeof FUEL | typeof NONE, load: () => T): Promise<T> {
  const { instantiate } = WebAssembly;
  const limits = { memoryPagesMax: 16_384, tableEntriesMax: 65_536 };
  const patched = async (source: ArrayBuffer, imports: never): Promise<unknown> => {
    const { bytes, names } = instrument(new Uint8Array(source), { ...limits, checks });
    const result = await instantiate(bytes, imports);
    const exports = result.instance.exports as unknown as Record<string, () => void>;
    exports[names.initialize ?? ""]?.();
    exports[names.start ?? ""]?.();
    return result;
  };
  WebAssembly.instantiate = patched as never;
  try {
    return await load();
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
