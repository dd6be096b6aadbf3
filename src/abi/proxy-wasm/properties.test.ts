import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { DENIED, type PropertyValue } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import { BAD, FakeFilterHost, OUT, ScriptedGuest, unwire } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_get_property()", () => {
  // The encodings are Envoy's: the oracle is typed by hand.
  test.each([
    { type: "text as it is", value: "/a\xe9", hex: "2f61e9" },
    { type: "empty text", value: "", hex: "" },
    { type: "integers as i64", value: 200n, hex: "c800000000000000" },
    { type: "negative integers", value: -1n, hex: "ffffffffffffffff" },
    { type: "doubles", value: 0.5, hex: "000000000000e03f" },
    { type: "true", value: true, hex: "01" },
    { type: "false", value: false, hex: "00" },
    { type: "bytes as they are", value: Uint8Array.of(1, 2, 255), hex: "0102ff" },
  ] satisfies { type: string; value: PropertyValue; hex: string }[])(
    "hands over $type",
    ({ value, hex }) => {
      const { kit, host, get } = open();
      host.properties.set("a.b", value);
      expect(get("a\0b")).toBe(Status.Ok);
      expect(kit.taken().toHex()).toBe(hex);
    },
  );

  test("hands over maps as pairs", () => {
    const { kit, host, get } = open();
    host.properties.set("request.headers", HeaderList.from([["X-A", "1"]]));
    expect(get("request\0headers")).toBe(Status.Ok);
    expect(unwire(kit.taken())).toEqual([["x-a", "1"]]);
  });

  test.each([
    { path: "plugin_name", value: "test" },
    { path: "plugin_root_id", value: "root" },
    { path: "plugin_vm_id", value: "vm" },
    { path: "plugin_root_id\0", value: "root" },
  ])("answers $path itself, outside of exchanges, too", ({ path, value }) => {
    const kit = new ScriptedGuest();
    const status = kit.within(undefined, (env) =>
      env.proxy_get_property(...kit.put(path), OUT, OUT + 4),
    );
    expect(status).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe(value);
  });

  test.each(["", "nope", "request\0path\0more", "\0", "__proto__", "constructor"])(
    "answers NotFound for %j",
    (path) => {
      expect(open().get(path)).toBe(Status.NotFound);
    },
  );

  test("answers NotFound for everything of an exchange where there is none", () => {
    const kit = new ScriptedGuest();
    const status = kit.within(undefined, (env) =>
      env.proxy_get_property(...kit.put("request\0path"), OUT, OUT + 4),
    );
    expect(status).toBe(Status.NotFound);
  });
});

describe("proxy_get_property() without an exchange", () => {
  test.each([
    { path: "listener_direction", hex: "0100000000000000" },
    { path: "xds\0listener_direction", hex: "0100000000000000" },
    { path: "listener_metadata", hex: "" },
    { path: "listener_metadata\0filter_metadata", hex: "" },
    { path: "listener_metadata\0typed_filter_metadata\0", hex: "" },
    { path: "xds\0listener_metadata", hex: "" },
    { path: "node\0cluster", hex: "" },
    { path: "node\0metadata", hex: "" },
    { path: "node", hex: "0a076d616368696e65" },
    { path: "node\0id", hex: "6d616368696e65" },
  ])("hands over $path", ({ path, hex }) => {
    const kit = new ScriptedGuest();
    kit.host.gatewayProperties.set("node.id", "machine");
    new DataView(kit.memory.buffer).setBigUint64(OUT, -1n, true);
    const get = (): number =>
      kit.within(undefined, (env) => env.proxy_get_property(...kit.put(path), OUT, OUT + 4));
    expect(get()).toBe(Status.Ok);
    expect(kit.taken().toHex()).toBe(hex);
    // Nothing is allocated for no bytes.
    expect(kit.allocated.length).toBe(hex === "" ? 0 : 1);
  });

  test("does not know the node unless its id is granted", () => {
    const { kit, get } = open();
    kit.host.gatewayProperties.set("node.id", DENIED);
    expect(get("node")).toBe(Status.NotFound);
    expect(get("node\0id")).toBe(Status.NotFound);
    expect(kit.host.logged).toEqual(['warn: denied properties "node.id"']);
  });

  test.each([
    "plugin_name\0more",
    "listener_metadata\0nope",
    "listener_metadata\0filter_metadata\0key",
    "listener_direction\0more",
    "node\0nope",
    "node\0metadata\0key",
    "node.cluster",
    "listener_metadata.filter_metadata",
  ])("answers NotFound for %j", (path) => {
    const kit = new ScriptedGuest();
    const status = kit.within(undefined, (env) =>
      env.proxy_get_property(...kit.put(path), OUT, OUT + 4),
    );
    expect(status).toBe(Status.NotFound);
  });

  test.each(["plugin_name", "node\0cluster", "node\0nope", "listener_metadata\0nope"])(
    "does not take what a filter has set for %j",
    (path) => {
      const { kit, get, set } = open();
      const before = get(path);
      const taken = before === Status.Ok ? kit.taken().toString() : "";
      expect(set(path, "forged")).toBe(Status.Ok);
      expect(get(path)).toBe(before);
      if (before === Status.Ok) expect(kit.taken().toString()).toBe(taken);
    },
  );
});

