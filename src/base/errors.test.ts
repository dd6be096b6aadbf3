import { describe, expect, test } from "bun:test";
import { GatewayError, messageOf, toGatewayError } from "./errors.ts";

describe("GatewayError", () => {
  test("carries source, status and retryability of its code", () => {
    const error = new GatewayError("UPSTREAM_CONNECT_TIMEOUT", "Cannot connect to 10.0.0.1:80");
    expect(error.source).toBe("upstream");
    expect(error.status).toBe(504);
    expect(error.retryable).toBe(true);
  });
});

describe("toGatewayError()", () => {
  test("passes ours through and wraps everything else as GATEWAY_INTERNAL", () => {
    const ours = new GatewayError("ROUTE_NOT_FOUND", "x");
    expect(toGatewayError(ours)).toBe(ours);
    const wrapped = toGatewayError(new TypeError("boom"));
    expect(wrapped.code).toBe("GATEWAY_INTERNAL");
    expect(wrapped.cause).toBeInstanceOf(TypeError);
    expect(toGatewayError("text").message).toBe("text");
  });
});

describe("messageOf()", () => {
  test("reads errors and anything else", () => {
    expect(messageOf(new Error("a"))).toBe("a");
    expect(messageOf(undefined)).toBe("undefined");
  });
});
