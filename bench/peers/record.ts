import { join } from "node:path";
import { CASES } from "./cases.ts";
import { ROOT } from "./contestant.ts";
import { markdown, type Recorded } from "./markdown.ts";
import { picture } from "./picture.ts";

/** Where results are kept, and shown. */
export interface Places {
  readonly json: string;
  readonly svg: string;
  readonly page: string;
}

export const PLACES: Places = {
  json: join(ROOT, "docs/performance.json"),
  svg: join(ROOT, "docs/performance.svg"),
  page: join(ROOT, "docs/PERFORMANCE.md"),
};

const BEGIN = "<!-- measured by bench/peers.bench.ts -->";
const END = "<!-- end of what was measured -->";

/** @returns nothing when no run has been recorded */
export async function readRecord(path: string): Promise<Recorded> {
  const file = Bun.file(path);
  return (await file.exists()) ? ((await file.json()) as Recorded) : { cases: [] };
}

/** A new result takes the place of an older one of the same case; cases that are no more go. */
export function merge(old: Recorded, fresh: Recorded): Recorded {
  const byName = new Map([...old.cases, ...fresh.cases].map((each) => [each.name, each]));
  return {
    cases: CASES.flatMap(({ name }) => byName.get(name) ?? []),
    footprint: fresh.footprint ?? old.footprint,
  };
}

/** A line for each result, so that a change of one can be read. */
export function encodeRecord({ cases, footprint }: Recorded): string {
  const texts = cases.map(({ results, ...rest }) => {
    const lines = results.map((result) => JSON.stringify(result, rounded)).join(",\n");
    return `${JSON.stringify(rest).slice(0, -1)},"results":[\n${lines}\n]}`;
  });
  const last =
    footprint === undefined ? "" : `,"footprint":\n${JSON.stringify(footprint, rounded)}`;
  return `{"cases":[${texts.join(",\n")}]${last}}\n`;
}

/** More digits than the kernel has counted say nothing. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 100) / 100 : value;
}

/** @throws Error when the page has lost its marks */
export function renderPage(page: string, all: Recorded): string {
  return replaceBetween(page, BEGIN, END, markdown(all));
}

/** @throws Error when the page has no `begin` before `end` */
export function replaceBetween(page: string, begin: string, end: string, text: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`Cannot write the tables: the page has no "${begin}" before "${end}"`);
  }
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** Writes the picture and the tables anew from what is recorded. */
export async function render(places: Places): Promise<void> {
  const all = await readRecord(places.json);
  const page = await Bun.file(places.page).text();
  await Bun.write(places.page, renderPage(page, all));
  await Bun.write(places.svg, picture(all.cases));
}
