import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { comparePaths, parsePath, type PathPattern } from "./pattern.ts";

describe("parsePath()", () => {
  test.each([
    ["/", "exact", [""]],
    ["/a/b", "exact", ["a", "b"]],
    ["/a/", "exact", ["a", ""]],
    ["/a/:id", "parameters", ["a", ":id"]],
    ["/:a/:b/", "parameters", [":a", ":b", ""]],
    ["/*", "prefix", []],
    ["/a/*", "prefix", ["a"]],
    ["/:a/b/*", "prefix", [":a", "b"]],
    ["~x", "regex", []],
    ["~^/a/b/", "regex", ["a", "b"]],
    ["~^/a/b", "regex", ["a"]],
    ["~^/a/b$", "regex", ["a"]],
    ["~^/a/b?/c", "regex", ["a"]],
    ["~^/a/b/?c", "regex", ["a"]],
    ["~^/a/b/*", "regex", ["a"]],
    ["~^/a/b/+x", "regex", ["a"]],
    ["~^/a/b/{0}x", "regex", ["a"]],
    ["~^/a/b/{1,2}", "regex", ["a"]],
    ["~^\\/a\\/b\\/?", "regex", ["a"]],
    ["~^/a/(?:b|c)/", "regex", []],
    ["~^/a/|/b/", "regex", []],
    ["~/a/b/", "regex", []],
    ["~^(/a/b/)", "regex", []],
    ["~^/a./b/", "regex", []],
    ["~^/a\\d/b/", "regex", []],
    ["~^/v1\\.0/%2F-x/", "regex", ["v1.0", "%2F-x"]],
    ["~^a/b/", "regex", []],
  ])("reads %j as %s of %j", (uri, kind, segments) => {
    const pattern = parsed(uri);
    const written = pattern.segments.map((one) => (one.isParameter ? ":" : "") + one.text);
    expect(pattern).toMatchObject({ kind, uri });
    expect(written).toEqual(segments);
  });
});

describe("parsePath() errors", () => {
  test.each([
    ["", 'uri "" starts with neither "/" nor "~"', "/"],
    ["a/b", 'uri "a/b" starts with neither "/" nor "~"', "/a/b"],
    ["*", 'uri "*" starts with neither "/" nor "~"', "/*"],
    ["/a?b=c", "has a query", "/a"],
    ["/a//b", 'are brought into the form "/a/b"', "/a/b"],
    ["/a/../b", 'are brought into the form "/b"', "/b"],
    ["/%61", 'are brought into the form "/a"', "/a"],
    ["/a%2fb", 'are brought into the form "/a%2Fb"', "/a%2Fb"],
    ["/a{b}", 'are brought into the form "/a%7Bb%7D"', "/a%7Bb%7D"],
    ["/café/*", "character U+00E9", "/caf%C3%A9/*"],
    ["/a b", "character U+0020", "/a%20b"],
    ["/\ud800", "character U+D800", undefined],
    ["/a\\b", "character U+005C", undefined],
    ["/a#b", "character U+0023", undefined],
    ["/100%", '"%" is no percent-escape', undefined],
    ["/a*", 'has a "*" that is not "/*" at its end', "/a/*"],
    ["/a/**", 'has a "*" that is not "/*" at its end', "/a/*"],
    ["/*/b", 'has a "*" that is not "/*" at its end', undefined],
    ["/:", 'has a parameter ":" that is not', undefined],
    ["/:1", 'has a parameter ":1" that is not', undefined],
    ["/:a-b", 'has a parameter ":a-b" that is not', undefined],
    ["/:id/:id", 'has two parameters ":id"', undefined],
    ["~", "is no regular expression", "~"],
    ["~ ^/a", "is no regular expression", "~^/a"],
    ["~(", "does not compile", undefined],
  ])("refuses %j", (uri, message, hint) => {
    const problem = parsePath(uri);
    if (problem.ok) throw new Error(`Accepted ${uri}`);
    expect(problem.message).toContain(message);
    expect(problem.hint).toBe(hint as string);
  });

  test("refuses more segments than the limit and names both numbers", () => {
    const most = LIMITS.routeSegmentsMax;
    expect(parsePath("/a".repeat(most))).toMatchObject({ ok: true });
    expect(parsePath("/a".repeat(most + 1))).toMatchObject({
      message: expect.stringContaining(`has ${most + 1} segments, the limit is ${most}`),
    });
  });
});

describe("parsePath() of expressions", () => {
  test.each([
    ["~^/a/b/[0-9]+$", ["a", "b"], "[0-9]+$"],
    ["~^/a/b", ["a"], "b"],
    ["~^\\/a\\/b\\.c/", ["a", "b.c"], "(?:)"],
    ["~^/a/b/?", ["a"], "b/?"],
    ["~^/a/*b", [], "^/a/*b"],
    ["~^/a/b/(c|d)", [], "^/a/b/(c|d)"],
    ["~/a/b/c", [], "/a/b/c"],
    [`~^${"/a".repeat(LIMITS.routeSegmentsMax + 1)}/.`, [], undefined],
  ])("tries of %j only what is behind its literal segments", (uri, texts, rest) => {
    const { segments, regex } = parsed(uri);
    expect(segments.map(({ text }) => text)).toEqual(texts);
    expect(regex?.sticky).toBe(texts.length > 0);
    if (rest !== undefined) expect(regex?.source).toBe(rest.replace(/(?<!\\)\//g, "\\/"));
  });

  test("makes one expression of equal ends, and keeps whole ones apart", () => {
    const regexes = new Map<string, RegExp>();
    const [a, b, whole] = ["~^/a/[0-9]$", "~^/b/[0-9]$", "~[0-9]$"].map((uri) => {
      const pattern = parsePath(uri, regexes);
      return pattern.ok ? pattern.regex : undefined;
    });
    expect(a).toBeInstanceOf(RegExp);
    expect(a).toBe(b as RegExp);
    expect(whole).not.toBe(a as RegExp);
  });

  test.each(["~^/a/(b", "~^/a/b)", "~^/a/[b"])("refuses %j, whose end does not compile", (uri) => {
    const message = expect.stringContaining(`"${uri}" does not compile`);
    expect(parsePath(uri)).toMatchObject({ ok: false, code: "BAD_REGEX", message });
  });
});

describe("comparePaths()", () => {
  test("orders from the most specific to the catch-all", () => {
    const uris = [
      "/a/b",
      "/a/:y",
      "/:x/b",
      "/:x/:y",
      "/a/b/*",
      "/a/:y/*",
      "/:x/b/*",
      "/a/*",
      "/:x/*",
    ];
    const ordered = [...uris, "~^/a/b", "/*"].map(parsed);
    for (const [first, a] of ordered.entries()) {
      for (const [second, b] of ordered.entries()) {
        expect([a.uri, b.uri, Math.sign(comparePaths(a, b))]).toEqual([
          a.uri,
          b.uri,
          Math.sign(first - second),
        ]);
      }
    }
  });

  test("finds no difference between two that only the order of the file tells apart", () => {
    expect(comparePaths(parsed("/a/:x"), parsed("/a/:y"))).toBe(0);
    expect(comparePaths(parsed("~a"), parsed("~^/a/b"))).toBe(0);
  });
});

function parsed(uri: string): PathPattern {
  const pattern = parsePath(uri);
  if (!pattern.ok) throw new Error(pattern.message);
  return pattern;
}
