import { describe, expect, test } from "bun:test";
import { parseAddress } from "./address.ts";
import { hostKey, matchesCallPattern, parseCallPattern } from "./call-pattern.ts";

function patternOf(written: string): string {
  const parsed = parseCallPattern(written);
  return "pattern" in parsed ? parsed.pattern : parsed.problem;
}

/** A guest's name for a host and a port, as it comes. */
function grants(pattern: string, asked: string): boolean {
  const address = parseAddress(asked);
  if ("problem" in address) throw new Error(address.problem);
  return matchesCallPattern(patternOf(pattern), hostKey(address.host), address.port ?? 0);
}

describe("parseCallPattern()", () => {
  test.each([
    { written: "10.1.2.3:8080", pattern: "10.1.2.3:8080" },
    { written: "Auth.Example.:443", pattern: "auth.example:443" },
    { written: "auth:*", pattern: "auth:*" },
    { written: "*.Internal.example:0443", pattern: "*.internal.example:443" },
    { written: "[2001:DB8:0:0::1]:80", pattern: "[2001:db8::1]:80" },
    { written: "[::1]:*", pattern: "[::1]:*" },
  ])("reads $written", ({ written, pattern }) => {
    expect(patternOf(written)).toBe(pattern);
  });
});

describe("parseCallPattern() errors", () => {
  test.each([
    { written: "auth.example", says: "no port" },
    { written: "[::1]", says: "no port" },
    { written: "*:80", says: "wrong place" },
    { written: "a*.example:80", says: "wrong place" },
    { written: "*.*.example:80", says: "wrong place" },
    { written: "*.:80", says: "no host" },
    { written: "*.127.0.0.1:80", says: "IP address" },
    { written: "*.[::1]:80", says: "IP address" },
    { written: "2130706433:80", says: "neither a name nor an IP address" },
    { written: "0x7f000001:80", says: "neither a name nor an IP address" },
    { written: "a.example:65536", says: "not a number" },
    { written: "a.example:0", says: "port 0" },
    { written: ":80", says: "no host" },
    { written: "unix:/run/a.sock", says: "not a number" },
  ])("refuses $written", ({ written, says }) => {
    expect(patternOf(written)).toContain(says);
  });
});

describe("matchesCallPattern()", () => {
  test.each([
    { pattern: "10.1.2.3:8080", asked: "10.1.2.3:8080", granted: true },
    { pattern: "10.1.2.3:8080", asked: "10.1.2.3:8081", granted: false },
    { pattern: "10.1.2.3:8080", asked: "110.1.2.3:8080", granted: false },
    { pattern: "10.1.2.3:8080", asked: "[::ffff:10.1.2.3]:8080", granted: false },
    { pattern: "auth.example:80", asked: "AUTH.example.:80", granted: true },
    { pattern: "auth.example:80", asked: "xauth.example:80", granted: false },
    { pattern: "auth.example:80", asked: "auth.example.evil:80", granted: false },
    { pattern: "auth.example:*", asked: "auth.example:1", granted: true },
    { pattern: "*.in.example:80", asked: "a.in.example:80", granted: true },
    { pattern: "*.in.example:80", asked: "a.b.in.example:80", granted: true },
    { pattern: "*.in.example:80", asked: "in.example:80", granted: false },
    { pattern: "*.in.example:80", asked: "ain.example:80", granted: false },
    { pattern: "*.in.example:80", asked: "a.in.example.evil:80", granted: false },
    { pattern: "[2001:db8::1]:80", asked: "[2001:0DB8:0::1]:80", granted: true },
    { pattern: "[::1]:80", asked: "[::2]:80", granted: false },
  ])("says $granted for $asked by $pattern", ({ pattern, asked, granted }) => {
    expect(grants(pattern, asked)).toBe(granted);
  });
});
