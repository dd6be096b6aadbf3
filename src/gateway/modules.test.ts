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
