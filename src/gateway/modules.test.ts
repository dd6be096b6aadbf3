import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PRELUDE, wat } from "../abi/proxy-wasm/testing.ts";
import { parseConfig } from "../config/load.ts";
import { FILES_ON_DISK } from "../config/plugin-files.ts";
import { readModules } from "./modules.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-modules-"));
const CALLS = `(module (import "env" "proxy_http_call"
  (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32))) ${PRELUDE})`;
await Bun.write(join(folder, "plugins/calls.wasm"), wat(CALLS));
await Bun.write(join(folder, "plugins/bad-code.wasm"), badCode());
await Bun.write(join(folder, "plugins/unused.wasm"), "no module");

afterAll(() => rmSync(folder, { recursive: true }));

describe("readModules()", () => {
  test("warns at the declaration, and keeps the module", async () => {
    const { modules, diagnostics } = await read("wasm: { plugins: [{ name: calls }] }");
    expect(modules.map(({ name }) => name)).toEqual(["calls"]);
    // The bytes travel to the workers, what was found out about them does not.
    expect(modules.map((module) => Object.keys(module))).toEqual([
      ["name", "hash", "settings", "bytes"],
    ]);
    expect(diagnostics).toMatchObject([
      { severity: "warning", code: "PLUGIN_NOT_GRANTED", position: { line: 1, column: 27 } },
    ]);
  });

  test("warns at the use of a plugin that was found in the folder, and of no other", async () => {
    const { diagnostics } = await read("global_plugins: [calls]");
    expect(diagnostics).toMatchObject([{ severity: "warning", position: { line: 1, column: 18 } }]);
    expect((await read("routes: []")).diagnostics).toEqual([]);
  });
});

describe("readModules() errors", () => {
  test("leaves code to the workers, and tells everything when there will be none", async () => {
    expect((await read(declared("bad-code"))).diagnostics).toEqual([]);
    const { diagnostics } = await read(declared("bad-code", "unused"));
    expect(diagnostics.map(({ code, position }) => [code, position?.column])).toEqual([
      ["PLUGIN_NOT_WASM", 47],
      ["PLUGIN_INVALID", 27],
    ]);
    const file = join(folder, "plugins/bad-code.wasm");
    expect(diagnostics[1]?.message).toStartWith(`Cannot load plugin "bad-code" from ${file}: `);
  });

  test("refuses what does not fit to the words of its plugin", async () => {
    const plugin = "{ name: calls, instances: per_request, seed: nope }";
    const { diagnostics } = await read(`wasm: { plugins: [${plugin}] }`);
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "error PLUGIN_SEED",
      "warning PLUGIN_NOT_GRANTED",
    ]);
    expect(diagnostics[0]?.message).toStartWith('Cannot load plugin "calls" from ');
  });
});

function declared(...names: string[]): string {
  return `wasm: { plugins: [${names.map((name) => `{ name: ${name} }`).join(", ")}] }`;
}

/** Well-formed, and its function leaves the stack empty that is to have a result. */
function badCode(): Uint8Array {
  const good = wat(`(module ${PRELUDE} (func (export "bad") (result i32) (i32.const 77)))`);
  const at = good.findIndex((byte, n) => byte === 0x41 && good[n + 1] === 0xcd);
  // i32.const 77 is three bytes.
  return good
    .with(at, 0x01)
    .with(at + 1, 0x01)
    .with(at + 2, 0x01);
}

function read(text: string): ReturnType<typeof readModules> {
  const outcome = parseConfig(text, {
    file: join(folder, "gateway.yaml"),
    env: {},
    cores: 1,
    bundledPlugins: new Map(),
    pluginFiles: FILES_ON_DISK,
  });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return readModules(outcome.config);
}
