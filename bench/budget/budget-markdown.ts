import { digits, table } from "../peers/markdown.ts";
import type { Budget, Measured } from "./budget.ts";
import { FILTER_STAGES, STAGES } from "./stages.ts";
import type { Stage } from "./stage.ts";
import type { Least } from "./work.ts";

const COLUMNS = [
  { title: "step", align: "left" },
  { title: "what runs", align: "left" },
  { title: "ns", align: "right" },
  { title: "phase", align: "right" },
  { title: "floor ns", align: "right" },
  { title: "phase", align: "right" },
  { title: "the floor is", align: "left" },
] as const;

const EXCHANGE_COLUMNS = [
  { title: "whole exchange, without sockets", align: "left" },
  { title: "ns", align: "right" },
  { title: "phase", align: "right" },
  { title: "adds ns", align: "right" },
] as const;

/** The steps, which together with the rest are an exchange; its sockets; its filters. */
export function budgetMarkdown(budget: Budget): string {
  const whole = budget.exchanges[0]?.least;
  if (whole === undefined) throw new Error("Cannot show a budget without an exchange");
  return [
    table(COLUMNS, stepRows(budget, whole)),
    table(EXCHANGE_COLUMNS, exchangeRows(budget.exchanges, whole)),
    `Measured on ${budget.conditions}.`,
  ].join("\n\n");
}

function stepRows(budget: Budget, whole: Least): string[][] {
  const { stages, sockets } = budget;
  const steps = STAGES.map((stage) => ({ stage, measured: find(stages, stage.name) }));
  const known = steps.reduce((sum, { measured }) => sum + measured.least.ns, 0);
  const { runtime, kernel } = sockets;
  const rest = { ns: whole.ns - known, phaseNs: whole.phaseNs };
  const all = { ns: whole.ns + runtime.ns + kernel.ns, phaseNs: whole.phaseNs };
  return [
    ...steps.map(({ stage, measured }) => stageRow(stage, measured)),
    plainRow("everything else", "the exchange minus the steps above", rest),
    plainRow("**the exchange**", "all of it, between two sockets that cost nothing", whole),
    plainRow("sockets: runtime", "user time of a relay that does nothing", runtime),
    plainRow("sockets: kernel", "its system time", kernel),
    plainRow("**with sockets**", "the exchange and the sockets", all),
    ...FILTER_STAGES.map((stage) => stageRow(stage, find(stages, stage.name))),
  ];
}

function stageRow({ name, what, floor }: Stage, { least, floor: seen }: Measured): string[] {
  const floorCells =
    floor === undefined || seen === undefined
      ? ["–", "", ""]
      : [digits(seen.ns), phase(seen), floor.what];
  return [name, what, digits(least.ns), phase(least), ...floorCells];
}

function plainRow(name: string, what: string, least: Least): string[] {
  return [name, what, digits(least.ns), phase(least), "–", "", ""];
}

function exchangeRows(exchanges: readonly Measured[], whole: Least): string[][] {
  return exchanges.map(({ name, least }, n) => {
    const adds = n === 0 ? "" : digits(least.ns - whole.ns);
    return [name, digits(least.ns), phase(least), adds];
  });
}

/** µs of the fixed loop. */
function phase({ phaseNs }: Least): string {
  return (phaseNs / 1000).toFixed(1);
}

function find(all: readonly Measured[], name: string): Measured {
  const measured = all.find((each) => each.name === name);
  if (measured === undefined) throw new Error(`Cannot show the budget: "${name}" is not measured`);
  return measured;
}

/** For the terminal. */
export function shownLeast(least: Least): string {
  return `${digits(least.ns)} ns (phase ${phase(least)})`;
}
