/**
 * Question: what does each step of an exchange cost, and what is the least that it could?
 * docs/PERFORMANCE.md shows the answer, and says how it is found.
 *
 *   bun bench/stages.bench.ts                every step, the sockets, and whole exchanges
 *     --processes N                          for each figure; 3, and as many more in slow phases
 *     --rounds N --seconds N                 of load on the sockets; 3 and 3
 *     --write                                records it, and writes docs/PERFORMANCE.md anew
 *     --render                               only writes that anew from what is recorded
 *   bun bench/stages.bench.ts "admit it"     one step
 */
import { parseArgs } from "node:util";
import { type Budget, type Measured, showBudget, writeBudget } from "./budget/budget.ts";
import { budgetMarkdown, shownLeast } from "./budget/budget-markdown.ts";
import { EXCHANGES } from "./budget/exchanges.ts";
import { type Asked, keepCheaper, leastOf, sayLeast, wanting } from "./budget/in-child.ts";
import { LOAD, measureSockets, startRelay } from "./budget/sockets.ts";
import type { Stage } from "./budget/stage.ts";
import { FILTER_STAGES, STAGES } from "./budget/stages.ts";
import { EFFORT, type Least } from "./budget/work.ts";
import { conditions } from "./peers/conditions.ts";
import { pickCores } from "./peers/cores.ts";

const ALL: readonly Stage[] = [...STAGES, ...FILTER_STAGES];

export const cases: readonly string[] = ALL.map(({ name }) => name);

/** @throws Error when a step, or its floor, does anything but what it is there for */
export async function check(): Promise<void> {
  for (const { work, floor } of ALL) {
    (await work()).verify();
    (await floor?.work())?.verify();
  }
  await checkRelay();
}

async function checkRelay(): Promise<void> {
  const node = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("relayed") });
  try {
    await using relay = await startRelay(node.port ?? 0, pickCores().both);
    for (let n = 0; n < 3; n++) {
      const text = await (await fetch(`http://127.0.0.1:${relay.port}/`)).text();
      if (text !== "relayed") throw new Error(`Cannot trust this benchmark: relayed "${text}"`);
    }
  } finally {
    await node.stop(true);
  }
}

const PARTS = ["work", "floor"] as const;

function stageOf(name: string): Stage {
  const stage = ALL.find((each) => each.name === name);
  if (stage === undefined) throw new Error(`Cannot find the step "${name}"`);
  return stage;
}

async function measureOne(name: string, part: string): Promise<Least> {
  const stage = stageOf(name);
  const work = await (part === "work" ? stage.work : stage.floor?.work)?.();
  if (work === undefined) throw new Error(`Cannot measure the floor of "${name}": it has none`);
  work.verify();
  return work.measure(EFFORT);
}

const ASKED: readonly Asked[] = [
  ...EXCHANGES.map(({ name }) => ({ file: "exchange", name, part: "work" }) as const),
  ...ALL.map(({ name }) => ({ file: "stages", name, part: "work" }) as const),
  ...ALL.filter(({ floor }) => floor !== undefined).map(
    ({ name }) => ({ file: "stages", name, part: "floor" }) as const,
  ),
];

interface Efforts {
  readonly processes: number;
  readonly rounds: number;
  readonly seconds: number;
}

async function measureBudget({ processes, rounds, seconds }: Efforts): Promise<Budget> {
  const seen = { exchange: new Map<string, Measured>(), stages: new Map<string, Measured>() };
  // In turns, so that a slow minute of the machine hits all of them; whom it has hit each time
  // gets some turns more.
  for (let n = 0; n < 2 * processes; n++) {
    for (const one of n < processes ? ASKED : wanting(ASKED, seen)) {
      const least = await leastOf(one);
      keepCheaper(seen[one.file], one, least);
      process.stderr.write(`${one.name}, ${one.part}: ${shownLeast(least)}\n`);
    }
  }
  const often = `the least of ${processes} to ${2 * processes} processes each`;
  return {
    conditions: `${await conditions(LOAD)}; ${often}, sockets: of ${rounds} rounds`,
    exchanges: [...seen.exchange.values()],
    stages: [...seen.stages.values()],
    sockets: await measureSockets(rounds, seconds),
  };
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Bun.argv.slice(2),
    allowPositionals: true,
    options: {
      processes: { type: "string", default: "3" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      part: { type: "string" }, // What leastOf() says to its child.
      write: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      json: { type: "boolean" }, // bench/run.ts says it to every file.
    },
  });
  const [name] = positionals;
  if (name !== undefined) {
    if (values.part !== undefined) sayLeast(await measureOne(name, values.part));
    for (const part of stageOf(name).floor === undefined ? PARTS.slice(0, 1) : PARTS) {
      const least = await leastOf({ file: "stages", name, part });
      process.stdout.write(`${name}, ${part}: ${shownLeast(least)}\n`);
    }
  } else if (values.render) {
    await showBudget();
  } else {
    const { processes, rounds, seconds } = values;
    const budget = await measureBudget({
      processes: Number(processes),
      rounds: Number(rounds),
      seconds: Number(seconds),
    });
    if (values.write) await writeBudget(budget);
    else process.stdout.write(`${budgetMarkdown(budget)}\n`);
  }
}
