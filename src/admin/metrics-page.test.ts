import { describe, expect, test } from "bun:test";
import { VERSION } from "../base/version.ts";
import { CATALOG } from "../metrics/catalog.ts";
import { gatewayStatus, metric, pluginSum, workerView } from "./admin.testing.ts";
import { metricsPage } from "./metrics-page.ts";

const FULL = gatewayStatus({
  workers: [workerView(10, 2), workerView(11, 2), { ...workerView(12, 1), isLeaving: true }],
  plugins: [
    pluginSum("gone", { running: 0, failures: { trap: 1 } }),
    pluginSum('p"1"', {
      running: 2,
      breaker: "half-open",
      breakerOpened: 5,
      failures: { trap: 3, "host calls": 2 },
      recycled: 6,
      sandboxes: { busy: 1, idle: 2, waiting: 3 },
      metricsLeftOut: 4,
      metrics: [metric("counter", "a.b", 8n), metric("counter", "a-b", 9n)],
    }),
  ],
});

function valuesOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => line.split(/ (?=[^ ]*$)/)));
}

describe("metricsPage()", () => {
  test("tells the numbers of the gateway, its workers and its plugins", () => {
    const page = metricsPage(FULL);
    expect(page).toMatchObject({
      status: 200,
      contentType: "text/plain; version=0.0.4; charset=utf-8",
    });
    const plugin = String.raw`plugin="p\"1\""`;
    expect(valuesOf(page.text)).toEqual({
      [`sluice_build_info{version="${VERSION}"}`]: "1",
      sluice_start_time_seconds: "1700000000.5",
      sluice_generation: "2",
      'sluice_reloads_total{outcome="taken_over"}': "1",
      'sluice_reloads_total{outcome="refused"}': "3",
      sluice_workers_configured: "2",
      sluice_workers_alive: "2",
      sluice_worker_restarts_total: "4",
      'sluice_worker_collections_total{reason="growth"}': "6",
      'sluice_worker_collections_total{reason="idle"}': "7",
      sluice_exchanges_in_flight: "33",
      'sluice_plugin_failures_total{plugin="gone",kind="trap"}': "1",
      [`sluice_plugin_failures_total{${plugin},kind="trap"}`]: "3",
      [`sluice_plugin_failures_total{${plugin},kind="host calls"}`]: "2",
      [`sluice_plugin_breaker_state{${plugin}}`]: "1",
      'sluice_plugin_breaker_openings_total{plugin="gone"}': "0",
      [`sluice_plugin_breaker_openings_total{${plugin}}`]: "5",
      'sluice_plugin_guests_recycled_total{plugin="gone"}': "0",
      [`sluice_plugin_guests_recycled_total{${plugin}}`]: "6",
      [`sluice_plugin_sandboxes{${plugin},state="busy"}`]: "1",
      [`sluice_plugin_sandboxes{${plugin},state="idle"}`]: "2",
      [`sluice_plugin_exchanges_waiting{${plugin}}`]: "3",
      'sluice_plugin_metrics_left_out{plugin="gone"}': "0",
      [`sluice_plugin_metrics_left_out{${plugin}}`]: "5",
      [`sluice_wasm_a_b_total{${plugin}}`]: "8",
    });
  });

  test("shows every metric of the catalog, with the labels that it names", () => {
    const values = Object.keys(valuesOf(metricsPage(FULL).text));
    for (const [name, { labels }] of Object.entries(CATALOG)) {
      const shown = values.find((each) => each.replace(/\{.*/, "") === name);
      const found = [...(shown?.matchAll(/[{,]([a-z]+)="/g) ?? [])].map((match) => match[1]);
      expect({ name, labels: found }).toEqual({ name, labels: [...labels] });
    }
  });

  test.each([
    ["closed", 0],
    ["half-open", 1],
    ["open", 2],
  ] as const)("writes a breaker that is %s as %d", (breaker, value) => {
    const page = metricsPage(gatewayStatus({ plugins: [pluginSum("p", { breaker })] }));
    expect(page.text).toContain(`\nsluice_plugin_breaker_state{plugin="p"} ${value}\n`);
  });
});
