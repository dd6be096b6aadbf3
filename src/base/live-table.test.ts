import { describe, expect, test } from "bun:test";
import { LiveTable } from "./live-table.ts";
import { SeededRandom } from "./random.testing.ts";

describe("LiveTable", () => {
  test("keeps what lives, whatever comes and goes", () => {
    const random = new SeededRandom(7);
    const table = new LiveTable<string>();
    const model = new Map<number, string>();
    let next = 2;
    for (let n = 0; n < 20_000; n++) {
      if (random.below(100) < 52) {
        const number = table.free(next, 2, 1000);
        expect(model.has(number)).toBe(false);
        table.set(number, `at ${n}`);
        model.set(number, `at ${n}`);
        next = number + 1;
      } else {
        const [number, item] = [...model][random.below(Math.max(1, model.size))] ?? [1, "none"];
        table.delete(number, item);
        model.delete(number);
      }
      expect(table.size).toBe(model.size);
      if (model.size > 200) {
        for (const [number, item] of model) table.delete(number, item);
        model.clear();
      }
    }
    for (const [number, item] of model) expect(table.get(number)).toBe(item);
    expect(table.values().toSorted()).toEqual([...model.values()].toSorted());
    table.clear();
    expect(table.size).toBe(0);
    expect(table.values()).toEqual([]);
  });

  test("gives the numbers in order while they are free", () => {
    const table = new LiveTable<string>();
    for (const expected of [2, 3, 4]) {
      const number = table.free(expected);
      expect(number).toBe(expected);
      table.set(number, "x");
    }
    table.delete(3, "x");
    expect(table.get(3)).toBeUndefined();
    expect(table.free(3)).toBe(3);
    // What shares its slot with one that lives is passed over.
    expect(table.free(18)).toBe(19);
    expect(table.free(101, 4, 100)).toBe(5);
  });

  test("deletes nothing that is another one's", () => {
    const table = new LiveTable<string>();
    table.set(table.free(5), "mine");
    table.delete(5, "yours");
    table.delete(21, "yours");
    expect(table.get(5)).toBe("mine");
    expect(table.get(21)).toBeUndefined();
  });
});
