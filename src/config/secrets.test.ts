import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { type LoadOutcome, parseConfig } from "./load.ts";
import { filesAt } from "./plugin-files.ts";
import { renderDiagnostics } from "./render.ts";

/** Between « and »: what a plugin alone gets, or how it runs; and where a key could stand. */
const YAML = `
wasm:
  plugins:
    - name: waf
      file: waf.wasm
      sha256: «${"a".repeat(64)}»
      abi: «auto»
      root_id: «root»
      vm_config: { deep: [«text»], n: «5» }
      instances: «per_request»
      limits:
        memory: «1MiB»
        recycle: «64KiB»
        deadline: «5ms»
        total: «1s»
        fuel: «0»
        start: «2s»
      pool: { size: «2», warm: «1», queue: «5», wait: «1s» }
      seed: «reseed»
      fail: «closed»
      breaker: { failures: «3», window: «1s», open: «1s» }
      allow:
        http_call: [«app», «"10.0.0.1:80"»]
        env: { TOKEN: «token» }
        shared_data: «team»
        queues: [«found»]
        properties: [«node.id»]
ssls: [{ snis: [a.example], cert: «waf.wasm», key: «waf.wasm» }]
upstreams: [{ id: app, nodes: { "a:1": 1 } }]
global_plugins: [{ waf: { key: «value», list: [«1»] } }]
routes:
  - { uri: /, upstream_id: app, plugins: [{ waf: «text» }, { found: { conf: { a: «b» } } }] }
`;
const VALUES = [...YAML.matchAll(/«[^»]*»/g)].map((match) => match.index);

describe("parseConfig() with secrets in variables", () => {
  test("reads the configuration without them", () => {
    expect(load(plain(YAML), "").ok).toBe(true);
    expect(VALUES.length).toBeGreaterThan(30);
  });

  // Of each kind that a value could be taken for: the checks differ.
  test.each([
    "hunter2",
    "hunter.2:x",
    "hunter2=\u0000",
    "2026.5",
    '{"hunter2": 1}',
    "hunter2,".repeat(99),
    "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
  ])("shows %j in no diagnostic, wherever it stands", (secret) => {
    let diagnosed = 0;
    for (const at of VALUES) {
      const text = plain(
        `${YAML.slice(0, at)}"\${{SECRET}}"${YAML.slice(YAML.indexOf("»", at) + 1)}`,
      );
      const outcome = load(text, secret);
      const diagnostics = outcome.ok ? outcome.warnings : outcome.diagnostics;
      diagnosed += diagnostics.length;
      const shown = JSON.stringify(diagnostics) + renderDiagnostics(diagnostics, text);
      expect({ text, leaks: /hunter.?2|2026\.5/.test(shown) }).toEqual({ text, leaks: false });
    }
    expect(diagnosed).toBeGreaterThan(10);
  });
});

function plain(marked: string): string {
  return marked.replaceAll(/[«»]/g, "");
}

function load(text: string, secret: string): LoadOutcome {
  return parseConfig(text, {
    file: "gateway.yaml",
    env: { SECRET: secret },
    cores: 1,
    bundledPlugins: new Map(),
    pluginFiles: filesAt([resolve("waf.wasm"), resolve("plugins/found.wasm")]),
  });
}
