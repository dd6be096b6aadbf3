/**
 * Question: what does a proxied request cost in CPU, against nginx, HAProxy, Caddy, nginx with Lua
 * and Envoy? docs/PERFORMANCE.md says how it is measured and shows what was seen.
 * Not measured: TLS, which there is none of yet.
 *
 *   bun bench/peers.bench.ts               every case, to the terminal
 *     --case NAME                          only those whose name contains NAME
 *     --rounds N --seconds N               how often and how long; 5 and 3
 *     --write                              records the results, and writes docs/PERFORMANCE.md anew
 *     --render                             only writes that anew from what is recorded
 */
import { parseArgs } from "node:util";
import { CASES } from "./peers/cases.ts";
import { compare, type Compared } from "./peers/compare.ts";
import { find } from "./peers/contestant.ts";
import { cpu } from "./peers/figures.ts";
import { digits, markdown } from "./peers/markdown.ts";
import { encodeRecord, merge, PLACES, readRecord, render } from "./peers/record.ts";
import { spreadOf } from "./peers/spread.ts";

/** Of each kind one, small: gateways that are not installed are named, the tools must be there. */
export async function check(): Promise<void> {
  const lacking = ["nginx", "wrk", "taskset"].filter((need) => find(need) === undefined);
  if (lacking.length > 0) {
    throw new Error(`Cannot measure without ${lacking.join(", ")}: see bench/peers/install.sh`);
  }
  for (const name of ["no filter, 64 connections", "1 Rust header filter"]) {
    const { base: _, ...one } = caseOf(name);
    const { results, missing } = await compare(one, { rounds: 1, seconds: 1, warmsUp: false });
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
      write: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      json: { type: "boolean" }, // bench/run.ts says it to every file.
    },
  });
  const effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  const cases = values.render ? [] : CASES.filter(({ name }) => name.includes(values.case));
  const fresh: Compared[] = [];
  for (const one of cases) {
    const compared = await compare(one, effort);
    fresh.push(compared);
    process.stderr.write(progress(compared));
    // After each case: a run takes half an hour, and may break off.
    if (values.write) {
      const all = merge(await readRecord(PLACES.json), [compared]);
      await Bun.write(PLACES.json, encodeRecord(all));
    }
  }
  if (values.write || values.render) await render(PLACES);
  else process.stdout.write(`${markdown(fresh)}\n`);
}
