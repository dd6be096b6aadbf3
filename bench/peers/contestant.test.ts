import { describe, expect, test } from "bun:test";
import { CASES } from "./cases.ts";
import { find, readVersion } from "./contestant.ts";
import { CONTESTANTS } from "./contestants.ts";

describe("readVersion()", () => {
  test.each([
    { text: "nginx version: nginx/1.22.1\n", version: "1.22.1" },
    { text: "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://", version: "2.6.12-1+deb12u4" },
    { text: "envoy  version: 9e55809337/1.40.0/Clean/RELEASE/BoringSSL", version: "1.40.0" },
    { text: "libnginx-mod-http-lua\t1:0.10.23-1+deb12u1\n", version: "0.10.23-1+deb12u1" },
    { text: "out of order", version: "unknown" },
  ])("finds $version", ({ text, version }) => {
    expect(readVersion(text)).toBe(version);
  });
});

describe("find()", () => {
  test("finds names in PATH and paths, and nothing else", () => {
    expect(find("sh")).toEndWith("/sh");
    expect(find("/dev/null")).toBe("/dev/null");
    expect(find("no-such-gateway")).toBeUndefined();
    expect(find("/no/such/gateway")).toBeUndefined();
  });
});

describe("suits()", () => {
  test.each([
    { name: "no filter, 64 connections", names: "sluice,nginx,HAProxy,Caddy,Envoy" },
    { name: "TLS, 64 connections", names: "sluice,nginx,HAProxy,Caddy,Envoy" },
    { name: "1 Rust header filter", names: "sluice,nginx with Lua,Envoy" },
    { name: "1 Rust header filter, per request", names: "sluice" },
    { name: "10 Rust header filters", names: "sluice,Envoy" },
    { name: "10,000 routes", names: "sluice,nginx" },
    { name: "POST 100 KiB", names: "sluice,nginx,nginx, no files,HAProxy,Caddy,Envoy" },
  ])("lets those compete in $name that can", ({ name, names }) => {
    expect(who(name).join()).toBe(names);
  });
});

function who(name: string): string[] {
  const setup = CASES.find((each) => each.name === name)?.setup;
  if (setup === undefined) throw new Error(`Cannot find the case "${name}"`);
  return CONTESTANTS.filter((each) => each.suits(setup)).map((each) => each.name);
}
