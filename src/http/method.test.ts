import { describe, expect, test } from "bun:test";
import { checkMethod, isIdempotent } from "./method.ts";

describe("checkMethod()", () => {
  test.each(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH"])(
    "takes %s",
    (method) => {
      expect(checkMethod(method)).toBeUndefined();
    },
  );
});

describe("checkMethod() errors", () => {
  test.each([
    ["CONNECT", "METHOD_NOT_ALLOWED"],
    ["TRACE", "METHOD_NOT_ALLOWED"],
    ["BREW", "REQUEST_METHOD_UNSUPPORTED"],
    ["get", "REQUEST_METHOD_UNSUPPORTED"],
    ["constructor", "REQUEST_METHOD_UNSUPPORTED"],
    ["", "REQUEST_MALFORMED"],
    ["GET /x", "REQUEST_MALFORMED"],
    ["GET\r\n", "REQUEST_MALFORMED"],
  ] as const)("refuses %j with %s", (method, fault) => {
    expect(checkMethod(method)).toMatchObject({ ok: false, fault });
  });
});

describe("isIdempotent()", () => {
  test.each([
    ["GET", true],
    ["HEAD", true],
    ["PUT", true],
    ["DELETE", true],
    ["OPTIONS", true],
    ["POST", false],
    ["PATCH", false],
    ["LOCK", false],
    ["BREW", false],
  ])("of %s is %p", (method, wanted) => {
    expect(isIdempotent(method)).toBe(wanted);
  });
});
