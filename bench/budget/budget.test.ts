import { describe, expect, test } from "bun:test";
import {
  type Budget,
  BUDGET_JSON,
  BUDGET_PAGE,
  encodeBudget,
  type Measured,
  renderBudget,
} from "./budget.ts";
import { EXCHANGES } from "./exchanges.ts";
import { type Asked, keepCheaper, wanting } from "./in-child.ts";
import { FILTER_STAGES, STAGES } from "./stages.ts";

const least = (ns: number): Measured["least"] => ({ ns, phaseNs: 9640.123 });
const ALL = [...STAGES, ...FILTER_STAGES];

/** Every step costs 100 ns, its floor 40, an exchange 2000 and 500 more for each kind of filter. */
const BUDGET: Budget = {
  conditions: "1 core",
  exchanges: EXCHANGES.map(({ name }, n) => ({ name, least: least(2000 + n * 500) })),
  stages: ALL.map(({ name, floor }) => ({
    name,
    least: least(100),
    floor: floor && least(40),
  })),
  sockets: { runtime: least(6000), kernel: least(8000.04) },
};

const PAGE = "# Title\n<!-- budget -->\nold\n<!-- end of the budget -->\nrest\n";

/** Cells of the first row that begins so. */
function row(page: string, name: string): string[] {
  const line = page.split("\n").find((each) => each.startsWith(`| ${name} |`)) ?? "";
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("renderBudget()", () => {
  test("shows what the steps leave of the exchange, and adds the sockets", () => {
    const page = renderBudget(PAGE, BUDGET);
    expect(row(page, "admit it").slice(2, 6)).toEqual(["100", "9.6", "40.0", "9.6"]);
    expect(row(page, "everything else")[2]).toBe(String(2000 - 100 * STAGES.length));
    expect(row(page, "**with sockets**")[2]).toBe("16000");
    expect(row(page, "3 shared filters")).toEqual(["3 shared filters", "3000", "9.6", "1000"]);
    expect(page).toEndWith("Measured on 1 core.\n\n<!-- end of the budget -->\nrest\n");
    expect(renderBudget(page, BUDGET)).toBe(page);
  });
});

describe("renderBudget() errors", () => {
  test("refuses a budget that lacks a step, and a page that has lost its marks", () => {
    const lacking = { ...BUDGET, stages: BUDGET.stages.slice(1) };
    expect(() => renderBudget(PAGE, lacking)).toThrow('"parse the request head" is not measured');
    expect(() => renderBudget("# Title\n", BUDGET)).toThrow("the page has no");
  });
});

describe("encodeBudget()", () => {
  test("keeps one digit, a line for each figure", () => {
    const text = encodeBudget(BUDGET);
    const read = JSON.parse(text) as Budget;
    expect(read.stages[0]?.least).toEqual({ ns: 100, phaseNs: 9640.1 });
    expect(read.sockets.kernel.ns).toBe(8000);
    expect(text.split("\n").filter((line) => line.startsWith('{"name"'))).toHaveLength(
      EXCHANGES.length + ALL.length,
    );
  });
});

describe("keepCheaper()", () => {
  test("keeps the cheaper figure of either part, with the phase that it was measured in", () => {
    const seen = new Map<string, Measured>();
    const name = "a step";
    keepCheaper(seen, { file: "stages", name, part: "work" }, { ns: 9, phaseNs: 1 });
    keepCheaper(seen, { file: "stages", name, part: "floor" }, { ns: 4, phaseNs: 2 });
    keepCheaper(seen, { file: "stages", name, part: "work" }, { ns: 8, phaseNs: 3 });
    keepCheaper(seen, { file: "stages", name, part: "floor" }, { ns: 5, phaseNs: 4 });
    expect(seen.get(name)).toEqual({
      name,
      least: { ns: 8, phaseNs: 3 },
      floor: { ns: 4, phaseNs: 2 },
    });
  });
});

describe("wanting()", () => {
  test("asks again for what was measured in a slow phase only, and for what is missing", () => {
    const asked: Asked[] = [
      { file: "exchange", name: "fast", part: "work" },
      { file: "stages", name: "fast", part: "work" },
      { file: "stages", name: "fast", part: "floor" },
      { file: "stages", name: "missing", part: "work" },
    ];
    const measured = {
      name: "fast",
      least: { ns: 1, phaseNs: 112 },
      floor: { ns: 1, phaseNs: 120 },
    };
    const exchange = new Map([["fast", { name: "fast", least: { ns: 1, phaseNs: 100 } }]]);
    const seen = { exchange, stages: new Map([["fast", measured]]) };
    expect(wanting(asked, seen)).toEqual(asked.slice(2));
    expect(wanting(asked, { exchange: new Map(), stages: new Map() })).toEqual(asked);
  });
});

describe("docs/PERFORMANCE.md", () => {
  test("shows what docs/budget.json has, of the steps that there are", async () => {
    const budget = (await Bun.file(BUDGET_JSON).json()) as Budget;
    const page = await Bun.file(BUDGET_PAGE).text();
    expect(renderBudget(page, budget)).toBe(page);
    expect(budget.stages.map(({ name }) => name)).toEqual(ALL.map(({ name }) => name));
    expect(budget.exchanges.map(({ name }) => name)).toEqual(EXCHANGES.map(({ name }) => name));
  });
});
