import { describe, expect, test } from "bun:test";
import { isHostName, parseAddress } from "./address.ts";

describe("parseAddress()", () => {
  test.each<[string, string, number | undefined]>([
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["example.com", "example.com", undefined],
    ["example.com.:80", "example.com.", 80],
    ["[::1]:443", "::1", 443],
    ["[2001:db8::1]", "2001:db8::1", undefined],
    ["my_app:0", "my_app", 0],
    ["a:65535", "a", 65_535],
  ])("reads %p", (written, host, port) => {
    expect(parseAddress(written)).toEqual({ host, port });
  });
});

describe("parseAddress() errors", () => {
  test.each<[string, RegExp]>([
    ["", /^has no host$/],
    [":80", /^has no host$/],
    ["a:", /^has a port that is not a number/],
    ["a:-1", /^has a port/],
    ["a:65536", /^has a port/],
    ["a:1e3", /^has a port/],
    ["a:999999999999999999999", /^has a port/],
    ["::1", /without brackets$/],
    ["[::1", /^has no host$/],
    ["[]:80", /^has no host$/],
    ["[a]:80", /neither a name nor an IP address$/],
    ["a b:80", /neither/],
    ["a/b", /neither/],
    ["user@host:80", /neither/],
    ["1.2.3.256:80", /neither/],
    ["http://a:80", /is a URL/],
    ["a\u0000b", /neither/],
    ["x".repeat(300), /neither/],
  ])("refuses %p", (written, problem) => {
    const parsed = parseAddress(written);
    expect("problem" in parsed ? parsed.problem : "accepted").toMatch(problem);
  });
});

describe("isHostName()", () => {
  test("takes names and IPv4 addresses, and nothing that only looks like an address", () => {
    expect(["a", "a.b-c.d_e", "1.2.3.4", "1a", "a.1b"].filter((host) => !isHostName(host))).toEqual(
      [],
    );
    expect(["", "1", "1.2.3", "a.1", "0x1", "a..b", "-", "::1"].filter(isHostName)).toEqual(["-"]);
  });
});
