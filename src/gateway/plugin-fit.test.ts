import { describe, expect, test } from "bun:test";
import { inspectModule } from "../abi/inspect.ts";
import { PRELUDE, wat } from "../abi/proxy-wasm/testing.ts";
import { nothingAllowed } from "../config/allow.ts";
import type { PluginConfig } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { misfitsOf } from "./plugin-fit.ts";

const HTTP_CALL = `(import "env" "proxy_http_call"
  (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))`;
const GRPC_CALL = `(import "env" "proxy_grpc_call"
  (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))`;
const QUEUE = `(import "env" "proxy_resolve_shared_queue"
  (func (param i32 i32 i32 i32 i32) (result i32)))`;

describe("misfitsOf()", () => {
  test("finds nothing in a module that asks for nothing, and in one that gets what it asks", () => {
    expect(misfits("")).toEqual([]);
    const allow = { ...nothingAllowed("waf"), httpCall: ["auth"] };
    expect(misfits(HTTP_CALL, { allow })).toEqual([]);
    const patterns = { ...nothingAllowed("waf"), httpCallPatterns: ["a:1"] };
    expect(misfits(HTTP_CALL, { allow: patterns })).toEqual([]);
  });

  test("warns of a module that wants to call and may not", () => {
    const [warning, ...more] = misfits(HTTP_CALL);
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ severity: "warning", code: "NOT_GRANTED" });
    expect(warning?.message).toContain("imports proxy_http_call");
    expect(warning?.hint).toStartWith("add { name: waf, allow: { http_call: [");
    const position = { line: 1, column: 1, length: 1 };
    expect(misfits(HTTP_CALL, { position })[0]?.hint).toEndWith("of the plugin");
  });

  test("does not take what an SDK links for what a filter wants", () => {
    expect(misfits(HTTP_CALL + GRPC_CALL + QUEUE)).toEqual([]);
    expect(misfits(QUEUE)).toEqual([]);
  });

  test("takes the function that draws new seeds", () => {
    expect(misfits('(func (export "reseed"))', { seed: "reseed" })).toEqual([]);
  });
});

describe("misfitsOf() errors", () => {
  test.each([
    { name: "nothing of that name", text: "", shows: "it exports nothing" },
    { name: "a memory", text: "", seed: "memory", shows: "it exports a memory" },
    {
      name: "a function with a result",
      text: '(func (export "reseed") (result i32) (i32.const 0))',
      shows: "it exports () -> i32",
    },
    {
      name: "a function with a parameter",
      text: '(func (export "reseed") (param i64))',
      shows: "it exports (i64) -> ()",
    },
  ])("refuses for a seed $name", ({ text, seed = "reseed", shows }) => {
    const [error] = misfits(text, { seed });
    expect(error).toMatchObject({ severity: "error", code: "SEED" });
    expect(error?.message).toEndWith(shows);
  });

  test("refuses a module that begins with more memory than its plugin may have", () => {
    const limits = { ...DEFAULTS.sandbox.limits, memoryPages: 1 };
    expect(misfits("", { limits })).toEqual([]);
    const large = PRELUDE.replace('"memory") 1', '"memory") 3');
    expect(misfits("", { limits }, large)).toEqual([
      {
        severity: "error",
        code: "MEMORY_LIMIT",
        message: "its memory begins with 192KiB, and limits.memory is 64KiB",
        hint: "set limits.memory to more than 192KiB, so that it can grow",
      },
    ]);
  });
});

/** @param imports and other parts of the module's text; imports come first */
function misfits(imports: string, changes: Partial<PluginConfig> = {}, prelude = PRELUDE) {
  const isImport = imports.startsWith("(import");
  const text = isImport ? imports + prelude : prelude + imports;
  const report = inspectModule(wat(`(module ${text})`));
  expect(report.problems).toEqual([]);
  const plugin: PluginConfig = {
    name: "waf",
    file: "/waf.wasm",
    sha256: undefined,
    abi: "auto",
    rootId: "",
    vmConfig: "",
    fail: "closed",
    tick: "all",
    ...DEFAULTS.sandbox,
    allow: nothingAllowed("waf"),
    position: undefined,
    ...changes,
  };
  return misfitsOf(plugin, report);
}
