import { describe, expect, test } from "bun:test";
import { LIMITS } from "../base/limits.ts";
import { nothingAllowed } from "../config/allow.ts";
import { callTargetOf } from "./call-target.ts";

const ALLOW = {
  ...nothingAllowed("waf"),
  httpCall: ["auth", "auth.v2"],
  httpCallPatterns: ["10.1.2.3:8080", "*.in.example:80", "[2001:db8::1]:*"],
};
const UPSTREAMS = ["auth", "auth.v2", "other", "b.in.example"];

function targetOf(name: string) {
  return callTargetOf(name, ALLOW, (id) => UPSTREAMS.includes(id));
}

describe("callTargetOf()", () => {
  test("takes a granted upstream by its id, also one with a dot", () => {
    expect(targetOf("auth")).toEqual({ kind: "upstream", id: "auth" });
    expect(targetOf("auth.v2")).toEqual({ kind: "upstream", id: "auth.v2" });
  });

  test.each([
    { name: "10.1.2.3:8080", host: "10.1.2.3", port: 8080 },
    { name: "A.In.Example", host: "a.in.example", port: 80 },
    { name: "a.in.example.:80", host: "a.in.example", port: 80 },
    { name: "[2001:DB8:0::1]:9", host: "2001:db8::1", port: 9 },
  ])("takes the address $name that a pattern fits", ({ name, host, port }) => {
    expect(targetOf(name)).toEqual({ kind: "address", host, port });
  });
});

describe("callTargetOf() errors", () => {
  test.each(["other", "10.1.2.3:81", "10.1.2.3", "in.example:80", "[::1]:80", "localhost:80"])(
    "denies %s",
    (name) => {
      expect(targetOf(name)).toEqual({ kind: "denied" });
    },
  );

  test("does not let an upstream through by an address that looks like its id", () => {
    expect(targetOf("b.in.example")).toEqual({ kind: "denied" });
  });

  test.each([
    "",
    "nope",
    "localhost",
    "unix:/run/auth.sock",
    "builtin:httpbin",
    "http://10.1.2.3:8080/",
    "10.1.2.3:8080\0",
    "10.1.2.3:8080 ",
    "user@10.1.2.3:8080",
    "10.1.2.3:0",
    "10.1.2.3:",
    "167838211:8080",
    "0x0a010203:8080",
    "::ffff:10.1.2.3",
    "*.in.example:80",
    `${"a".repeat(LIMITS.guestNameBytesMax)}.in.example:80`,
    "__proto__",
  ])("knows nothing called %j", (name) => {
    expect(targetOf(name)).toEqual({ kind: "unknown" });
  });
});
