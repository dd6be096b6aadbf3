import { describe, expect, test } from "bun:test";
import { RoundRobin } from "./round-robin.ts";
import { balancerContract, nodes, tally, type TestNode } from "./testing.ts";

balancerContract("RoundRobin", (given) => new RoundRobin(given));

function order(balancer: RoundRobin<TestNode>, picks: number): string {
  return Array.from({ length: picks }, () => balancer.pick()?.name.slice(1)).join("");
}

describe("RoundRobin pick()", () => {
  test.each([
    { weights: [1, 1, 1], cycle: "012" },
    { weights: [2, 1], cycle: "010" },
    { weights: [5, 1, 1], cycle: "0010200" }, // The heavy node's picks are spread out.
    { weights: [1, 0, 2], cycle: "202" },
  ])("goes through $weights as $cycle, again and again", ({ weights, cycle }) => {
    expect(order(new RoundRobin(nodes(...weights)), 3 * cycle.length)).toBe(cycle.repeat(3));
  });

  test("is exact over a cycle of large and uneven weights", () => {
    const balancer = new RoundRobin(nodes(100, 37, 1));
    expect(tally(balancer, 138)).toEqual({ n0: 100, n1: 37, n2: 1 });
  });

  test("owes no node anything for the picks from which it was excluded", () => {
    const [first, second] = nodes(1, 1) as [TestNode, TestNode];
    const balancer = new RoundRobin([first, second]);
    for (let n = 0; n < 100; n++) balancer.pick([first]);
    expect(tally(balancer, 10)).toEqual({ n0: 5, n1: 5 });
  });
});
