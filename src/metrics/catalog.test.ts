import { describe, expect, test } from "bun:test";
import { CATALOG, type CatalogEntry, PLUGIN_METRIC_PREFIX } from "./catalog.ts";

const entries = Object.entries<CatalogEntry>(CATALOG);

describe("CATALOG", () => {
  test("has names that Prometheus takes, counters with _total and gauges without", () => {
    for (const [name, { type, labels }] of entries) {
      expect(name).toMatch(/^sluice(_[a-z]+)+$/);
      expect({ name, total: name.endsWith("_total") }).toEqual({ name, total: type === "counter" });
      for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    }
  });

  test("leaves the prefix of the plugins' metrics to them", () => {
    const within = entries.filter(([name]) => name.startsWith(PLUGIN_METRIC_PREFIX));
    expect(within).toEqual([]);
  });

  test("tells each metric in words of one table row", () => {
    for (const [, { help, note }] of entries) {
      expect(help).toMatch(/^[A-Z][^|\n]*[^.\n]$/);
      expect(note).toMatch(/^[A-Z`][^|\n]*\.$/);
    }
  });
});
