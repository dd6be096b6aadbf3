import { join } from "node:path";
import { ROOT } from "../peers/contestant.ts";
import { replaceBetween } from "../peers/record.ts";
import { budgetMarkdown } from "./budget-markdown.ts";
import type { SocketCosts } from "./sockets.ts";
import type { Least } from "./work.ts";

/** What was measured of a step, or of a whole exchange. */
export interface Measured {
  readonly name: string;
  readonly least: Least;
  readonly floor?: Least | undefined;
}

/** All figures of one run. */
export interface Budget {
  /** Machine, and how often it was measured. */
  readonly conditions: string;
  readonly exchanges: readonly Measured[];
  readonly stages: readonly Measured[];
  readonly sockets: SocketCosts;
}

export const BUDGET_JSON = join(ROOT, "docs/budget.json");
export const BUDGET_PAGE = join(ROOT, "docs/PERFORMANCE.md");

const BEGIN = "<!-- budget -->";
const END = "<!-- end of the budget -->";

/** A line for each figure, so that a change of one can be read. */
export function encodeBudget({ conditions, exchanges, stages, sockets }: Budget): string {
  const lines = (all: readonly Measured[]): string =>
    `[\n${all.map((each) => JSON.stringify(each, tenths)).join(",\n")}\n]`;
  return `{"conditions":${JSON.stringify(conditions)},
"exchanges":${lines(exchanges)},
"stages":${lines(stages)},
"sockets":${JSON.stringify(sockets, tenths)}}
`;
}

/** More digits say nothing. */
function tenths(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

/** @throws Error when the page has lost its marks */
export function renderBudget(page: string, budget: Budget): string {
  return replaceBetween(page, BEGIN, END, budgetMarkdown(budget));
}

/** Records a budget, and shows what is recorded. */
export async function writeBudget(budget: Budget): Promise<void> {
  await Bun.write(BUDGET_JSON, encodeBudget(budget));
  await showBudget();
}

/** Writes the tables anew from what is recorded. */
export async function showBudget(): Promise<void> {
  const budget = (await Bun.file(BUDGET_JSON).json()) as Budget;
  await Bun.write(BUDGET_PAGE, renderBudget(await Bun.file(BUDGET_PAGE).text(), budget));
}
