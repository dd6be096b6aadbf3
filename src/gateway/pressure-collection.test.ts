import { describe, expect, test } from "bun:test";
import { PressureCollection } from "./pressure-collection.ts";

const MIB = 1024 * 1024;

describe("PressureCollection", () => {
  test("collects when the worker has grown by 128 MiB, and counts from what is left", () => {
    const worker = make({ leaves: 120 });
    for (const mib of [100, 150, 227]) worker.look(mib);
    expect(worker.collections()).toBe(0);
    worker.look(228);
    expect(worker.collections()).toBe(1);
    worker.look(247);
    expect(worker.collections()).toBe(1);
    worker.look(248);
    expect(worker.collections()).toBe(2);
  });

  test("lets a large worker grow by half of what it has", () => {
    const worker = make({ leaves: 1000 });
    for (const mib of [1000, 1499]) worker.look(mib);
    expect(worker.collections()).toBe(0);
    worker.look(1500);
    expect(worker.collections()).toBe(1);
  });

  test("counts from the least that it has seen", () => {
    const worker = make({ leaves: 60 });
    for (const mib of [300, 60, 187]) worker.look(mib);
    expect(worker.collections()).toBe(0);
    worker.look(188);
    expect(worker.collections()).toBe(1);
  });

  test("takes one part in twenty of the worker's time, also when nothing is gained", () => {
    const worker = make({ leaves: 100, takesMs: 50 });
    for (const mib of [100, 900]) worker.look(mib);
    expect(worker.collections()).toBe(1);
    worker.pass(999);
    worker.look(900);
    expect(worker.collections()).toBe(1);
    worker.pass(1);
    worker.look(900);
    expect(worker.collections()).toBe(2);
  });
});

function make({ leaves, takesMs = 0 }: { leaves: number; takesMs?: number }) {
  let collections = 0;
  let now = 0;
  let mib = 0;
  const collect = (): void => {
    collections++;
    now += takesMs;
    mib = leaves;
  };
  const pressure = new PressureCollection(collect, () => now);
  return {
    collections: () => collections,
    pass: (ms: number): void => void (now += ms),
    look: (seen: number): void => {
      mib = seen;
      pressure.look(() => mib * MIB);
    },
  };
}
