/**
 * Question: what does a proxied request cost in CPU, against nginx, HAProxy, Caddy, nginx with Lua
 * and Envoy? docs/PERFORMANCE.md says how it is measured and shows what was seen.
 * Not measured: TLS towards the upstream, which there is none of yet, and handshakes.
 *
 *   bun bench/peers.bench.ts               every case, to the terminal
 *     --case NAME                          only those whose name contains NAME; "start and memory"
 *                                          is one, too
 *     --rounds N --seconds N               how often and how long; 5 and 3
 *     --warm-up N                  seconds before the first round; 10 for Sluice, 1 for others
 *     --write                              records the results, and writes docs/PERFORMANCE.md anew
 *     --render                             only writes that anew from what is recorded
 */
import { parseArgs } from "node:util";
import { CASES } from "./peers/cases.ts";
import { compare, type Compared, type Effort } from "./peers/compare.ts";
import { find } from "./peers/contestant.ts";
import { cpu } from "./peers/figures.ts";
import { FOOTPRINT, measureFootprint } from "./peers/footprint.ts";
import { digits, markdown, type Recorded } from "./peers/markdown.ts";
import { encodeRecord, merge, PLACES, readRecord, render } from "./peers/record.ts";
import { spreadOf } from "./peers/spread.ts";

/** Of each kind one, small: gateways that are not installed are named, the tools must be there. */
export async function check(): Promise<void> {
  const lacking = ["nginx", "wrk", "taskset"].filter((need) => find(need) === undefined);
  if (lacking.length > 0) {
    throw new Error(`Cannot measure without ${lacking.join(", ")}: see bench/peers/install.sh`);
  }
  for (const name of ["no filter, 64 connections", "TLS, 64 connections", "1 Rust header filter"]) {
    const { base: _, ...one } = caseOf(name);
    const { results, missing } = await compare(one, { rounds: 1, seconds: 1, warmUpSeconds: 0 });
    if (missing.length > 0) process.stderr.write(`Not installed: ${missing.join(", ")}\n`);
    const bad = results.filter(({ rounds }) => rounds.some((round) => !(cpu(round) > 0)));
    if (results[0]?.contestant !== "sluice" || bad.length > 0) {
      throw new Error(`Cannot trust this benchmark: ${JSON.stringify(results)}`);
    }
  }
}

function caseOf(name: string): (typeof CASES)[number] {
  const one = CASES.find((each) => each.name === name);
  if (one === undefined) throw new Error(`Cannot find the case "${name}"`);
  return one;
}

/** One line for who watches. */
function progress({ name, results, missing }: Compared): string {
  const costs = results.map(({ contestant, of, rounds }) => {
    const { median } = spreadOf(rounds.map(cpu));
    return `${contestant}${of === "base" ? " (base)" : ""} ${digits(median)}`;
  });
  return `${name}: ${[...costs, ...missing.map((each) => `${each} missing`)].join(", ")}\n`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Bun.argv.slice(2),
    options: {
      case: { type: "string", default: "" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      "warm-up": { type: "string" },
      write: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      json: { type: "boolean" }, // bench/run.ts says it to every file.
    },
  });
  const effort: Effort = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: values["warm-up"] === undefined ? undefined : Number(values["warm-up"]),
  };
  const isWanted = (name: string): boolean => !values.render && name.includes(values.case);
  let fresh: Recorded = { cases: [] };
  const keep = async (more: Recorded): Promise<void> => {
    fresh = merge(fresh, more);
    // After each case: a run takes an hour, and may break off.
    if (!values.write) return;
    await Bun.write(PLACES.json, encodeRecord(merge(await readRecord(PLACES.json), more)));
  };
  for (const one of CASES.filter(({ name }) => isWanted(name))) {
    const compared = await compare(one, effort);
    process.stderr.write(progress(compared));
    await keep({ cases: [compared] });
  }
  if (isWanted(FOOTPRINT)) {
    await keep({ cases: [], footprint: await measureFootprint(effort.rounds) });
  }
  if (values.write || values.render) await render(PLACES);
  else process.stdout.write(`${markdown(fresh)}\n`);
}
