import { describe, expect, test } from "bun:test";
import { checkPattern, checkUri, readHost } from "./route-match.ts";

describe("checkUri()", () => {
  test.each([
    "/",
    "/*",
    "/a",
    "/a/",
    "/a/b/*",
    "/a/:id",
    "/:a/:b_2/*",
    "/a.b/-_~!$&'()+,;=@",
    "/v1/a:b",
    "/a%2Fb%20c",
    "/...",
    "~^/v\\d+$",
    "~",
  ])("accepts %p", (uri) => {
    expect(checkUri(uri)).toBeUndefined();
  });
});

describe("checkUri() errors", () => {
  test.each([
    ["", "/"],
    ["a", "/a"],
    ["^/a", "~^/a"],
    ["/a*", "/a/*"],
    ["/a/*/b", "/a/*"],
    ["/*/", "/*"],
    ["/{id}/x", "/:id/x"],
    ["/a?b", "/a"],
    ["/%7Ea", "/~a"],
    ["/%c3%a9", "/%C3%A9"],
    ["//a///b", "/a/b"],
    ["/a/./b", undefined],
    ["/a/..", undefined],
    ["/:", undefined],
    ["/:a-b", undefined],
    ["/:a/:a", undefined],
    ["/a b", undefined],
    ["/é", undefined],
    ["/a#b", undefined],
    ["/a\\b", undefined],
    ["/a\u0000", undefined],
    ["/%", undefined],
    ["/[a]", undefined],
  ])("refuses %p and suggests %p", (uri, suggestion) => {
    const problem = checkUri(uri);
    expect(problem?.code).toBe("CONFIG_BAD_URI");
    expect(problem?.hint).toBe(suggestion && `did you mean ${JSON.stringify(suggestion)}?`);
    // What is suggested is accepted, or at least another problem.
    if (suggestion !== undefined && suggestion !== "/*") {
      expect(checkUri(suggestion)?.problem).not.toBe(problem?.problem as string);
    }
  });

  test.each(["~(", "~[b-a]", "~*", "~\\"])("refuses the pattern %p", (uri) => {
    expect(checkUri(uri)?.code).toBe("CONFIG_BAD_REGEX");
  });
});

describe("checkPattern()", () => {
  test("knows a pattern from what is none", () => {
    expect(checkPattern("^/(?<a>x)+$")).toBeUndefined();
    expect(checkPattern("(?<a>x)(?<a>y)")?.code).toBe("CONFIG_BAD_REGEX");
  });
});

describe("readHost()", () => {
  test.each([
    ["example.com", "example.com"],
    ["EXAMPLE.com", "example.com"],
    ["*.Example.com", "*.example.com"],
    ["localhost", "localhost"],
    ["my_app-1", "my_app-1"],
    ["10.0.0.1", "10.0.0.1"],
    ["::1", "[::1]"],
    ["[2001:DB8:0::1]", "[2001:db8::1]"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ])("reads %p as %p", (written, host) => {
    expect(readHost(written)).toEqual({ host });
  });
});

describe("readHost() errors", () => {
  test.each([
    "*",
    "*.",
    "*.*",
    "*a.com",
    "a.*",
    "a.com.",
    "a.com:80",
    "[::1]:80",
    "http://a.com",
    "a..com",
    ".a.com",
    "a b",
    "a/b",
    "é.com",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "0x7f.1",
    "[::x]",
    "",
    "x".repeat(64),
    `${"x.".repeat(200)}com`,
  ])("refuses %p", (written) => {
    expect(readHost(written)).toMatchObject({ code: "CONFIG_BAD_HOST" });
  });
});
