import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../base/random.testing.ts";
import type { Refusal } from "./refusal.ts";
import { parseTarget, type Target } from "./target.ts";

describe("parseTarget()", () => {
  test.each([
    // What is sent                  what is matched
    ["/", "/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["/a;v=1/b@c:d/~e", "/a;v=1/b@c:d/~e"],
    // dot segments
    ["/a/./b", "/a/b"],
    ["/a/../b", "/b"],
    ["/a/%2e%2E/b", "/b"],
    ["/a/.%2e/b", "/b"],
    ["/a/b/..", "/a/"],
    ["/a/.", "/a/"],
    ["/../../etc", "/etc"],
    ["/..", "/"],
    ["/.well-known/x", "/.well-known/x"],
    ["/a/...", "/a/..."],
    ["/a..b/.c.", "/a..b/.c."],
    // slashes
    ["//", "/"],
    ["//admin", "/admin"],
    ["/a//b///c//", "/a/b/c/"],
    ["/a//../b", "/b"],
    ["/a/%2e/%2e./", "/"],
    // escapes
    ["/%61dmin", "/admin"],
    ["/%41%5A%61%7a%30%39%2D%2e%5f%7E", "/AZaz09-._~"],
    ["/a%2fb", "/a%2Fb"],
    ["/a%2Fb", "/a%2Fb"],
    ["/%c3%a9", "/%C3%A9"],
    ["/%2541", "/%2541"],
    ["/%252e%252e/x", "/%252e%252e/x"],
    ["/100%25", "/100%25"],
    ["/%3f%23%20%40%3b", "/%3F%23%20%40%3B"],
    ["/a%5Cb", "/a%5Cb"],
    ['/a|b{c}<d>[e]^`"', "/a%7Cb%7Bc%7D%3Cd%3E%5Be%5D%5E%60%22"],
  ])("path of %j is %j", (raw, path) => {
    expect(parsed(raw)).toEqual({
      ok: true,
      path,
      query: undefined,
      target: path,
      authority: undefined,
    });
  });

  test.each([
    ["/a?", "/a", "", "/a?"],
    ["/a?b=c&d", "/a", "b=c&d", "/a?b=c&d"],
    ["/a?b?c", "/a", "b?c", "/a?b?c"],
    ["/a/../b?x=/../y//z", "/b", "x=/../y//z", "/b?x=/../y//z"],
    ["/a?q=100%&r=%zz&s=%61|{}\\", "/a", "q=100%&r=%zz&s=%61|{}\\", "/a?q=100%&r=%zz&s=%61|{}\\"],
    ["?x", undefined, undefined, undefined],
  ])("query of %j", (raw, path, query, target) => {
    const result = parseTarget(raw);
    if (path === undefined) expect(result.ok).toBe(false);
    else expect(result).toMatchObject({ ok: true, path, query, target });
  });

  test.each([
    ["http://a.b/x?y", "a.b", "/x?y"],
    ["http://a.b:8080", "a.b:8080", "/"],
    ["HTTPS://a.b?y", "a.b", "/?y"],
    ["http://[::1]:80//x", "[::1]:80", "/x"],
    ["http://user@a.b/x", "user@a.b", "/x"],
    ["http:///x", "", "/x"],
  ])("takes the absolute form %j apart", (raw, authority, target) => {
    expect(parsed(raw)).toMatchObject({ authority, target });
  });

  test("reads a path that starts with two slashes as a path, not as an authority", () => {
    expect(parsed("//evil.example/x")).toMatchObject({
      path: "/evil.example/x",
      authority: undefined,
    });
  });

  test("takes a target of exactly the limit", () => {
    expect(parsed(`http://a/${"x".repeat(99)}`, 100).path).toHaveLength(100);
  });
});

describe("parseTarget() errors", () => {
  test.each([
    "",
    "*",
    "a",
    "a.b:443",
    "ftp://a/b",
    "http:/a",
    "javascript:x",
    "/a b",
    "/a\tb",
    "/a\r\nX: y",
    "/a\0",
    "/a\x7f",
    "/é",
    "/\u{fffd}",
    "/a\u{10000}",
    "/a#f",
    "/a?b#f",
    "/a?b c",
    "/a?é",
    "/a?\n",
    "/a\\b",
    "/..\\..\\x",
    "http://a\\b",
    "http://a#b",
    "/%",
    "/%4",
    "/%zz",
    "/%%34%31",
    "/%u0041",
    "/%00",
    "/a%EF%BF%BDb",
    "/a%ef%bf%bdb",
    "/..%2fadmin",
    "/a/..%2F..%2Fadmin",
    "/a%2f..",
    "/a%2f../b",
    "/a%2F.%2Fb",
    "/..%5cadmin",
    "/a%5c..%5cadmin",
    "/..;/admin",
    "/a/..;x=1/admin",
    "/%2e%2e;/admin",
    "/.;/admin",
  ])("refuses %j with 400", (raw) => {
    expect(refused(raw).fault).toBe("REQUEST_MALFORMED");
  });

  test("names the character and where it stands", () => {
    expect(refused("/a\\b").problem).toBe(
      'character U+005C at offset 2 of "/a\\\\b" is not allowed',
    );
  });

  test("refuses more than the limit with 414 and names both sizes", () => {
    const { fault, problem } = refused(`/${"x".repeat(100)}`, 100);
    expect(fault).toBe("REQUEST_URI_TOO_LONG");
    expect(problem).toBe("101 bytes of path and query, the limit is 100");
  });

  test("refuses a target that only its encoding makes too long", () => {
    expect(refused(`/${"|".repeat(50)}`, 100).fault).toBe("REQUEST_URI_TOO_LONG");
  });

  test("refuses both, however often they were taken where the limit is another", () => {
    for (const [piece, count] of [["x", 94] as const, ["|", 32] as const, ["%41", 32] as const]) {
      const raw = `/known/${piece.repeat(count)}`;
      for (let times = 0; times < 3; times++) {
        expect(parsed(raw, 200).ok).toBe(true);
        expect(refused(raw, 100).fault).toBe("REQUEST_URI_TOO_LONG");
      }
    }
  });

  test("answers a hostile target of the full length in time that does not explode", () => {
    for (const piece of ["/", "/.", "/..", "%2e", "%2F..", ";", "/a"]) {
      const raw = `/${piece.repeat(8000 / piece.length)}`;
      const started = performance.now();
      parseTarget(raw);
      // Linear takes well under 10 ms; a regular expression that backtracks would take minutes.
      expect(performance.now() - started).toBeLessThan(1000);
    }
  });
});

describe("parseTarget() on generated targets", () => {
  const pieces = [
    ..."/ / / . .. // ; : @ a B 0 - _ ~ % %2 %2e %2E %2f %5c %41 %61 %7e %25 %252e %C3%A9".split(
      " ",
    ),
    ...'%EF%BF%BD %00 ? # \\ | { [ ^ ` " < é & = +'.split(" "),
    " ",
  ];

  test("gives itself again when it is parsed again, in the alphabet that is promised", () => {
    const random = new SeededRandom(7);
    let accepted = 0;
    for (let run = 0; run < 50_000; run++) {
      const start = random.chance(20) ? "http://a.b" : "/";
      const raw = start + random.several(pieces, random.chance(80) ? 6 : 20).join("");
      const first = parseTarget(raw);
      if (!first.ok) continue;
      accepted++;
      expect(first.path).toMatch(/^(?:\/(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-F]{2})+)*\/?$/);
      expect(first.target).toMatch(/^\/[\x21\x22\x24-\x7e]*$/);
      expect(first.path).not.toMatch(/\/\.\.?(?:\/|$)/);
      expect(first.path).not.toMatch(/%(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3\d|2[DE]|5F|7E)/);
      expect(parseTarget(first.target)).toEqual({ ...first, authority: undefined });
    }
    expect(accepted).toBeGreaterThan(10_000);
  });

  test("gives one path for every spelling of it", () => {
    const random = new SeededRandom(8);
    for (let run = 0; run < 5_000; run++) {
      const segments = Array.from({ length: 1 + random.below(4) }, () =>
        random.pick(["admin", "a-b", "x.y", "~u", "A_Z09"]),
      );
      const disguised = segments.map((segment) => disguise(segment, random)).join("");
      expect(parsed(disguised).path).toBe(`/${segments.join("/")}`);
    }
  });
});

function parsed(raw: string, bytesMax?: number): Target {
  const result = parseTarget(raw, bytesMax);
  if (!result.ok) throw new Error(`Cannot parse ${raw}: ${result.problem}`);
  return result;
}

function refused(raw: string, bytesMax?: number): Refusal {
  const result = parseTarget(raw, bytesMax);
  if (result.ok) throw new Error(`Accepted ${raw} as ${result.target}`);
  return result;
}

/** The segment with what a server may ignore before it, and some characters escaped. */
function disguise(segment: string, random: SeededRandom): string {
  const before = random.pick(["/", "//", "/./", "/x/../", "/%2e/", "/x/%2E./", "/%2F/.%2e/"]);
  const escaped = segment.split("").map((char) => {
    const hex = char.charCodeAt(0).toString(16);
    return random.chance(50) ? char : `%${random.chance(50) ? hex : hex.toUpperCase()}`;
  });
  return before + escaped.join("");
}
