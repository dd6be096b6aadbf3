import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { SharedData } from "./shared-data.ts";
import { BAD, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";
import { VmScopes } from "./vm-scope.ts";

describe("SharedData", () => {
  test("sets without a condition by cas 0, and under one by the value's own", () => {
    const data = new SharedData();
    expect(data.set("k", bytes("1"), 0)).toBe(Status.Ok);
    const cas = data.get("k")?.cas ?? 0;
    expect(cas).toBeGreaterThan(0);
    expect(data.set("k", bytes("2"), cas)).toBe(Status.Ok);
    expect(data.set("k", bytes("3"), cas)).toBe(Status.CasMismatch);
    expect(data.get("k")?.value).toEqual(bytes("2"));
    expect(data.set("k", bytes("4"), 0)).toBe(Status.Ok);
  });

  test("takes any cas for a key that is not there", () => {
    expect(new SharedData().set("k", bytes("1"), 77)).toBe(Status.Ok);
  });

  test("bounds keys and bytes, and counts replaced values out", () => {
    const data = new SharedData();
    const half = new Uint8Array(LIMITS.sharedDataBytesMax / 2 - 1);
    expect(data.set("a", half, 0)).toBe(Status.Ok);
    expect(data.set("b", half, 0)).toBe(Status.Ok);
    expect(data.set("c", bytes("1"), 0)).toBe(Status.InternalFailure);
    expect(data.set("a", half, 0)).toBe(Status.Ok);
    expect(data.set("a", bytes(""), 0)).toBe(Status.Ok);
    expect(data.set("c", bytes("1"), 0)).toBe(Status.Ok);
    for (let n = 2; n < LIMITS.sharedDataKeysMax; n++) data.set(`k${n}`, bytes(""), 0);
    expect(data.set("one more", bytes(""), 0)).toBe(Status.InternalFailure);
  });
});

describe("proxy_get_shared_data()", () => {
  test("hands over value and cas; plugins of one VM id see the same", () => {
    const scopes = new VmScopes();
    const writer = new ScriptedGuest({}, "0.2.1", scopes);
    const reader = new ScriptedGuest({}, "0.2.1", scopes);
    const set = writer.within(undefined, (env) =>
      env.proxy_set_shared_data(...writer.put("key"), ...writer.put("value"), 0),
    );
    expect(set).toBe(Status.Ok);
    const get = reader.within(undefined, (env) =>
      env.proxy_get_shared_data(...reader.put("key"), OUT, OUT + 4, OUT + 8),
    );
    expect(get).toBe(Status.Ok);
    expect(reader.taken().toString()).toBe("value");
    expect(reader.u32(OUT + 8)).toBe(1);
  });

  test("answers NotFound for a key that nobody has set", () => {
    const kit = new ScriptedGuest();
    const get = kit.within(undefined, (env) =>
      env.proxy_get_shared_data(...kit.put("key"), OUT, OUT + 4, OUT + 8),
    );
    expect(get).toBe(Status.NotFound);
  });
});

describe("shared data, errors", () => {
  test("refuses long keys and bad addresses", () => {
    const kit = new ScriptedGuest();
    kit.within(undefined, (env) => {
      const bad = Status.InvalidMemoryAccess;
      const key = kit.put("k");
      const long = kit.put("k".repeat(LIMITS.guestNameBytesMax + 1));
      expect(env.proxy_set_shared_data(...long, ...key, 0)).toBe(Status.BadArgument);
      expect(env.proxy_set_shared_data(BAD, 1, ...key, 0)).toBe(bad);
      expect(env.proxy_set_shared_data(...key, BAD, 1, 0)).toBe(bad);
      expect(env.proxy_set_shared_data(...key, ...key, 0)).toBe(Status.Ok);
      expect(env.proxy_get_shared_data(BAD, 1, OUT, OUT, OUT)).toBe(bad);
      expect(env.proxy_get_shared_data(...key, BAD, OUT, OUT)).toBe(bad);
      expect(env.proxy_get_shared_data(...key, OUT, BAD, OUT)).toBe(bad);
      expect(env.proxy_get_shared_data(...key, OUT, OUT, BAD)).toBe(bad);
    });
    expect(kit.allocated).toEqual([]);
  });
});

describe("VmScopes", () => {
  test("keeps data as long as one plugin uses the VM id", () => {
    const scopes = new VmScopes();
    scopes.acquire("vm").data.set("k", bytes("1"), 0);
    const next = scopes.acquire("vm"); // The next generation starts before the last one stops.
    scopes.release("vm");
    expect(next.data.get("k")?.value).toEqual(bytes("1"));
    scopes.release("vm");
    expect(scopes.acquire("vm").data.get("k")).toBeUndefined();
  });

  test("keeps VM ids apart", () => {
    const scopes = new VmScopes();
    scopes.acquire("a").data.set("k", bytes("1"), 0);
    expect(scopes.acquire("b").data.get("k")).toBeUndefined();
  });
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
