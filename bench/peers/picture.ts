import type { Compared, Result } from "./compare.ts";
import { cpu, resultOf, SLUICE } from "./figures.ts";
import { digits } from "./markdown.ts";
import { spreadOf } from "./spread.ts";

/** px */
const BAR = 11;
const STEP = 15;
const NAME_WIDTH = 96;
const BARS_WIDTH = 210;
const VALUE_WIDTH = 54;
const COLUMN = NAME_WIDTH + BARS_WIDTH + VALUE_WIDTH + 24;
const TITLE = 18;
const GAP = 14;
const TOP = 34;

const STYLE = `text { font: 11px system-ui, sans-serif; fill: #24292f; }
.case { font-weight: 600; } .note { fill: #57606a; } .name, .value { fill: #57606a; }
.peer { fill: #8c959f; } .sluice { fill: #0969da; } .base { opacity: 0.45; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .note, .name, .value { fill: #9198a1; }
  .peer { fill: #6e7681; } .sluice { fill: #4493f8; }
}`;

/**
 * Cases in two columns, each with a bar per gateway: its processor time per request, drawn to the
 * longest of the case. Where a case has a base, that part is paler. Text and bars have colours of
 * their own for dark pages, and the ground is the page's.
 */
export function picture(all: readonly Compared[]): string {
  const drawn = all.filter(({ results }) => new Set(results.map(nameOf)).size > 1);
  const total = drawn.reduce((sum, each) => sum + heightOf(each), 0);
  const columns: Compared[][] = [[], []];
  let above = 0;
  for (const each of drawn) {
    columns[above < total / 2 ? 0 : 1]?.push(each);
    above += heightOf(each);
  }
  const heights = columns.map((column) => column.reduce((sum, each) => sum + heightOf(each), TOP));
  const height = Math.max(...heights);
  const width = COLUMN * 2;
  const note = "µs of processor time per request, of the gateway alone; shorter is better";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" \
viewBox="0 0 ${width} ${height}" role="img" aria-label="${note}">
<style>${STYLE}</style>
<text class="note" x="8" y="18">${note}</text>
${columns.map((column, n) => drawColumn(column, n * COLUMN + 8)).join("\n")}
</svg>
`;
}

function nameOf({ contestant }: Result): string {
  return contestant;
}

function heightOf({ results }: Compared): number {
  return TITLE + GAP + STEP * results.filter(({ of }) => of === "case").length;
}

function drawColumn(column: readonly Compared[], x: number): string {
  let y = TOP;
  return column
    .map((compared) => {
      const drawn = drawCase(compared, x, y);
      y += heightOf(compared);
      return drawn;
    })
    .join("\n");
}

function drawCase(compared: Compared, x: number, y: number): string {
  const results = compared.results.filter(({ of }) => of === "case");
  const longest = Math.max(...results.map(micros));
  const lines = results.map((result, n) => {
    const base = resultOf(compared, result.contestant, "base");
    return drawBar(result, base, longest, x, y + TITLE + n * STEP);
  });
  return [`<text class="case" x="${x}" y="${y + 10}">${compared.name}</text>`, ...lines].join("\n");
}

function drawBar(
  result: Result,
  base: Result | undefined,
  longest: number,
  x: number,
  y: number,
): string {
  const from = x + NAME_WIDTH;
  const all = micros(result);
  const pale = base === undefined ? 0 : Math.min(micros(base), all);
  const kind = result.contestant === SLUICE ? "sluice" : "peer";
  const rect = (style: string, at: number, length: number): string =>
    `<rect class="${style}" x="${(from + at).toFixed(1)}" y="${y}" \
width="${length.toFixed(1)}" height="${BAR}"/>`;
  const scale = BARS_WIDTH / longest;
  return [
    `<text class="name" x="${x}" y="${y + 9}">${result.contestant}</text>`,
    ...(pale > 0 ? [rect(`${kind} base`, 0, pale * scale)] : []),
    rect(kind, pale * scale, (all - pale) * scale),
    `<text class="value" x="${(from + all * scale + 5).toFixed(1)}" y="${y + 9}">\
${digits(all)}</text>`,
  ].join("\n");
}

/** Median. */
function micros({ rounds }: Result): number {
  return spreadOf(rounds.map(cpu)).median;
}
