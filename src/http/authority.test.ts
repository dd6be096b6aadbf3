import { describe, expect, test } from "bun:test";
import { SeededRandom } from "../base/random.testing.ts";
import { type Authority, parseAuthority, parseHostLines, sameAuthority } from "./authority.ts";

describe("parseAuthority()", () => {
  test.each([
    // written             host               port
    ["a", "a", undefined],
    ["Example.COM", "example.com", undefined],
    ["example.com:8080", "example.com", 8080],
    ["example.com.", "example.com", undefined],
    ["example.com.:80", "example.com", 80],
    ["my_service-1.local:1", "my_service-1.local", 1],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", undefined],
    ["127.0.0.1:65535", "127.0.0.1", 65535],
    ["255.255.255.255", "255.255.255.255", undefined],
    ["1.2.3.4.example", "1.2.3.4.example", undefined],
    ["[::1]", "[::1]", undefined],
    ["[2001:DB8:0:0::1]:443", "[2001:db8::1]", 443],
    ["[::ffff:192.0.2.1]", "[::ffff:c000:201]", undefined],
  ])("reads %j", (text, host, port) => {
    const authority = port === undefined ? host : `${host}:${port}`;
    expect(parseAuthority(text)).toEqual({ ok: true, host, port, authority });
  });

  test("reads its own spelling as the same authority, and refuses the rest", () => {
    const pieces = [..."aZ09.-_:[]@/?#, %".split(""), "::1", "1.2.3.4", ":80", "0x1", "é"];
    const random = new SeededRandom(3);
    let accepted = 0;
    for (let run = 0; run < 50_000; run++) {
      const first = parseAuthority(random.several(pieces, 6).join(""));
      if (!first.ok) continue;
      accepted++;
      expect(parseAuthority(first.authority)).toEqual(first);
      expect(first.authority).toMatch(/^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::\d+)?$/);
    }
    expect(accepted).toBeGreaterThan(1000);
  });
});

describe("parseAuthority() errors", () => {
  test.each([
    "",
    " ",
    "a b",
    " a",
    "a ",
    "a, b",
    "a,a",
    "a/b",
    "a?x",
    "a#x",
    "a\\b",
    "a@b",
    "user:pw@a",
    "a%2eb",
    "a..b",
    ".",
    ".a",
    "a..",
    "a\r\nb",
    "a\0",
    "é.example",
    "a:",
    ":80",
    "a:0",
    "a:080",
    "a:65536",
    "a:99999999",
    "a:-1",
    "a:+80",
    "a:80a",
    "a:80:80",
    "::1",
    "[::1",
    "::1]",
    "[]",
    "[:::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[1.2.3.4]",
    "[::1]x",
    "[::1]:",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "01.2.3.4",
    "2130706433",
    "0x7f.1",
    "127.1",
    "a.0x",
    "https://a",
    "*.example.com",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(127)}a`,
    "a".repeat(300),
  ])("refuses %j with 400", (text) => {
    expect(parseAuthority(text)).toMatchObject({ ok: false, fault: "REQUEST_MALFORMED" });
  });

  test("says what is wrong", () => {
    expect(problemOf("")).toBe("it is empty");
    expect(problemOf("a b")).toBe('"a b" is not of the form name[:port]');
    expect(problemOf("a:70000")).toBe("port 70000 is above 65535");
    expect(problemOf("127.1")).toBe('"127.1" is no host name and no address');
  });
});

describe("parseHostLines()", () => {
  test("reads the one line", () => {
    expect(parseHostLines(["A.b:1"])).toMatchObject({ ok: true, authority: "a.b:1" });
  });
});

describe("parseHostLines() errors", () => {
  test.each([
    [[], "no Host line"],
    [["a", "a"], "2 Host lines, one is allowed"],
    [["a, a"], '"a, a" is not of the form name[:port]'],
  ])("refuses %j", (lines, problem) => {
    expect(parseHostLines(lines)).toEqual({ ok: false, fault: "REQUEST_MALFORMED", problem });
  });
});

describe("sameAuthority()", () => {
  test.each([
    ["a", "A.", "http", true],
    ["a", "a:80", "http", true],
    ["a:443", "a", "https", true],
    ["a", "a:443", "http", false],
    ["a", "b", "http", false],
    ["[::1]", "[0:0::1]:80", "http", true],
  ] as const)("compares %j and %j under %s", (a, b, scheme, same) => {
    expect(sameAuthority(read(a), read(b), scheme)).toBe(same);
  });
});

function problemOf(text: string): string {
  const result = parseAuthority(text);
  return result.ok ? "none" : result.problem;
}

function read(text: string): Authority {
  const result = parseAuthority(text);
  if (!result.ok) throw new Error(`Cannot parse ${text}: ${result.problem}`);
  return result;
}
