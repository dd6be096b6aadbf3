import { describe, expect, test } from "bun:test";
import { LIMITS } from "./limits.ts";
import { OwnTurns, type Telling, Turns } from "./turns.ts";

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
  Bun.sleepSync(LIMITS.turnMsMax); // The work is that it takes so long.
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Turns", () => {
  test("tells of the items of several sources in turn, later", async () => {
    const told: string[] = [];
    const turns = new Turns();
    turns.add(telling("a", 3, told));
    turns.add(telling("b", 1, told));
    expect(told).toEqual([]);
    await immediate();
    expect(told).toEqual(["a", "b", "a", "a"]);
  });

  test("lets others have their turn when telling takes long, and goes on afterwards", async () => {
    const told: string[] = [];
    const turns = new Turns();
    turns.add(telling("a", 3, told, workLong));
    await immediate();
    expect(told).toEqual(["a"]);
    while (told.length < 3) await Bun.sleep(1);
  });

  test("takes on what comes while it waits", async () => {
    const told: string[] = [];
    const turns = new Turns();
    turns.add(telling("a", 2, told, workLong));
    await immediate();
    turns.add(telling("b", 1, told));
    while (told.length < 3) await Bun.sleep(1);
    expect(told).toEqual(["a", "a", "b"]);
  });
});

describe("OwnTurns", () => {
  test("get one turn after the other, however many they are", async () => {
    const told: string[] = [];
    const turns = new Turns();
    const own = new OwnTurns(turns);
    for (let n = 0; n < 3; n++) own.add(telling("a", 1, told));
    own.add(telling("b", 2, told));
    turns.add(telling("other", 2, told));
    await immediate();
    expect(told).toEqual(["a", "other", "a", "other", "a", "b", "b"]);
    own.add(telling("a", 1, told));
    expect(told).toHaveLength(7);
    await immediate();
    expect(told).toHaveLength(8);
  });

  test("take on what comes while they tell", async () => {
    const told: string[] = [];
    const own = new OwnTurns(new Turns());
    own.add(telling("a", 1, told, () => own.add(telling("b", 1, told))));
    await immediate();
    expect(told).toEqual(["a", "b"]);
  });
});
