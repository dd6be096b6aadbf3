import { describe, expect, test } from "bun:test";
import { runningPlugin } from "./plugin-sums.ts";
import { decodeStatus, encodeStatus, NO_STATUS, type WorkerStatus } from "./worker-status.ts";

describe("encodeStatus()", () => {
  test("is what decodeStatus() reads, 64 bits included", () => {
    const status: WorkerStatus = {
      generation: 3,
      inFlight: 2,
      generations: 1,
      collections: { growth: 4, idle: 5 },
      plugins: [
        runningPlugin({
          name: 'a "quoted" name',
          breaker: "half-open",
          breakerOpened: 1,
          failures: { "host calls": 2 },
          recycled: 0,
          sandboxes: { busy: 1, idle: 0, waiting: 4 },
          metrics: [
            { name: "c", type: "counter", value: 2n ** 64n - 1n, count: 0 },
            { name: "g", type: "gauge", value: -5n, count: 0 },
            { name: "h\n", type: "histogram", value: 9n, count: 3 },
          ],
        }),
      ],
    };
    expect(decodeStatus(encodeStatus(status))).toEqual(status);
    expect(decodeStatus(encodeStatus(NO_STATUS))).toEqual(NO_STATUS);
  });

  test("takes plugins without a pool", () => {
    const plugin = runningPlugin({
      name: "a",
      breaker: "closed",
      breakerOpened: 0,
      failures: {},
      recycled: 0,
      sandboxes: undefined,
      metrics: [],
    });
    const [read] = decodeStatus(encodeStatus({ ...NO_STATUS, plugins: [plugin] })).plugins;
    expect(read?.sandboxes).toBeUndefined();
  });
});
