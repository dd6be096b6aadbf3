import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { CATALOG } from "./catalog.ts";
import { metricsDocument } from "./document.ts";

describe("metricsDocument()", () => {
  test("is what docs/METRICS.md holds", async () => {
    // When it differs: node_modules/.bin/bun src/metrics/document.ts > docs/METRICS.md
    const onDisk = await Bun.file(join(import.meta.dir, "../../docs/METRICS.md")).text();
    expect(onDisk === metricsDocument() ? "the same" : "another one").toBe("the same");
  });

  test("has a row for every metric, and no place unfilled", () => {
    const text = metricsDocument();
    for (const name of Object.keys(CATALOG)) expect(text).toContain(`\n| \`${name}\` | `);
    expect(text).not.toMatch(/<<|>>/);
  });
});
