import { describe, expect, test } from "bun:test";
import { encodeRecord, merge, PLACES, readRecord, renderPage } from "./record.ts";
import { picture } from "./picture.ts";
import { compared, result } from "./testing.ts";

const one = compared("no filter, 64 connections", result("sluice", "case", 20.123_456));
const other = compared("2 workers", result("sluice", "case", 30));
const footprint = { startMs: [50.125], idlePssBytes: [1_048_576], conditions: "1 core" };
const newer = { ...footprint, startMs: [40] };
const PAGE = "# Title\n<!-- measured by bench/peers.bench.ts -->\nold\n";
const END = "<!-- end of what was measured -->\nrest\n";

describe("merge()", () => {
  test("replaces a case, keeps the others, and drops what is no case any more", () => {
    const fresh = compared("no filter, 64 connections", result("sluice", "case", 1));
    const old = { cases: [other, one, compared("gone")], footprint };
    expect(merge(old, { cases: [fresh] })).toEqual({ cases: [fresh, other], footprint });
    expect(merge(old, { cases: [], footprint: newer }).footprint).toEqual(newer);
  });
});

describe("encodeRecord()", () => {
  test("keeps two digits, a line for each result", () => {
    const text = encodeRecord({ cases: [one, other], footprint });
    expect(JSON.parse(text)).toEqual({
      cases: [{ ...one, results: [result("sluice", "case", 20.12)] }, other],
      footprint: { ...footprint, startMs: [50.13] },
    });
    expect(text.split("\n").filter((line) => line.startsWith('{"contestant"'))).toHaveLength(2);
  });

  test("writes an empty record", () => {
    expect(JSON.parse(encodeRecord({ cases: [] }))).toEqual({ cases: [] });
  });
});

describe("renderPage()", () => {
  test("replaces what stands between the marks, and nothing else", () => {
    const page = renderPage(PAGE + END, { cases: [] });
    expect(page).toBe(`${PAGE.replace("old", "\nNo run has been recorded.\n")}${END}`);
    expect(renderPage(page, { cases: [] })).toBe(page);
  });
});

describe("renderPage() errors", () => {
  test("refuses a page that has lost a mark", () => {
    expect(() => renderPage(PAGE, { cases: [] })).toThrow("the page has no");
    expect(() => renderPage(END, { cases: [] })).toThrow("the page has no");
  });
});

describe("docs/PERFORMANCE.md", () => {
  test("shows what docs/performance.json has", async () => {
    const all = await readRecord(PLACES.json);
    const page = await Bun.file(PLACES.page).text();
    expect(renderPage(page, all)).toBe(page);
    expect(await Bun.file(PLACES.svg).text()).toBe(picture(all.cases));
  });
});
