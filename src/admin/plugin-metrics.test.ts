import { describe, expect, test } from "bun:test";
import { exposition } from "../metrics/exposition.ts";
import { metric, pluginSum } from "./admin.testing.ts";
import { pluginMetrics } from "./plugin-metrics.ts";

type Plugins = Parameters<typeof pluginMetrics>[0];

/** The lines with values, as they stand on the page. */
function linesOf(plugins: Plugins): string[] {
  return exposition(pluginMetrics(plugins).families)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function one(...metrics: Plugins[number]["metrics"][number][]): Plugins {
  return [pluginSum("p", { metrics })];
}

describe("pluginMetrics()", () => {
  test.each([
    ["counter hits", metric("counter", "hits", 3n), ['sluice_wasm_hits_total{plugin="p"} 3']],
    [
      "counter hits_total",
      metric("counter", "hits_total", 3n),
      ['sluice_wasm_hits_total{plugin="p"} 3'],
    ],
    ["gauge depth", metric("gauge", "depth", -2n), ['sluice_wasm_depth{plugin="p"} -2']],
    [
      "histogram bytes",
      metric("histogram", "bytes", 9n, 2),
      ['sluice_wasm_bytes_sum{plugin="p"} 9', 'sluice_wasm_bytes_count{plugin="p"} 2'],
    ],
    [
      "gauge my-filter.a b:c/d",
      metric("gauge", "my-filter.a b:c/d", 1n),
      ['sluice_wasm_my_filter_a_b_c_d{plugin="p"} 1'],
    ],
    ["gauge 9lives", metric("gauge", "9lives", 1n), ['sluice_wasm_9lives{plugin="p"} 1']],
    ["gauge ünï🦀", metric("gauge", "ünï🦀", 1n), ['sluice_wasm__n__{plugin="p"} 1']],
    [
      "gauge with a line end",
      metric("gauge", 'x{y="z"} 1\nup 0', 1n),
      ['sluice_wasm_x_y__z___1_up_0{plugin="p"} 1'],
    ],
  ])("shows the %s under a name that Prometheus takes", (_name, shown, lines) => {
    expect(linesOf(one(shown))).toEqual(lines);
  });

  test("puts one name of several plugins into one family", () => {
    const metrics = [metric("counter", "hits")];
    const { families, leftOut } = pluginMetrics([
      pluginSum("a", { metrics }),
      pluginSum("b", { metrics }),
    ]);
    expect(families).toHaveLength(1);
    expect(families[0]?.samples.map(({ labels }) => labels)).toEqual([
      { plugin: "a" },
      { plugin: "b" },
    ]);
    expect(leftOut).toEqual(new Map());
  });

  test("keeps the guest's own name in the help, on one line", () => {
    const text = exposition(pluginMetrics(one(metric("gauge", "a\nb"))).families);
    expect(text.split("\n")[0]).toBe(String.raw`# HELP sluice_wasm_a_b The gauge a\nb of a plugin`);
  });

  test("lets a counter and a gauge of one name stand side by side", () => {
    const lines = linesOf(one(metric("counter", "n", 1n), metric("gauge", "n", 2n)));
    expect(lines).toEqual(['sluice_wasm_n_total{plugin="p"} 1', 'sluice_wasm_n{plugin="p"} 2']);
  });
});

describe("pluginMetrics() collisions", () => {
  test.each([
    ["two spellings", [metric("counter", "a.b", 1n), metric("counter", "a-b", 2n)]],
    ["a counter and a gauge", [metric("counter", "a", 1n), metric("gauge", "a_total", 2n)]],
    ["a histogram and its sum", [metric("histogram", "a", 1n), metric("gauge", "a_sum", 2n)]],
    ["a count and its histogram", [metric("gauge", "a_count", 1n), metric("histogram", "a", 2n)]],
    ["a histogram and a gauge", [metric("histogram", "a", 1n), metric("gauge", "a", 2n)]],
    ["two histograms", [metric("histogram", "a", 1n), metric("histogram", "a_sum", 2n)]],
  ] as const)("shows the first of %s in one plugin, and counts the other", (_name, metrics) => {
    const { families, leftOut } = pluginMetrics(one(...metrics));
    expect(families).toHaveLength(1);
    expect(families[0]?.samples[0]?.value).toBe(1n);
    expect(leftOut).toEqual(new Map([["p", 1]]));
  });

  test("counts what another plugin has as another type with its own plugin", () => {
    const { families, leftOut } = pluginMetrics([
      pluginSum("a", { metrics: [metric("gauge", "x_total", 1n)] }),
      pluginSum("b", { metrics: [metric("counter", "x", 2n), metric("gauge", "y", 3n)] }),
    ]);
    expect(families.map(({ name, type }) => `${type} ${name}`)).toEqual([
      "gauge sluice_wasm_x_total",
      "gauge sluice_wasm_y",
    ]);
    expect(leftOut).toEqual(new Map([["b", 1]]));
  });

  test("never writes a name or a series twice, whatever plugins define", () => {
    const names = ["a", "a_sum", "a_count", "a_total", "a_total_sum", "a_sum_total", "a.sum"];
    const types = ["counter", "gauge", "histogram"] as const;
    for (let seed = 0; seed < 500; seed++) {
      const pick = (n: number, from: number): number => (seed * 7919 + n * 104_729 + n ** 3) % from;
      const metrics = Array.from({ length: 8 }, (_, n) =>
        metric(types[pick(n, 3)] ?? "gauge", names[pick(n + 50, names.length)] ?? "a"),
      );
      const { families } = pluginMetrics([
        pluginSum("a", { metrics: metrics.slice(0, 4) }),
        pluginSum("b", { metrics: metrics.slice(4) }),
      ]);
      const text = exposition(families).split("\n");
      const series = text.filter((line) => line !== "" && !line.startsWith("#"));
      const ids = series.map((line) => line.slice(0, line.lastIndexOf(" ")));
      expect(new Set(ids).size).toBe(ids.length);
      const heads = text.filter((line) => line.startsWith("# TYPE"));
      expect(new Set(heads.map((line) => line.split(" ")[2])).size).toBe(heads.length);
    }
  });
});
