import { BARS, FOOTPRINT_BARS, type Goal, holds } from "./bars.ts";
import { NOT_MEASURED } from "./cases.ts";
import type { Compared, Result, Round } from "./compare.ts";
import { added, addedRatio, cpu, gigabytes, overBase, ratio, SLUICE } from "./figures.ts";
import type { Footprint } from "./footprint.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** All that is kept of runs. */
export interface Recorded {
  readonly cases: readonly Compared[];
  readonly footprint?: Footprint | undefined;
}

/** bytes per request; from here on bytes per second say more than requests. */
const LARGE_BYTES = 65_536;

type Alignment = "left" | "right";
interface Column {
  readonly title: string;
  readonly align: Alignment;
}

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

/** All that runs have shown: what must hold first. */
export function markdown({ cases: all, footprint }: Recorded): string {
  if (all.length === 0 && footprint === undefined) return "No run has been recorded.";
  const missing = [...new Set(all.flatMap((each) => each.missing))];
  const notes = [...NOT_MEASURED, ...missing.map((name) => `${name}: it was not installed.`)];
  return [
    section("What must hold", BAR_COLUMNS, [...barRows(all), ...footprintRows(footprint)]),
    section("Each case", CASE_COLUMNS, all.flatMap(caseRows)),
    section("What is added", ADDED_COLUMNS, all.flatMap(addedRows)),
    section("GB/s per core", BYTE_COLUMNS, all.flatMap(byteRows)),
    `### Not measured\n\n${notes.map((note) => `- ${note}`).join("\n")}`,
    section("What ran", [left("gateway"), left("version")], versionRows(all)),
    [...new Set(all.map(({ conditions }) => `Measured on ${conditions}.`))].join("\n"),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

function section(title: string, columns: readonly Column[], rows: readonly string[][]): string {
  return rows.length === 0 ? "" : `### ${title}\n\n${table(columns, rows)}`;
}

const BAR_COLUMNS = [left("case"), left("what"), right("bar"), right("seen"), left("")];

function barRows(all: readonly Compared[]): string[][] {
  return BARS.flatMap((bar) =>
    bar.cases.map((name) => {
      const compared = all.find((each) => each.name === name);
      return [name, ...goalCells(bar, compared && bar.seen(compared))];
    }),
  );
}

function footprintRows(footprint: Footprint | undefined): string[][] {
  return FOOTPRINT_BARS.map((bar) => {
    return [
      "2 workers, the shipped gateway.yaml",
      ...goalCells(bar, footprint && bar.seen(footprint)),
    ];
  });
}

function goalCells(goal: Goal, seen: Spread | undefined): string[] {
  const unit = goal.unit === "×" ? "" : ` ${goal.unit}`;
  const bound = "atMost" in goal.bound ? `≤ ${goal.bound.atMost}` : `≥ ${goal.bound.atLeast}`;
  if (seen === undefined) return [goal.what, `${bound}${unit}`, "not measured", ""];
  const verdict = holds(goal, seen) ? "holds" : "**misses**";
  return [goal.what, `${bound}${unit}`, `${spread(seen)}${unit}`, verdict];
}

const CASE_COLUMNS = [
  left("case"),
  left("gateway"),
  right("CPU µs"),
  right("user + system"),
  right("sluice ÷ it"),
  right("requests/s"),
  right("p50 ms"),
  right("p99 ms"),
  right("p99.9 ms"),
  right("MiB"),
];

function caseRows(compared: Compared): string[][] {
  const results = compared.results.filter(({ of }) => of === "case");
  return results.map((result, n) => {
    const { contestant, rounds, pssBytes } = result;
    const median = (figure: (round: Round) => number): number =>
      spreadOf(rounds.map(figure)).median;
    const against = contestant === SLUICE ? undefined : ratio(compared, contestant);
    return [
      n === 0 ? compared.name : "",
      contestant,
      digits(median(cpu)),
      `${digits(median(({ user }) => user))} + ${digits(median(({ system }) => system))}`,
      against === undefined ? "" : spread(against),
      Math.round(median(({ requests, micros }) => (requests * 1e6) / micros)).toString(),
      ...[median(({ p50 }) => p50), median(({ p99 }) => p99), median(({ p999 }) => p999)].map(
        (micros) => digits(micros / 1000),
      ),
      digits(pssBytes / 1_048_576),
    ];
  });
}

const ADDED_COLUMNS = [
  left("case"),
  left("gateway"),
  right("adds µs"),
  right("× its base"),
  right("sluice's ÷ its"),
];

function addedRows(compared: Compared): string[][] {
  const results = compared.results.filter(({ of }) => of === "base");
  return results.map(({ contestant }, n) => {
    const relative = contestant === SLUICE ? undefined : addedRatio(compared, contestant);
    const shown = [added(compared, contestant), overBase(compared, contestant), relative];
    const cells = shown.map((each) => (each === undefined ? "" : spread(each)));
    return [n === 0 ? compared.name : "", contestant, ...cells];
  });
}

const BYTE_COLUMNS = [left("case"), left("gateway"), right("GB/s")];

function byteRows(compared: Compared): string[][] {
  return compared.results
    .filter(answersLarge)
    .map(({ contestant, rounds }, n) => [
      n === 0 ? compared.name : "",
      contestant,
      spread(spreadOf(rounds.map(gigabytes))),
    ]);
}

function answersLarge({ of, rounds }: Result): boolean {
  return of === "case" && rounds.every(({ bytes, requests }) => bytes / requests > LARGE_BYTES);
}

function versionRows(all: readonly Compared[]): string[][] {
  const versions = new Map<string, Set<string>>();
  for (const { contestant, version } of all.flatMap(({ results }) => results)) {
    versions.set(contestant, (versions.get(contestant) ?? new Set()).add(version));
  }
  return [...versions].map(([name, seen]) => [name, [...seen].join(", ")]);
}

/** Median, and in brackets the least and the most that a round has shown. */
export function spread({ median, min, max }: Spread): string {
  return `${digits(median)} (${digits(min)} to ${digits(max)})`;
}

/** Three digits that count; all of them above 1,000. */
export function digits(value: number): string {
  if (value === Infinity) return "∞";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const rule = columns.map(({ align }) => (align === "right" ? "---:" : "---"));
  return [columns.map(({ title }) => title), rule, ...rows].map(tableLine).join("\n");
}

/** The first column left, the others right. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    head.map((title, n) => (n === 0 ? left(title) : right(title))),
    rows,
  );
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