describe("proxy_get_property() of the gateway", () => {
  test("hands over what is granted, outside of exchanges, too", () => {
    const kit = new ScriptedGuest();
    kit.host.gatewayProperties.set("gateway.generation", 7n).set("node.id", "machine");
    const get = (path: string): number =>
      kit.within(undefined, (env) => env.proxy_get_property(...kit.put(path), OUT, OUT + 4));
    expect(get("gateway\0generation")).toBe(Status.Ok);
    expect(kit.taken().toHex()).toBe("0700000000000000");
    expect(get("node\0id")).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe("machine");
    expect(get("gateway\0other")).toBe(Status.NotFound);
  });

  test("answers NotFound for what is not granted, and says so once", () => {
    const { kit, get } = open();
    kit.host.gatewayProperties.set("gateway.version", DENIED);
    for (let n = 0; n < 3; n++) expect(get("gateway\0version")).toBe(Status.NotFound);
    expect(kit.host.logged).toEqual(['warn: denied properties "gateway.version"']);
  });

  test("does not take what a filter has set for what the gateway says", () => {
    const { kit, get, set } = open();
    kit.host.gatewayProperties.set("gateway.version", DENIED);
    expect(set("gateway\0version", "forged")).toBe(Status.Ok);
    expect(get("gateway\0version")).toBe(Status.NotFound);
    expect(set("gateway\0own", "value")).toBe(Status.Ok);
    expect(get("gateway\0own")).toBe(Status.Ok);
  });
});

describe("proxy_set_property()", () => {
  test("keeps a copy under any path", () => {
    const { kit, host, set } = open();
    expect(set("wasm\0own", "value")).toBe(Status.Ok);
    new Uint8Array(kit.memory.buffer).fill(0);
    expect(Buffer.from(host.properties.get("wasm.own") as Uint8Array).toString()).toBe("value");
  });

  test("is Ok and warns once outside of exchanges", () => {
    const kit = new ScriptedGuest();
    for (let n = 0; n < 2; n++) {
      const status = kit.within(undefined, (env) =>
        env.proxy_set_property(...kit.put("a"), ...kit.put("b")),
      );
      expect(status).toBe(Status.Ok);
    }
    expect(kit.host.logged).toHaveLength(1);
  });
});

describe("properties, errors", () => {
  test("does not look up, nor keep, endless paths", () => {
    const { get, set } = open();
    const path = "p".repeat(LIMITS.guestNameBytesMax + 1);
    expect(get(path)).toBe(Status.NotFound);
    expect(set(path, "")).toBe(Status.BadArgument);
  });

  test("does not let one filter keep more than its share", () => {
    const { set, host } = open();
    const value = "v".repeat(10_000);
    let kept = 0;
    while (set(`k${kept}`, value) === Status.Ok) kept++;
    expect(kept).toBe(Math.floor(LIMITS.guestPropertyBytesMax / (value.length + 2)));
    expect(host.properties.size).toBe(kept);
  });

  test("checks every address", () => {
    const { kit, stream, host } = open();
    host.properties.set("a", "b");
    kit.within(stream, (env) => {
      const bad = Status.InvalidMemoryAccess;
      const path = kit.put("a");
      expect(env.proxy_get_property(BAD, 1, OUT, OUT)).toBe(bad);
      expect(env.proxy_get_property(...path, BAD, OUT)).toBe(bad);
      expect(env.proxy_get_property(...path, OUT, BAD)).toBe(bad);
      expect(env.proxy_set_property(BAD, 1, ...path)).toBe(bad);
      expect(env.proxy_set_property(...path, BAD, 1)).toBe(bad);
    });
  });
});

function open() {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  const stream = kit.stream(host);
  return {
    kit,
    host,
    stream,
    get: (path: string) =>
      kit.within(stream, (env) => env.proxy_get_property(...kit.put(path), OUT, OUT + 4)),
    set: (path: string, value: string) =>
      kit.within(stream, (env) => env.proxy_set_property(...kit.put(path), ...kit.put(value))),
  };
}
