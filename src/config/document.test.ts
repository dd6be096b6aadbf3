import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DIAGNOSTIC_CODES } from "./codes.ts";
import { configDocument } from "./document.ts";
import { jsonSchema } from "./json-schema.ts";

describe("configDocument()", () => {
  test("is what docs/CONFIG.md holds", async () => {
    // When it differs: node_modules/.bin/bun src/config/document.ts > docs/CONFIG.md
    const onDisk = await Bun.file(join(import.meta.dir, "../../docs/CONFIG.md")).text();
    expect(onDisk === configDocument() ? "the same" : "another one").toBe("the same");
  });

  test("has a row for every key and every diagnostic", () => {
    const text = configDocument();
    const keys = new Set<string>();
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [keyword, below] of Object.entries(value)) {
        if (keyword !== "properties") {
          walk(below);
          continue;
        }
        // Its keys are ours, and one of them is called "properties" itself.
        for (const [key, property] of Object.entries(below as object)) {
          keys.add(key);
          walk(property);
        }
      }
    };
    walk(jsonSchema());
    // A plugin's name is a key, but not one of the file's own words.
    keys.delete("proxy-rewrite");
    const missing = [...keys, ...Object.keys(DIAGNOSTIC_CODES)].filter(
      (word) => !text.includes(`\n| \`${word}\``),
    );
    expect(missing).toEqual([]);
    expect(keys.size).toBeGreaterThan(50);
  });

  test("has rows of one shape, so that no cell ends a table", () => {
    const rows = configDocument()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    const columns = new Set(rows.map((row) => row.replaceAll("\\|", "").split("|").length));
    expect(columns).toEqual(new Set([4, 6]));
  });
});
