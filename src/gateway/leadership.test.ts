import { describe, expect, test } from "bun:test";
import { Leadership } from "./leadership.ts";

class Worker {
  readonly #name: string;
  readonly #told: string[];
  alive = true;

  constructor(name: string, told: string[]) {
    this.#name = name;
    this.#told = told;
  }

  lead(isLeader: boolean): void {
    this.#told.push(`${this.#name} ${isLeader ? "leads" : "stops"}`);
  }
}

describe("Leadership", () => {
  test("stays with one, and goes to the next when that one leaves, never to two", () => {
    const told: string[] = [];
    const [a, b, c] = ["a", "b", "c"].map((name) => new Worker(name, told));
    if (a === undefined || b === undefined || c === undefined) throw new Error("no workers");
    const leadership = new Leadership<Worker>();
    leadership.elect([a, b]);
    leadership.elect([a, b, c]);
    leadership.leave(c);
    expect(leadership.leader).toBe(a);
    leadership.leave(a);
    leadership.leave(a);
    expect(leadership.leader).toBe(b);
    leadership.leave(b);
    expect(leadership.leader).toBeUndefined();
    leadership.join(c);
    expect(told).toEqual(["a leads", "a stops", "b leads", "b stops", "c leads"]);
  });

  test("is given to nobody who ended between its build and its election", () => {
    const told: string[] = [];
    const [dead, next] = [new Worker("dead", told), new Worker("next", told)];
    dead.alive = false;
    const leadership = new Leadership<Worker>();
    leadership.leave(dead); // Its end comes first, and nothing comes after it.
    leadership.elect([dead]);
    expect(leadership.leader).toBeUndefined();
    leadership.join(next);
    expect(leadership.leader).toBe(next);
    expect(told).toEqual(["next leads"]);
  });
});
