import { describe, expect, test } from "bun:test";
import {
  isAuthority,
  isFieldValue,
  isScheme,
  isTarget,
  isToken,
  parseStatus,
  trimmed,
} from "./header-rules.ts";

describe("isToken()", () => {
  test("accepts RFC 9110's tokens and nothing else", () => {
    for (const name of ["a", "X-Wasm-Added", "!#$%&'*+-.^_`|~09"]) expect(isToken(name)).toBe(true);
    for (const name of ["", " a", "a b", "a:", "a\r\nb", "é", "a\0", "(a)", "a,b", '"a"']) {
      expect(isToken(name)).toBe(false);
    }
  });
});

describe("isFieldValue()", () => {
  test("accepts text, tabs and bytes above 0x7f", () => {
    for (const value of ["", "a b", "a\tb", "\x80\xff", '"', "a,b;c"]) {
      expect(isFieldValue(value)).toBe(true);
    }
  });

  test("refuses every control character but tab", () => {
    for (let code = 0; code < 0x20; code++) {
      expect(isFieldValue(`a${String.fromCharCode(code)}b`)).toBe(code === 9);
    }
    expect(isFieldValue("\x7f")).toBe(false);
  });
});

describe("isTarget()", () => {
  test("accepts what can stand in a request line", () => {
    for (const target of ["/", "/a?b=c&d", "*", "/%20", "/\xe9"])
      expect(isTarget(target)).toBe(true);
    for (const target of ["", "a", "/a b", "/\r\n", "/\0", "http://a/", "**", "/\x7f", "/\t"]) {
      expect(isTarget(target)).toBe(false);
    }
  });
});

describe("isAuthority()", () => {
  test("accepts host and port only", () => {
    for (const authority of ["a", "a.b:80", "[::1]:8080", "10.0.0.1"]) {
      expect(isAuthority(authority)).toBe(true);
    }
    for (const authority of ["", "a b", "a/b", "user@a", "a\r\nb", "a?b", "a#b", "é"]) {
      expect(isAuthority(authority)).toBe(false);
    }
  });
});

describe("parseStatus()", () => {
  test("reads final statuses", () => {
    expect(parseStatus("200")).toBe(200);
    expect(parseStatus("599")).toBe(599);
    for (const text of ["", "101", "199", "600", "20", "2000", "0x10", " 200", "2e2"]) {
      expect(parseStatus(text)).toBeUndefined();
    }
  });
});

describe("isScheme()", () => {
  test("knows two", () => {
    expect(["http", "https", "HTTP", "ftp", ""].map(isScheme)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("trimmed()", () => {
  test("takes spaces and tabs off both ends, and nothing else", () => {
    expect(trimmed(" \ta b\t ")).toBe("a b");
    expect(trimmed("\xa0a\r")).toBe("\xa0a\r");
    expect(trimmed(" \t ")).toBe("");
  });

  test("takes time in proportion to the length, also for blanks in the middle", () => {
    const text = `a${" ".repeat(1_000_000)}b`;
    const start = performance.now();
    expect(trimmed(text)).toBe(text);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
