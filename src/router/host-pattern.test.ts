import { describe, expect, test } from "bun:test";
import { parseHost } from "./host-pattern.ts";

describe("parseHost()", () => {
  test.each([
    ["a.example.com", false, "a.example.com"],
    ["*.example.com", true, ".example.com"],
    ["*.com", true, ".com"],
    ["127.0.0.1", false, "127.0.0.1"],
    ["[::1]", false, "[::1]"],
  ])("reads %j", (text, isWildcard, key) => {
    expect(parseHost(text)).toEqual({ ok: true, isWildcard, key });
  });
});

describe("parseHost() errors", () => {
  test.each([
    ["A.com", 'hosts are compared as "a.com"', "a.com"],
    ["*.A.com", 'hosts are compared as "*.a.com"', "*.a.com"],
    ["a.com:8080", 'hosts are compared as "a.com"', "a.com"],
    ["a.com.", 'hosts are compared as "a.com"', "a.com"],
    ["[0:0::1]", 'hosts are compared as "[::1]"', "[::1]"],
    ["", "it is empty", undefined],
    ["a b", "is not of the form", undefined],
    ["http://a.com", "is not of the form", undefined],
    ["*", 'a "*" stands only for whole labels at the start', undefined],
    ["*.", 'a "*" stands only for whole labels at the start', undefined],
    ["*a.com", 'a "*" stands only for whole labels at the start', undefined],
    ["a.*.com", 'a "*" stands only for whole labels at the start', undefined],
    ["*.*.com", 'a "*" stands only for whole labels at the start', undefined],
  ])("refuses %j", (text, message, hint) => {
    const problem = parseHost(text);
    if (problem.ok) throw new Error(`Accepted ${text}`);
    expect(problem.code).toBe("BAD_HOST");
    expect(problem.message).toContain(message);
    expect(problem.hint).toBe(hint as string);
  });
});
