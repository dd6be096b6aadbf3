import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { VERSION } from "../base/version.ts";
import { nothingAllowed } from "../config/allow.ts";
import { GATEWAY_PROPERTIES } from "../config/gateway-properties.ts";
import { DENIED } from "../filter/filter.ts";
import { readGatewayProperty } from "./gateway-properties.ts";

function read(name: string, ...properties: string[]) {
  return readGatewayProperty(name, { ...nothingAllowed("waf"), properties }, 7);
}

describe("readGatewayProperty()", () => {
  test("reads what is granted, each by its name or all below a name", () => {
    expect(read("gateway.generation", "gateway.generation")).toBe(7n);
    expect(read("gateway.version", "gateway.*")).toBe(VERSION);
    expect(read("gateway.worker", "node.id", "gateway.*")).toBe(BigInt(process.pid));
    expect(read("node.id", "node.*")).toBe(hostname());
  });

  test("denies every property without a grant, and with another one", () => {
    for (const name of GATEWAY_PROPERTIES) {
      expect(read(name)).toBe(DENIED);
      expect(read(name, "gateway", "gateway.vers", "gatewa.*", "node", "nod.*")).toBe(DENIED);
    }
    expect(read("node.id", "gateway.*")).toBe(DENIED);
  });
});

describe("readGatewayProperty() errors", () => {
  test.each(["", "gateway", "gateway.", "gateway.*", "gateway.nope", "__proto__", "constructor"])(
    "knows nothing called %j",
    (name) => {
      expect(read(name, "gateway.*")).toBeUndefined();
    },
  );
});
