import type { Balancer, Weighted } from "./balancer.ts";

/**
 * Weighted round robin, spread out: every node earns its weight at each pick, the richest one is
 * picked and pays what all earned together.
 *
 *   weights a=2 b=1    a b   pick │ after     a and b hold 0 again after 3 picks,
 *                      2 1   a    │ -1 1      a was picked twice: the cycle is exact
 *                      1 2   b    │  1 -1
 *                      3 0   a    │  0 0
 *
 * Why not a random choice: exact shares even over few requests, and no bursts to a heavy node.
 */
export class RoundRobin<Node extends Weighted> implements Balancer<Node> {
  readonly #nodes: readonly Node[];
  /** What each node holds; the sum is always 0. */
  readonly #credits: Float64Array;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes.filter((node) => node.weight > 0);
    this.#credits = new Float64Array(this.#nodes.length);
  }

  pick(exclude?: readonly Node[]): Node | undefined {
    const credits = this.#credits;
    let earned = 0;
    let best = -1;
    let bestCredit = -Infinity;
    for (let at = 0; at < credits.length; at++) {
      const node = this.#nodes[at] as Node;
      if (exclude?.includes(node)) continue;
      const credit = (credits[at] as number) + node.weight;
      credits[at] = credit;
      earned += node.weight;
      if (credit <= bestCredit) continue;
      best = at;
      bestCredit = credit;
    }
    if (best < 0) return undefined;
    credits[best] = bestCredit - earned;
    return this.#nodes[best];
  }
}
