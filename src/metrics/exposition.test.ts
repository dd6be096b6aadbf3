import { describe, expect, test } from "bun:test";
import { exposition } from "./exposition.ts";

describe("exposition()", () => {
  test("writes help, type and samples of each family, as the format has it", () => {
    const text = exposition([
      {
        name: "a_total",
        type: "counter",
        help: "What it is",
        samples: [
          { labels: { plugin: "x", kind: "trap" }, value: 3 },
          { labels: {}, value: 2n ** 64n },
        ],
      },
      {
        name: "b",
        type: "summary",
        help: "Sizes",
        samples: [
          { suffix: "_sum", labels: { plugin: "x" }, value: 7n },
          { suffix: "_count", labels: { plugin: "x" }, value: 2 },
        ],
      },
    ]);
    expect(text).toBe(
      [
        "# HELP a_total What it is",
        "# TYPE a_total counter",
        'a_total{plugin="x",kind="trap"} 3',
        "a_total 18446744073709551616",
        "# HELP b Sizes",
        "# TYPE b summary",
        'b_sum{plugin="x"} 7',
        'b_count{plugin="x"} 2',
        "",
      ].join("\n"),
    );
  });

  test("leaves a family without samples out", () => {
    expect(exposition([{ name: "a", type: "gauge", help: "h", samples: [] }])).toBe("");
  });

  test.each([
    ["quotes, backslashes and line ends", 'a"b\\c\nd', String.raw`a\"b\\c\nd`],
    ["what looks like an end of the labels", '"} 1\nevil 2', String.raw`\"} 1\nevil 2`],
    ["text beyond ASCII as it is", "ä→🦀", "ä→🦀"],
    ["half of a pair as a replacement", "a\ud800b", "a\ufffdb"],
  ])("writes %s into a label", (_name, value, written) => {
    const samples = [{ labels: { l: value }, value: 1 }];
    const text = exposition([{ name: "m", type: "gauge", help: "h", samples }]);
    expect(text.split("\n").slice(2)).toEqual([`m{l="${written}"} 1`, ""]);
  });

  test("keeps a help text on its line, and its quotes as they are", () => {
    const help = 'say "a\\b"\nagain';
    const samples = [{ labels: {}, value: 0 }];
    const text = exposition([{ name: "m", type: "gauge", help, samples }]);
    expect(text.split("\n")[0]).toBe(String.raw`# HELP m say "a\\b"\nagain`);
  });

  test.each([
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [Number.NaN, "NaN"],
    [1.5, "1.5"],
    [-3n, "-3"],
  ])("writes %p as %s", (value, written) => {
    const samples = [{ labels: {}, value }];
    expect(exposition([{ name: "m", type: "gauge", help: "h", samples }])).toEndWith(
      `\nm ${written}\n`,
    );
  });
});
