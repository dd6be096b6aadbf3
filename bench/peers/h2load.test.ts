import { describe, expect, test } from "bun:test";
import { readH2load } from "./h2load.ts";

const OUTPUT = `
progress: 100% of clients started
finished in 1.03s, 2000.00 req/s, 6.58MB/s
requests: 4000 total, 4064 started, 4000 done, 3999 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 3999 2xx, 0 3xx, 0 4xx, 1 5xx
traffic: 6.58MB (6898800) total, 4.74MB (4973400) headers, 134.91KB (138150) data
`;

describe("readH2load()", () => {
  test("reads the summary, and percentiles from the log", () => {
    // 1,000 requests that took 1 to 1,000 µs, out of order.
    const log = Array.from({ length: 1000 }, (_, n) => `1795717232375001\t200\t${1000 - n}\n`);
    expect(readH2load(OUTPUT, log.join(""))).toEqual({
      requests: 4000,
      micros: 2_000_000,
      bytes: 6_898_800,
      p50: 500,
      p99: 990,
      p999: 999,
      errors: 1,
    });
  });
});

describe("readH2load() errors", () => {
  test("quotes what it cannot read", () => {
    expect(() => readH2load("Could not resolve\n", "")).toThrow("Could not resolve");
  });
});
