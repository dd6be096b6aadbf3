import { describe, expect, test } from "bun:test";
import * as net from "node:net";
import { isIPv4, isIPv6 } from "./ip-address.ts";

const V4 = ["0.0.0.0", "127.0.0.1", "255.249.199.99"];
const NO_V4 = ["", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1..2.3"];
const V6 = [
  ["::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"],
  ["ABCD::ef01", "::10.0.0.1", "1:2:3:4:5:6:10.0.0.1", "64:ff9b::1.2.3.4", "fe80::1%eth0"],
].flat();
const NO_V6 = [
  ["", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::1::"],
  ["1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1.2.3", "1.2.3.4::", "::1%"],
  ["1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", "fe80::1% ", "[::1]", "::1 "],
].flat();

describe("isIPv4()", () => {
  test.each(V4)("takes %p", (text) => expect(isIPv4(text)).toBe(true));
  test.each([...NO_V4, "::1"])("refuses %p", (text) => expect(isIPv4(text)).toBe(false));
});

describe("isIPv6()", () => {
  test.each(V6)("takes %p", (text) => expect(isIPv6(text)).toBe(true));
  test.each([...NO_V6, ...V4])("refuses %p", (text) => expect(isIPv6(text)).toBe(false));

  test("agrees with the runtime on texts that are made of an address's parts", () => {
    const parts = [":", "::", "0", "ab", "ffff", "1.2.3.4", "300.1.1.1", ".", "g", "12345"];
    // Each text is read as digits of a number, so that they are the same in every run.
    for (let n = 0; n < 20_000; n++) {
      let text = "";
      for (let rest = n * 7919; rest > 0; rest = Math.floor(rest / parts.length)) {
        text += parts[rest % parts.length];
      }
      const seen = { text, v4: isIPv4(text), v6: isIPv6(text) };
      expect(seen).toEqual({ text, v4: net.isIPv4(text), v6: net.isIPv6(text) });
    }
  });
});
