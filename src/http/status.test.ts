import { describe, expect, test } from "bun:test";
import { reasonPhrase } from "./status.ts";

describe("reasonPhrase()", () => {
  test.each([
    [200, "OK"],
    [103, "Early Hints"],
    [413, "Content Too Large"],
    [504, "Gateway Timeout"],
  ])("of %i is %j", (status, phrase) => {
    expect(reasonPhrase(status)).toBe(phrase);
  });
});

describe("reasonPhrase() errors", () => {
  test.each([299, 599, 0, -1, Number.NaN])("of the unknown %p is empty", (status) => {
    expect(reasonPhrase(status)).toBe("");
  });
});
