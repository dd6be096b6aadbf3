import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { parseConfig } from "../config/load.ts";
import { filesAt } from "../config/plugin-files.ts";
import { explainDenial } from "./denial.ts";

const CONFIG = configOf(`
wasm:
  plugins:
    - name: waf
      file: waf.wasm
`);

describe("explainDenial()", () => {
  test.each([
    {
      use: "http_call",
      name: "auth",
      says:
        'Cannot call upstream "auth": plugin "waf" is not granted it; ' +
        'add "auth" to allow.http_call of plugin "waf" (gateway.yaml:4)',
    },
    {
      use: "http_call",
      name: "10.1.2.3:80",
      says:
        'Cannot call address "10.1.2.3:80": plugin "waf" is not granted it; ' +
        'add "10.1.2.3:80" to allow.http_call of plugin "waf" (gateway.yaml:4)',
    },
    {
      use: "queues",
      name: "other",
      says:
        'Cannot find a queue of "other": plugin "waf" is not granted its queues; ' +
        'add "other" to allow.queues of plugin "waf" (gateway.yaml:4)',
    },
    {
      use: "properties",
      name: "gateway.version",
      says:
        'Cannot read property "gateway.version": plugin "waf" is not granted it; ' +
        'add "gateway.version" to allow.properties of plugin "waf" (gateway.yaml:4)',
    },
  ] as const)("says which word grants $use of $name", ({ use, name, says }) => {
    expect(explainDenial(use, name, "waf", CONFIG)).toBe(says);
  });

  test("says for a plugin of the folder which entry grants it, and that entry does", () => {
    const said = explainDenial("http_call", "auth", "found", CONFIG);
    const entry = '{ name: found, allow: { http_call: ["auth"] } }';
    expect(said).toEndWith(`; add ${entry} to wasm.plugins (gateway.yaml)`);
    const { plugins } = configOf(`wasm: { plugins: [${entry}] }`);
    expect(plugins.find(({ name }) => name === "found")?.allow.httpCall).toEqual(["auth"]);
  });
});

describe("explainDenial() errors", () => {
  test("cuts and escapes what a guest calls its target", () => {
    const hostile = `a"\n\x1b[2J\x9b2J\x7f${"x".repeat(10_000)}`;
    const said = explainDenial("http_call", hostile, "waf", CONFIG);
    expect(said.length).toBeLessThan(400);
    expect(said).toContain(String.raw`a\"\n\u001b[2J\u009b2J\u007fxxx`);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(said).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

function configOf(text: string): Config {
  const rest = 'upstreams: [{ id: auth, nodes: { "a:1": 1 } }]\nroutes: []\n';
  const outcome = parseConfig(text + "\n" + rest, {
    file: "gateway.yaml",
    env: {},
    cores: 1,
    bundledPlugins: new Map(),
    pluginFiles: filesAt([resolve("waf.wasm"), resolve("plugins/found.wasm")]),
  });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome.config;
}
