import { describe, expect, test } from "bun:test";
import { checkReplacement } from "./proxy-rewrite-check.ts";

describe("checkReplacement()", () => {
  test.each<[string, string]>([
    ["/x", "a"],
    ["/$1", "(a)"],
    ["/$2$1", "(a)(b)"],
    ["/$10", "(a)"],
    ["/$&", "a"],
    ["/$$", "a"],
    ["/$$1", "a"],
    ["/$<n>/$1", "(?<n>a)"],
    ["/$12", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)"],
    ["/$1", "(?:x)(a)|y"],
  ])("accepts %p for the pattern %p", (replacement, pattern) => {
    expect(checkReplacement(replacement, pattern)).toBeUndefined();
  });

  test("means what String.replace() does", () => {
    expect("/api/v1".replace(new RegExp("^/api/(.*)$"), "/$1/$$/$&/$10")).toBe("/v1/$//api/v1/v10");
  });
});

describe("checkReplacement() errors", () => {
  test.each<[string, string, RegExp]>([
    ["/$1", "a", /names group 1, the pattern has no groups$/],
    ["/$2", "(a)", /names group 2, the pattern has 1$/],
    ["/$0", "(a)", /names group 0/],
    ["/$20", "(a)", /names group 20/],
    ["/$<m>", "(?<n>a)", /names group <m>/],
    ["/$1", "(?:a)", /no groups/],
    ["/$1", "(?<=a)b", /no groups/],
    ["/$1", "\\(a\\)", /no groups/],
    ["/${1}", "(a)", /holds a \$ that names no group$/],
    ["/$x", "(a)", /holds a \$/],
    ["/$", "(a)", /holds a \$/],
    ["/$`", "(a)", /holds a \$/],
    ["/$'", "(a)", /holds a \$/],
  ])("refuses %p for the pattern %p", (replacement, pattern, problem) => {
    const found = checkReplacement(replacement, pattern);
    expect(found?.code).toBe("CONFIG_BAD_REGEX");
    expect(found?.problem).toMatch(problem);
  });
});
