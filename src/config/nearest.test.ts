import { describe, expect, test } from "bun:test";
import { editDistance, nearest } from "./nearest.ts";

describe("editDistance()", () => {
  test.each<[string, string, number]>([
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["chekcs", "checks", 1],
    ["abc", "abc", 0],
    ["ab", "ba", 1],
  ])("of %p and %p is %p", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("nearest()", () => {
  const keys = ["upstream_id", "upstream", "uri", "uris", "plugins", "priority"];
  test.each<[string, string | undefined]>([
    ["upsteam_id", "upstream_id"],
    ["upstreams", "upstream"],
    ["URI", "uri"],
    ["plugin", "plugins"],
    ["prioritty", "priority"],
    ["url", "uri"],
    ["consumers", undefined],
    ["x", undefined],
  ])("of %p is %p", (word, expected) => {
    expect(nearest(word, keys)).toBe(expected);
  });

  test("takes the first of several that are equally near", () => {
    expect(nearest("app3", ["app1", "app2"])).toBe("app1");
  });
});

describe("nearest() errors", () => {
  test("has no answer for an empty word, an endless word and no candidates", () => {
    expect(nearest("", ["a"])).toBeUndefined();
    expect(nearest("a".repeat(100_000), ["a".repeat(100_001)])).toBeUndefined();
    expect(nearest("a", [])).toBeUndefined();
  });

  test("looks at a bounded number of candidates", () => {
    expect(nearest("app", endless())).toBeUndefined();
  });
});

function* endless(): Generator<string> {
  for (;;) yield "something-else";
}
