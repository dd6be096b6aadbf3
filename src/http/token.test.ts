import { describe, expect, test } from "bun:test";
import { isToken } from "./token.ts";

describe("isToken()", () => {
  test("takes exactly the 77 token characters", () => {
    const taken = Array.from({ length: 0x120 }, (_, n) => String.fromCharCode(n)).filter(isToken);
    expect(taken.join("")).toBe(
      "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
    );
  });
});

describe("isToken() errors", () => {
  test.each(["", "a b", "a:", "a\n", "\na", "a\r\nb", "é"])("refuses %j", (text) => {
    expect(isToken(text)).toBe(false);
  });
});
