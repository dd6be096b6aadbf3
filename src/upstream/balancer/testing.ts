import { describe, expect, test } from "bun:test";
import type { Balancer } from "./balancer.ts";

export interface TestNode {
  readonly name: string;
  readonly weight: number;
}

export function nodes(...weights: readonly number[]): TestNode[] {
  return weights.map((weight, at) => ({ name: `n${at}`, weight }));
}

/** How often each node was picked. */
export function tally(balancer: Balancer<TestNode>, picks: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < picks; n++) {
    const name = balancer.pick()?.name ?? "none";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What every balancer promises, whatever it decides by. */
export function balancerContract(
  name: string,
  create: (nodes: readonly TestNode[]) => Balancer<TestNode>,
): void {
  describe(`${name} keeps the contract of a balancer`, () => {
    test("pick() answers undefined when there is no node", () => {
      expect(create([]).pick()).toBeUndefined();
    });

    test("pick() always answers the only node", () => {
      const [only] = nodes(3);
      const balancer = create([only as TestNode]);
      for (let n = 0; n < 10; n++) expect(balancer.pick()).toBe(only as TestNode);
    });

    test("pick() answers one of the very objects that it was given", () => {
      const given = nodes(1, 2, 3);
      const balancer = create(given);
      for (let n = 0; n < 50; n++) expect(given).toContain(balancer.pick() as TestNode);
    });

    test("pick() never answers a node of weight 0, and nothing when all have it", () => {
      expect(tally(create(nodes(0, 1, 0)), 50)).toEqual({ n1: 50 });
      expect(create(nodes(0, 0)).pick()).toBeUndefined();
    });

    test("pick() reaches every node that has a weight", () => {
      const counts = tally(create(nodes(1, 1, 1, 1)), 400);
      expect(Object.keys(counts).toSorted()).toEqual(["n0", "n1", "n2", "n3"]);
    });

    test("pick() leaves out the excluded nodes", () => {
      const [first, second, third] = nodes(5, 1, 1) as [TestNode, TestNode, TestNode];
      const balancer = create([first, second, third]);
      for (let n = 0; n < 20; n++) expect(balancer.pick([first, second])).toBe(third);
    });

    test("pick() answers undefined when every node is excluded, and recovers", () => {
      const given = nodes(1, 2);
      const balancer = create(given);
      expect(balancer.pick(given)).toBeUndefined();
      expect(given).toContain(balancer.pick() as TestNode);
    });

    test("pick() takes an exclusion for one pick only", () => {
      const [first, second] = nodes(1, 1) as [TestNode, TestNode];
      const balancer = create([first, second]);
      balancer.pick([first]);
      const counts = tally(balancer, 100);
      expect(counts["n0"]).toBeGreaterThan(0);
      expect(counts["n1"]).toBeGreaterThan(0);
    });
  });
}
