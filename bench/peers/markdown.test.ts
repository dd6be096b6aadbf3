import { describe, expect, test } from "bun:test";
import { digits, markdown, table } from "./markdown.ts";
import { compared, result } from "./testing.ts";

const plain = compared(
  "no filter, 64 connections",
  result("sluice", "case", 20, 21, 30),
  result("nginx", "case", 16, 15, 16),
);

const filtered = compared(
  "1 Rust header filter",
  result("sluice", "base", 20, 20, 20),
  result("sluice", "case", 23, 24, 25),
  result("Envoy", "base", 50, 50, 50),
  result("Envoy", "case", 55, 55, 55),
);

function rowsWith(text: string, cases = [plain, filtered]): string[] {
  return markdown({ cases })
    .split("\n")
    .filter((line) => line.includes(text));
}

describe("markdown()", () => {
  test("says of each bar what was seen, and whether it holds", () => {
    expect(rowsWith("≤", [plain])).toHaveLength(17);
    expect(rowsWith("misses")).toEqual([
      expect.stringMatching(/^. no filter, 64 .* nginx . ≤ 1.3 . 1.40 \(1.25 to 1.88\)/),
      expect.stringMatching(/^. 1 Rust .* Envoy's . ≤ 0.5 . 0.80 \(0.70 to 0.90\)/),
    ]);
    expect(rowsWith("per request | added")).toEqual([
      "| 1 Rust header filter, per request | added CPU | ≤ 12 µs | not measured |  |",
      "| 1 C header filter, per request | added CPU | ≤ 12 µs | not measured |  |",
    ]);
    const both = [result("sluice", "case", 9), result("nginx", "case", 18)];
    expect(rowsWith("≥", [compared("response of 10 MiB", ...both)])).toEqual([
      "| response of 10 MiB | GB/s per core, against nginx | ≥ 1 | 2.00 (2.00 to 2.00) | holds |",
    ]);
  });

  test("shows cost, ratio, throughput and latency of each gateway", () => {
    expect(rowsWith("nginx |", [plain])).toContain(
      "|  | nginx | 16.0 | 8.00 + 8.00 | 1.40 (1.25 to 1.88) | 1000 | 0.80 | 2.50 | 12.0 | 1.00 |",
    );
  });

  test("shows what a case adds, and that in relation to sluice", () => {
    expect(rowsWith("5.00 (5.00 to 5.00)", [filtered])).toEqual([
      "|  | Envoy | 5.00 (5.00 to 5.00) | 1.10 (1.10 to 1.10) | 0.80 (0.70 to 0.90) |",
    ]);
  });

  test("says what a start takes", () => {
    const sizes = [100, 130, 110].map((mib) => mib * 1_048_576);
    const footprint = { startMs: [50, 70, 61], idlePssBytes: sizes, conditions: "1 core" };
    const rows = markdown({ cases: [], footprint }).split("\n");
    expect(rows.filter((line) => line.includes("shipped")).map((row) => row.split(" | "))).toEqual([
      expect.arrayContaining(["≤ 60 ms", "61.0 (50.0 to 70.0) ms", "**misses** |"]),
      expect.arrayContaining(["≤ 120 MiB", "110 (100 to 130) MiB", "holds |"]),
    ]);
  });

  test("names what is missing, and TLS", () => {
    const text = markdown({ cases: [{ ...plain, missing: ["Caddy"] }] });
    expect(text).toContain("\n- Caddy: it was not installed.\n");
    expect(text).toContain("\n- TLS towards the upstream: ");
  });

  test("says so when nothing has been recorded", () => {
    expect(markdown({ cases: [] })).toBe("No run has been recorded.");
  });
});

describe("digits()", () => {
  test.each([
    { value: 0, shown: "0.00" },
    { value: Infinity, shown: "∞" },
    { value: -1.234, shown: "-1.23" },
    { value: 12.34, shown: "12.3" },
    { value: 12_345.6, shown: "12346" },
  ])("shows $value as $shown", ({ value, shown }) => {
    expect(digits(value)).toBe(shown);
  });
});

describe("table()", () => {
  test("aligns columns", () => {
    const columns = [
      { title: "a", align: "left" },
      { title: "b", align: "right" },
    ] as const;
    expect(table(columns, [["x", "1"]])).toBe("| a | b |\n| --- | ---: |\n| x | 1 |");
  });
});
