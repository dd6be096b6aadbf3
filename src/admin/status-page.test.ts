import { describe, expect, test } from "bun:test";
import { VERSION } from "../base/version.ts";
import { gatewayStatus, metric, pluginSum, workerView } from "./admin.testing.ts";
import { statusPage } from "./status-page.ts";

describe("statusPage()", () => {
  test("tells every worker, and plugins with their breaker on each", () => {
    const bad = pluginSum("p", { breaker: "open", breakerOpened: 1, failures: { trap: 9 } });
    const good = pluginSum("p", { sandboxes: { busy: 1, idle: 0, waiting: 2 } });
    const gone = pluginSum("p", { running: 0 });
    const { status, text } = statusPage(
      gatewayStatus({
        workers: [
          workerView(10, 2, [bad]),
          workerView(11, 0, [good]),
          { ...workerView(12, 1, [gone]), isLeaving: true },
        ],
        plugins: [{ ...bad, running: 2, metrics: [metric("counter", "c")], metricsLeftOut: 1 }],
      }),
    );
    expect(status).toBe(200);
    const described = {
      name: "p",
      running: 1,
      breaker: "open",
      breaker_openings: 1,
      failures: { trap: 9 },
      recycled: 0,
    };
    expect(JSON.parse(text)).toEqual({
      version: VERSION,
      state: "serving",
      uptime_seconds: 1.5,
      generation: 2,
      reloads: { taken_over: 1, refused: 3 },
      workers_configured: 2,
      worker_restarts: 4,
      workers: [
        {
          pid: 10,
          state: "serving",
          generation: 2,
          in_flight: 10,
          generations: 1,
          plugins: [described],
        },
        {
          pid: 11,
          state: "starting",
          generation: 0,
          in_flight: 11,
          generations: 1,
          plugins: [
            {
              ...described,
              breaker: "closed",
              breaker_openings: 0,
              failures: {},
              sandboxes: { busy: 1, idle: 0, waiting: 2 },
            },
          ],
        },
        {
          pid: 12,
          state: "leaving",
          generation: 1,
          in_flight: 12,
          generations: 1,
          plugins: [
            { ...described, running: 0, breaker: "closed", breaker_openings: 0, failures: {} },
          ],
        },
      ],
      plugins: [
        {
          ...described,
          running: 2,
          breakers: { 10: "open", 11: "closed" },
          metrics_left_out: 1,
        },
      ],
    });
  });
});
