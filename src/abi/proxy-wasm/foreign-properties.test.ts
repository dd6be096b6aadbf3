import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { FakeFilterHost, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

describe("declare_property()", () => {
  test("makes a property keep its first value", () => {
    const { host, call, set } = open();
    expect(call("declare_property", "0a03", "own", "1001")).toBe(Status.Ok);
    expect(set("own", "first")).toBe(Status.Ok);
    expect(set("own", "second")).toBe(Status.BadArgument);
    expect(textOf(host.properties.get("own"))).toBe("first");
    expect(set("other", "first")).toBe(Status.Ok);
    expect(set("other", "second")).toBe(Status.Ok);
  });

  test.each([
    { type: "", isText: false },
    { type: "1800", isText: false },
    { type: "1801", isText: true },
    { type: "1802", isText: false },
    { type: "1803", isText: false },
    { type: "18818080801018ffffffffffffffffff01", isText: false },
  ])("takes a value for text where the type says so: '$type'", ({ type, isText }) => {
    const { host, call, set } = open();
    expect(call("declare_property", "0a03", "own", `${type}2003`)).toBe(Status.Ok);
    expect(set("own", "v\xff")).toBe(Status.Ok);
    const value = host.properties.get("own");
    expect(typeof value === "string").toBe(isText);
    expect(textOf(value)).toBe("v\xff");
  });

  test("answers BadArgument for a path that is declared, and for what it cannot read", () => {
    const { call } = open();
    expect(call("declare_property", "0a03", "own")).toBe(Status.Ok);
    expect(call("declare_property", "0a03", "own", "1001")).toBe(Status.BadArgument);
    expect(call("declare_property", "0a04", "own")).toBe(Status.BadArgument);
    expect(call("declare_property", "ff")).toBe(Status.BadArgument);
  });

  test("declares a bounded number", () => {
    const { call } = open();
    for (let n = 0; n < LIMITS.guestDeclaredPropertiesMax; n++) {
      expect(call("declare_property", "0a03", `${n + 100}`)).toBe(Status.Ok);
    }
    expect(call("declare_property", "0a03", "own")).toBe(Status.BadArgument);
  });

  test("is told in the root context, and holds in a copy of the guest", () => {
    const kit = new ScriptedGuest();
    const argument = Buffer.from("0a036f776e1001", "hex");
    kit.within(undefined, (env) => {
      const args = [...kit.put("declare_property"), ...kit.put(argument)] as const;
      expect(env.proxy_call_foreign_function(...args, 0, 0)).toBe(Status.Ok);
    });
    const copy = new ScriptedGuest();
    copy.guest.rootEvents.adopt(kit.guest.rootEvents.state);
    expect(copy.guest.rootEvents.declared.property("own")?.readOnly).toBe(true);
    copy.guest.rootEvents.stop();
  });
});

describe("set_envoy_filter_state()", () => {
  test("keeps a value under its key", () => {
    const { host, call } = open();
    const key = ["0a0c", "envoy.string", "1202", "ab", "1801"] as const;
    expect(call("set_envoy_filter_state", ...key)).toBe(Status.Ok);
    expect(host.properties.get("filter_state.envoy.string")).toBe("ab");
  });

  test("answers NotFound for keys that would act on something, and logs the first", () => {
    const { kit, call } = open();
    for (const key of ["envoy.upstream.dynamic_port", "", "own"]) {
      const length = key.length.toString(16).padStart(2, "0");
      expect(call("set_envoy_filter_state", `0a${length}`, key)).toBe(Status.NotFound);
    }
    expect(kit.host.logged).toEqual([
      'warn: There is no filter state "envoy.upstream.dynamic_port" here',
    ]);
  });

  test("answers NotFound outside of an exchange, BadArgument for what it cannot read", () => {
    expect(open(false).call("set_envoy_filter_state", "0a0c", "envoy.string")).toBe(
      Status.NotFound,
    );
    expect(open().call("set_envoy_filter_state", "0a0d", "envoy.string")).toBe(Status.BadArgument);
  });

  test("counts towards what a filter may keep", () => {
    const { call } = open();
    const value = "v".repeat(2000);
    const set = (): number =>
      call("set_envoy_filter_state", "0a0c", "envoy.string", "12d00f", value);
    let kept = 0;
    while (kept < 100 && set() === Status.Ok) kept++;
    expect(kept).toBe(Math.floor(LIMITS.guestPropertyBytesMax / (value.length + 25)));
    expect(set()).toBe(Status.BadArgument);
  });
});

function textOf(value: unknown): string {
  return typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString("latin1");
}

/** @param inStream whether it calls in the context of an exchange */
function open(inStream = true) {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  const stream = inStream ? kit.stream(host) : undefined;
  /** @param parts hexadecimal and text by turns */
  const call = (name: string, ...parts: string[]): number => {
    const bytes = parts.map((part, at) => Buffer.from(part, at % 2 === 0 ? "hex" : "latin1"));
    return kit.within(stream, (env) => {
      const argument = kit.put(Buffer.concat(bytes));
      return env.proxy_call_foreign_function(...kit.put(name), ...argument, OUT, OUT + 4);
    });
  };
  const set = (path: string, value: string): number =>
    kit.within(stream, (env) => env.proxy_set_property(...kit.put(path), ...kit.put(value)));
  return { kit, host, call, set };
}
