import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { resolvePlain } from "./plain-scalar.ts";

describe("resolvePlain()", () => {
  test.each([
    ..."~ null Null NULL true True TRUE false False FALSE".split(" "),
    ..."0 -0 +7 42 0777 0x1F 0xff 0o17 1.5 -1.5 +.5 .5 5. 1e3 1E-3 -1.5e+10".split(" "),
    ..."-.inf +.INF .Inf .nan .NaN .NAN 12345678901234567890".split(" "),
    ..."yes no on off nUll TRue 1_000 0b1 0xZZ 0o8 1.2.3 1e 1:30 +-1".split(" "),
    ..."-.nan inf .. 10.0.0.1:80".split(" "),
    ..."2s 10MiB 2026-01-01 /a/* ~^/x a text tRUE fALSE -x +x .x".split(" "),
  ])("reads %p as YAML 1.2's core schema does", (text) => {
    // The package is the oracle: the complete reader resolves its scalars here as well.
    expect(resolvePlain(text)).toBe(parse(text, { schema: "core" }) as string);
  });

  test("takes nothing for null", () => {
    expect(resolvePlain("")).toBeNull();
  });
});
