import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../base/assert.ts";
import { LIMITS } from "../base/limits.ts";
import { print } from "../base/standard-streams.ts";
import { CATALOG, type CatalogEntry, PLUGIN_METRIC_PREFIX } from "./catalog.ts";

/**
 * docs/METRICS.md: the prose of document.md, with the catalog in its place. A test fails when the
 * file is another one:
 *
 *   node_modules/.bin/bun src/metrics/document.ts > docs/METRICS.md
 */
export function metricsDocument(): string {
  const parts: Readonly<Record<string, string>> = {
    catalog: catalogTable(),
    prefix: PLUGIN_METRIC_PREFIX,
    "plugins-max": count(LIMITS.statusPluginsMax),
    "name-max": count(LIMITS.statusMetricNameMax),
    "plugin-metrics-max": count(LIMITS.guestMetricsMax),
    "metrics-max": count(LIMITS.statusMetricsMax),
  };
  const prose = readFileSync(join(import.meta.dir, "document.md"), "utf8");
  return prose.replace(/<<([a-z-]+)>>/g, (_written, name: string) => {
    const part = parts[name];
    assert(part !== undefined, `Cannot fill <<${name}>> in document.md`);
    return part;
  });
}

function catalogTable(): string {
  const rows = Object.entries<CatalogEntry>(CATALOG).map(([name, { type, labels, help, note }]) => {
    const shown = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${shown} | ${help}. ${note} |`;
  });
  return ["| name | type | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

if (import.meta.main) print(metricsDocument());
