import { describe, expect, test } from "bun:test";
import {
  DURATION_PATTERN,
  SIZE_PATTERN,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "./units.ts";

describe("parseDuration()", () => {
  test.each<[string | number, number]>([
    ["500ms", 500],
    ["2s", 2000],
    ["1m", 60_000],
    ["1h", 3_600_000],
    ["1.5s", 1500],
    ["0.5h", 1_800_000],
    ["0", 0],
    ["0s", 0],
    ["30", 30_000],
    [30, 30_000],
    [0.25, 250],
    [0, 0],
    ["1.1s", 1100],
  ])("reads %p as %p ms", (written, ms) => {
    expect(parseDuration(written)).toEqual({ value: ms });
    if (typeof written === "string") expect(written).toMatch(new RegExp(DURATION_PATTERN));
  });
});

describe("parseDuration() errors", () => {
  test.each<[string | number, RegExp]>([
    ["fast", /^a duration such as 500ms, 2s, 1m or 1h$/],
    ["", /^a duration such/],
    ["1 s", /^a duration such/],
    ["-1s", /0 or more$/],
    [-1, /0 or more$/],
    [Number.NaN, /0 or more$/],
    [Number.POSITIVE_INFINITY, /0 or more$/],
    ["1d", /^a duration with one of the units ms, s, m, h$/],
    ["1S", /^a duration with one of the units/],
    ["1m30s", /^a duration such/],
    ["1constructor", /^a duration with one of/],
    ["9000000h", /^a duration of at most 8760h$/],
    ["0.1ms", /^a duration of 0, or at least 1ms$/],
    ["9".repeat(400), /^a duration such/],
  ])("refuses %p", (written, message) => {
    const parsed = parseDuration(written);
    expect("expected" in parsed ? parsed.expected : "accepted").toMatch(message);
  });
});

describe("parseSize()", () => {
  test.each<[string | number, number]>([
    ["10MiB", 10_485_760],
    ["64KiB", 65_536],
    ["1GiB", 1_073_741_824],
    ["10MB", 10_000_000],
    ["1.5KiB", 1536],
    ["12B", 12],
    ["0", 0],
    [4096, 4096],
  ])("reads %p as %p bytes", (written, bytes) => {
    expect(parseSize(written)).toEqual({ value: bytes });
    if (typeof written === "string") expect(written).toMatch(new RegExp(SIZE_PATTERN));
  });
});

describe("parseSize() errors", () => {
  test.each<[string | number, RegExp]>([
    ["large", /^a size such as 10MiB, 64KiB or 1GiB$/],
    ["10M", /^a size with one of the units B, KB, MB, GB, KiB, MiB, GiB$/],
    ["10mib", /^a size with one of the units/],
    ["1.5B", /^a size of whole bytes$/],
    [0.5, /^a size of whole bytes$/],
    ["99999999GiB", /^a size below/],
    [-1, /0 or more$/],
  ])("refuses %p", (written, message) => {
    const parsed = parseSize(written);
    expect("expected" in parsed ? parsed.expected : "accepted").toMatch(message);
  });
});

describe("formatDuration() and formatSize()", () => {
  test.each([0, 1, 500, 90_000, 300_000, 3_600_000, 1001])("%p ms reads back the same", (ms) => {
    expect(parseDuration(formatDuration(ms))).toEqual({ value: ms });
  });
  test.each([0, 1, 1023, 8192, 10_485_760, 2_147_483_648])("%p bytes reads back", (bytes) => {
    expect(parseSize(formatSize(bytes))).toEqual({ value: bytes });
  });
  test("take the largest unit that is exact", () => {
    expect([formatDuration(90_000), formatDuration(300_000)]).toEqual(["90s", "5m"]);
    expect([formatSize(8192), formatSize(1000)]).toEqual(["8KiB", "1000B"]);
  });
});
