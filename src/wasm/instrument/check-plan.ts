import { findCycles } from "./call-graph.ts";
import { ARM_WEIGHT, PathWalk } from "./path-walk.ts";
import { Records } from "./records.ts";
import type { ScannedCode } from "./trace.ts";
import { HOST_CALL_WEIGHT } from "./weights.ts";

/** Where checks are put, and how much each of them charges. */
export interface CheckPlan {
  /** An entry: place in the file, units charged, 0. */
  readonly sites: Records;
  /** By own function: its entries of `sites`, which are in the order of places. */
  readonly firstSite: Int32Array;
  readonly siteEnd: Int32Array;
  /** By own function: units charged when it is entered, 0 for no check. */
  readonly entry: Int32Array;
}

/** units; a function that is heavier has a check at its entry, so that its callers need not pay. */
const ENTRY_WEIGHT = 128;
/** The same for functions that a table or a reference leads to: nobody knows who calls them. */
const INDIRECT_ENTRY_WEIGHT = 32;

/**
 * Decides where a module is stopped when its time is up: at loops, at recursion, and often enough
 * in between. Callees come before callers, so that what a light function costs is known where it is
 * called.
 * @param imported functions before the module's own
 * @param taken 1 for own functions that can be called indirectly
 */
export function planChecks(scan: ScannedCode, imported: number, taken: Uint8Array): CheckPlan {
  const graph = findCycles(scan, imported, taken);
  const sites = new Records(scan.events.length / 16);
  const plan: CheckPlan = {
    sites,
    firstSite: new Int32Array(scan.count),
    siteEnd: new Int32Array(scan.count),
    entry: new Int32Array(scan.count),
  };
  const costs = new Int32Array(imported + scan.count).fill(HOST_CALL_WEIGHT, 0, imported);
  const walk = new PathWalk(scan.events, sites, costs);
  for (const own of graph.order) {
    const first = scan.firstEvent[own] as number;
    const end = scan.firstEvent[own + 1] as number;
    plan.firstSite[own] = sites.length;
    // An arm of a light function cannot be heavy, but for what it calls.
    walk.catches = scan.catches[own] === 1;
    if ((scan.weight[own] as number) > ARM_WEIGHT) walk.decide(first, end);
    const weight = walk.place(first, end);
    plan.siteEnd[own] = sites.length;
    const isTarget = graph.indirect && taken[own] === 1;
    const most = isTarget ? INDIRECT_ENTRY_WEIGHT : ENTRY_WEIGHT;
    if (graph.recursive[own] === 1 || weight > most) plan.entry[own] = Math.max(weight, 1);
    else costs[imported + own] = weight;
  }
  return plan;
}
