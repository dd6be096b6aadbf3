import { describe, expect, test } from "bun:test";
import { picture } from "./picture.ts";
import { compared, result } from "./testing.ts";

/** Widths of the bars, px, in their order. */
function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

describe("picture()", () => {
  test("draws the medians to the longest of the case", () => {
    const svg = picture([
      compared("a", result("sluice", "case", 1, 20, 900), result("nginx", "case", 10, 10, 10)),
      compared("b", result("sluice", "case", 5000), result("nginx", "case", 2500)),
    ]);
    expect(widths(svg)).toEqual([210, 105, 210, 105]);
    expect([...svg.matchAll(/class="value"[^>]*>([^<]+)</g)].map(([, text]) => text)).toEqual([
      "20.0",
      "10.0",
      "5000",
      "2500",
    ]);
  });

  test("draws what a filter adds behind what the base costs", () => {
    const svg = picture([
      compared(
        "a",
        result("sluice", "base", 15),
        result("sluice", "case", 20),
        result("Envoy", "case", 20),
      ),
    ]);
    expect(widths(svg)).toEqual([157.5, 52.5, 210]);
  });

  test("leaves out what nothing is compared in", () => {
    expect(widths(picture([compared("a", result("sluice", "case", 1))]))).toEqual([]);
  });

  test("has colours for light and dark pages, and gateways beside each other", () => {
    const svg = picture([
      compared("a", result("sluice", "case", 1), result("nginx", "case", 1)),
      compared("b", result("sluice", "case", 1), result("nginx", "case", 1)),
    ]);
    expect(svg).toContain("prefers-color-scheme: dark");
    const at = [...svg.matchAll(/class="case" x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => [x, y]);
    expect(at).toEqual([
      ["8", "44"],
      ["392", "44"],
    ]);
  });
});
