import { describe, expect, test } from "bun:test";
import { HeaderList } from "../http/headers.ts";
import { hostProblem } from "./host-check.ts";

function problem(hosts: readonly string[], version: "1.0" | "1.1" = "1.1") {
  return hostProblem(HeaderList.from(hosts.map((host) => ["Host", host] as const)), version);
}

describe("hostProblem()", () => {
  test.each([
    "localhost",
    "LocalHost:9180",
    "localhost.",
    "127.0.0.1:9180",
    "127.1.2.3",
    "[::1]:9180",
    "[0:0:0:0:0:0:0:1]",
  ])("takes %s", (host) => {
    expect(problem([host])).toBeUndefined();
  });

  test("takes a client of HTTP/1.0 without Host", () => {
    expect(problem([], "1.0")).toBeUndefined();
  });

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.localhost",
    "127.1",
    "0.0.0.0",
    "10.0.0.1",
    "[::]",
    "[::ffff:127.0.0.1]",
    "localhost@evil.example",
    "evil.example, localhost",
    "",
  ])("refuses %p", (host) => {
    expect(problem([host])).toBe("Host has to be localhost or a loopback address");
    expect(problem([host], "1.0")).toBeDefined();
  });

  test("refuses none and two", () => {
    expect(problem([])).toBeDefined();
    expect(problem(["localhost", "localhost"])).toBeDefined();
  });
});
