import { describe, expect, test } from "bun:test";
import { parseConfig } from "../config/load.ts";
import { filesAt } from "../config/plugin-files.ts";
import { ModuleError } from "../wasm/binary/module-error.ts";
import { refusedModule } from "./plugin-problem.ts";

const FILE = "/etc/sluice/plugins/own.wasm";

describe("refusedModule()", () => {
  const error = new ModuleError("TOO_LARGE", "Cannot load a module with 9 tables", { offset: 8 });

  test("tells which plugin and file it is, and stands at the declaration", () => {
    const text = `routes: [{ uri: /, plugins: [own], upstream: { nodes: { "a:1": 1 } } }]
wasm: { plugins: [{ name: own, file: ${FILE} }] }`;
    expect(refusedModule(configOf(text), "own", error)).toMatchObject({
      severity: "error",
      code: "PLUGIN_TOO_LARGE",
      message: `Cannot load plugin "own" from ${FILE}: ${error.message}`,
      file: "/etc/sluice/gateway.yaml",
      position: { line: 2, column: 27 },
    });
  });

  test("stands at the first use of a plugin that was found in the folder", () => {
    const text = `routes: [{ uri: /, plugins: [own], upstream: { nodes: { "a:1": 1 } } }]
global_plugins: [own]`;
    const { position } = refusedModule(configOf(text), "own", error);
    expect(position).toMatchObject({ line: 2, column: 18 });
  });
});

function configOf(text: string) {
  const outcome = parseConfig(text, {
    file: "/etc/sluice/gateway.yaml",
    env: {},
    cores: 1,
    bundledPlugins: new Map(),
    pluginFiles: filesAt([FILE]),
  });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.config;
}
