import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { QueueTurns, type Telling } from "./queue-turns.ts";

/** Has so many items, and notes its name for each of which it tells. */
function telling(name: string, items: number, told: string[], work = () => {}): Telling {
  let left = items;
  return {
    tell: () => {
      told.push(name);
      work();
      return --left > 0;
    },
  };
}

function workLong(): void {
  Bun.sleepSync(LIMITS.queueTurnMsMax); // The work is that it takes so long.
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("QueueTurns", () => {
  test("tells of the items of several queues in turn, later", async () => {
    const told: string[] = [];
    const turns = new QueueTurns();
    turns.add(telling("a", 3, told));
    turns.add(telling("b", 1, told));
    expect(told).toEqual([]);
    await immediate();
    expect(told).toEqual(["a", "b", "a", "a"]);
  });

  test("lets others have their turn when telling takes long, and goes on afterwards", async () => {
    const told: string[] = [];
    const turns = new QueueTurns();
    turns.add(telling("a", 3, told, workLong));
    await immediate();
    expect(told).toEqual(["a"]);
    while (told.length < 3) await Bun.sleep(1);
  });

  test("takes on a queue that comes while it waits", async () => {
    const told: string[] = [];
    const turns = new QueueTurns();
    turns.add(telling("a", 2, told, workLong));
    await immediate();
    turns.add(telling("b", 1, told));
    while (told.length < 3) await Bun.sleep(1);
    expect(told).toEqual(["a", "a", "b"]);
  });
});
