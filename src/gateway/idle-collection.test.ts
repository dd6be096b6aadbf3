import { describe, expect, test } from "bun:test";
import { IdleCollection } from "./idle-collection.ts";

describe("IdleCollection", () => {
  test("collects once when a worker that was busy has been idle for three beats", () => {
    const { idle, collected } = make();
    for (const served of [500, 5000, 9000]) idle.beat(4, served);
    idle.beat(0, 9000);
    idle.beat(0, 9000);
    expect(collected()).toBe(0);
    for (let n = 0; n < 10; n++) idle.beat(0, 9000);
    expect(collected()).toBe(1);
  });

  test("begins to count anew with every exchange that is seen", () => {
    const { idle, collected } = make();
    for (let served = 2000; served < 2100; served++) {
      idle.beat(0, served);
      idle.beat(0, served);
      idle.beat(1, served);
    }
    expect(collected()).toBe(0);
  });

  test("does nothing for a worker that has hardly served since the last time", () => {
    const { idle, collected } = make();
    const rest = (served: number): void => {
      idle.beat(1, served);
      for (let n = 0; n < 5; n++) idle.beat(0, served);
    };
    rest(999);
    expect(collected()).toBe(0);
    rest(1000);
    rest(1999);
    expect(collected()).toBe(1);
    rest(2000);
    expect(collected()).toBe(2);
  });
});

function make() {
  let count = 0;
  return { idle: new IdleCollection(() => count++), collected: () => count };
}
