import { describe, expect, test } from "bun:test";
import { gatewayStatus, workerView } from "./admin.testing.ts";
import { readyPage } from "./ready-page.ts";

describe("readyPage()", () => {
  test("answers 200 when all workers serve the current generation", () => {
    const { status, text } = readyPage(gatewayStatus());
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      ready: true,
      state: "serving",
      generation: 2,
      workers_configured: 2,
      workers_serving: 2,
    });
  });

  test("counts a worker that has changed over before the others", () => {
    const workers = [workerView(10, 2), workerView(11, 3)];
    expect(readyPage(gatewayStatus({ workers })).status).toBe(200);
  });

  test.each([
    ["before the first generation", { state: "starting", generation: 0, workersConfigured: 0 }],
    ["while stopping", { state: "draining" }],
    ["while one is missing", { workers: [workerView(10, 2)] }],
    ["while one has not caught up", { workers: [workerView(10, 2), workerView(11, 1)] }],
    ["while one is starting", { workers: [workerView(10, 2), workerView(11, 0)] }],
    [
      "when one only finishes its last exchanges",
      { workers: [workerView(10, 2), { ...workerView(11, 2), isLeaving: true }] },
    ],
  ] as const)("answers 503 %s", (_when, changes) => {
    const { status, text } = readyPage(gatewayStatus(changes));
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ ready: false });
  });
});
