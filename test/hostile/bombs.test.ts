import { describe, expect, test } from "bun:test";
import { ModuleError } from "../../src/wasm/binary/module-error.ts";
import { instrument } from "../../src/wasm/instrument/instrument.ts";
import { ENDLESS_BOMBS } from "./endless-bombs.ts";
import { SIZE_BOMBS } from "./size-bombs.ts";

const BOMBS = [...SIZE_BOMBS, ...ENDLESS_BOMBS];

const OPTIONS = {
  memoryPagesMax: 64,
  tableEntriesMax: 65_536,
  checks: { poll: false, fuel: true },
} as const;

/** units; a few milliseconds. */
const LITTLE = 1_000_000;
const AMPLE = 2 ** 31 - 1;
/** Far above what any of them takes, for a machine that is busy with something else. */
const MS_MAX = 5000;

describe("instrument() refuses", () => {
  test.each(BOMBS.filter(({ fate }) => fate === "refused"))(
    "$name",
    ({ make }) => {
      const bytes = make();
      const began = performance.now();
      expect(() => instrument(bytes, OPTIONS)).toThrow(ModuleError);
      expect(performance.now() - began).toBeLessThan(MS_MAX);
    },
    30_000,
  );
});

describe("a rewritten module that ends:", () => {
  test.each(BOMBS.filter(({ fate }) => fate === "ends"))(
    "$name",
    ({ make }) => {
      const bytes = make();
      const began = performance.now();
      run(bytes, AMPLE);
      expect(performance.now() - began).toBeLessThan(MS_MAX);
    },
    30_000,
  );
});

describe("a rewritten module that is stopped:", () => {
  test.each(BOMBS.filter(({ fate }) => fate === "stops"))(
    "$name",
    ({ make }) => {
      const bytes = make();
      const began = performance.now();
      expect(() => run(bytes, LITTLE)).toThrow(/Unreachable code|Maximum call stack/);
      expect(performance.now() - began).toBeLessThan(MS_MAX);
    },
    30_000,
  );
});

test("there are bombs of every kind", () => {
  expect(BOMBS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(BOMBS.map(({ name }) => name)).size).toBe(BOMBS.length);
});

function run(bytes: Uint8Array, fuel: number): void {
  const rewritten = instrument(bytes, OPTIONS);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(rewritten.bytes), {});
  const call = (key: string | undefined, ...args: number[]): void => {
    if (key !== undefined) (exports[key] as (...args: number[]) => unknown)(...args);
  };
  for (const key of [rewritten.names.initialize, rewritten.names.start, "run"]) {
    call(rewritten.names.setFuel, fuel);
    call(key);
  }
}
