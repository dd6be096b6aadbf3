import { describe, expect, test } from "bun:test";
import { RE2JS } from "@bufbuild/re2";
import { patternSize } from "./pattern-size.ts";

describe("patternSize()", () => {
  // The engine's own count is the oracle.
  test.each([
    "",
    "abc",
    "^/api/v[0-9]+/(users|groups)/.*$",
    "a{10}",
    "a{3,}",
    "a{0,500}",
    "(a{0,50}b)*c",
    "((a{10}){10})",
    "([a-z0-9]{1,63}\\.){1,8}",
    "(?:ab|cd){2,5}x?y+z*",
    "\\p{Greek}{3}\\x{41}{2}",
    "[]a{5}]{4}",
    "[^]{9}]",
    "[[:alpha:]{3}]{3}",
    "(\\({4}\\)){3}",
    "\\Q(a{9}\\E{2}",
    "(a|b|c{4}){20}",
    "((((a?){4}){4}){4})",
  ])("is not below the program of %j", (pattern) => {
    const { prog } = RE2JS.compile(pattern).re2() as unknown as { prog: { inst: unknown[] } };
    expect(patternSize(pattern)).toBeGreaterThanOrEqual(prog.inst.length - FIXED);
    expect(patternSize(pattern)).toBeLessThanOrEqual(40 * prog.inst.length);
  });

  test.each(["(((", ")))", "a{", "{5}", "a{99999}", "[", "\\", "(a{1000}){1000}"])(
    "answers for %j, which is no pattern",
    (pattern) => {
      expect(patternSize(pattern)).toBeGreaterThanOrEqual(0);
    },
  );
});

/** Instructions of every program: where it begins, fails, matches, and a search's loop. */
const FIXED = 4;
