import { expect, test } from "bun:test";
import { METHODS } from "../config/methods.ts";
import { checkMethod } from "../http/method.ts";

test("every method that a route may name is one that the door lets in", () => {
  expect(METHODS.filter((method) => checkMethod(method) !== undefined)).toEqual([]);
  expect(METHODS.length).toBeGreaterThan(20);
});
