import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LOOP_FORMS } from "./loops.testing.ts";
import type { Scenario } from "./scenarios.testing.ts";

const SCENARIOS = join(import.meta.dir, "scenarios.testing.ts");

/** ms; a guest that has not been stopped by then never will be. */
const GIVE_UP_MS = 60_000;

describe("Watch", () => {
  test(
    "stops every form of loop, and the next call works",
    async () => {
      const stopped = Array.from({ length: 3 }, () => ({ trapped: true, late: true }));
      expect(await play("stops")).toEqual(
        Object.fromEntries(LOOP_FORMS.map((form) => [form, stopped])),
      );
    },
    GIVE_UP_MS,
  );

  test(
    "stops no honest call of 100,000, with others being stopped in between",
    async () => {
      expect(await play("honest")).toEqual({ fired: 40 });
    },
    GIVE_UP_MS,
  );

  test(
    "decides for each call alone, however close to its deadline it ends",
    async () => {
      const { returned, stopped } = await play("edges");
      expect(returned).toBeGreaterThan(100);
      expect(stopped).toBeGreaterThan(100);
    },
    GIVE_UP_MS,
  );

  test(
    "is awake for guests that enter when it falls asleep or naps for long",
    async () => {
      expect(await play("wakes")).toEqual({ fired: 600 });
    },
    GIVE_UP_MS,
  );

  test(
    "stops one of several sandboxes and none of the others",
    async () => {
      expect(await play("inTurn")).toEqual({ fired: 30 });
    },
    GIVE_UP_MS,
  );

  test(
    "tells host functions that the time is up",
    async () => {
      expect(await play("expires")).toEqual({
        before: false,
        seen: [false, true],
        outcome: { trapped: true, late: true },
        after: false,
      });
    },
    GIVE_UP_MS,
  );

  test(
    "counts what guests use and nothing while none runs",
    async () => {
      const { counted, whileAsleep } = await play("ticks");
      expect(counted).toBeGreaterThan(10); // 200 ms, or less where guests hardly get a CPU.
      expect(counted).toBeLessThan(2000);
      expect(whileAsleep).toBe(0);
    },
    GIVE_UP_MS,
  );

  test(
    "reset() zeros what a guest keeps beside its memory",
    async () => {
      expect(await play("keeps")).toEqual({ kept: [42, 42, 0] });
    },
    GIVE_UP_MS,
  );

  test(
    "pageFor() leaves nothing behind when memories are freed",
    async () => {
      const { reused, unmapped, grown } = await play("frees");
      expect({ reused, unmapped }).toEqual({ reused: true, unmapped: 1000 });
      expect(grown).toBeLessThan(100);
    },
    GIVE_UP_MS,
  );

  test(
    "stop() ends the second thread",
    async () => {
      expect(await play("ends")).toEqual({ during: 1, after: 0 });
    },
    GIVE_UP_MS,
  );
});

describe("Watch errors", () => {
  test("refuses to enter one guest inside of another, and to leave none", async () => {
    expect(await play("misuse")).toEqual({
      errors: ["Cannot leave a guest: none runs", "Cannot enter a guest: another one runs"],
    });
  });

  test("pageFor() answers undefined for a memory that is not fast", async () => {
    expect(await play("slow", { BUN_JSC_useWasmFastMemory: "0" })).toEqual({ page: "none" });
  });
});

/** What the scenario answers, once its process has ended by itself. */
async function play(
  scenario: Scenario,
  environment: Record<string, string> = { BUN_JSC_maxNumWasmFastMemories: "10000" },
): Promise<Record<string, unknown>> {
  await using child = Bun.spawn([process.execPath, SCENARIOS, scenario], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [answer, complaint] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const exitCode = await child.exited;
  expect({ exitCode, complaint }).toEqual({ exitCode: 0, complaint: "" });
  return JSON.parse(answer) as Record<string, unknown>;
}
