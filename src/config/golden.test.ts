import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { DIAGNOSTIC_CODES } from "./codes.ts";
import { type LoadOutcome, parseConfig } from "./load.ts";
import { filesAt } from "./plugin-files.ts";
import { renderDiagnostics } from "./render.ts";

/**
 * test/golden/config/NAME.txt: a configuration, a line of ten dashes, and what becomes of it: the
 * rendered diagnostics, or the warnings and the typed configuration as JSON.
 * `UPDATE_GOLDEN=1 bun test src/config/golden.test.ts` writes what it is now; read the difference.
 */
const FOLDER = join(import.meta.dir, "../../test/golden/config");
const LINE = "----------\n";
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

/** Tested beside the code: they need a disk, a large file, or bytes that no text file shows. */
const TESTED_ELSEWHERE = [
  "CONFIG_FILE_UNREADABLE",
  "CONFIG_FILE_TOO_LARGE",
  "CONFIG_ENCODING",
  "CONFIG_TOO_MANY",
];

const FILES = [
  resolve("plugins/add-header.wasm"),
  resolve("opt/waf.wasm"),
  resolve("tls/cert.pem"),
  resolve("tls/key.pem"),
  "/etc/keys/key.pem",
];

function load(text: string): LoadOutcome {
  return parseConfig(text, {
    file: "gateway.yaml",
    env: { SET: "from-env", WORKERS: "3", PORT: "8081", EMPTY: "", SECRET: "hunter2" },
    cores: 4,
    bundledPlugins: new Map(),
    pluginFiles: filesAt(FILES),
  });
}

function describeOutcome(outcome: LoadOutcome): string {
  const { text } = outcome;
  if (!outcome.ok) return renderDiagnostics(outcome.diagnostics, text);
  const config = `${JSON.stringify(outcome.config, undefined, 2)}\n`;
  return renderDiagnostics(outcome.warnings, text) + config;
}

describe("parseConfig()", () => {
  test.each(NAMES)("does what %s says", async (name) => {
    const path = join(FOLDER, name);
    const golden = await Bun.file(path).text();
    const [input = "", expected = ""] = golden.split(LINE);
    const actual = describeOutcome(load(input)).replaceAll(process.cwd(), "/etc/sluice");
    if (process.env["UPDATE_GOLDEN"] === "1") {
      await Bun.write(path, input + LINE + actual);
      return;
    }
    expect(actual).toBe(expected);
  });

  test("has a golden file for every diagnostic", async () => {
    const goldens = await Promise.all(NAMES.map((name) => Bun.file(join(FOLDER, name)).text()));
    const all = goldens.join("\n");
    const missing = Object.keys(DIAGNOSTIC_CODES).filter(
      (code) => !all.includes(`[${code}]`) && !TESTED_ELSEWHERE.includes(code),
    );
    expect(missing).toEqual([]);
    expect(NAMES.length).toBeGreaterThan(25);
  });
});
