import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { BAD, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";
import { VmScopes } from "./vm-scope.ts";

describe("proxy_set_shared_data()", () => {
  test("sets without a condition by cas 0, and under one by the value's own", () => {
    const { set, get } = open();
    expect(set("k", "1", 77)).toBe(Status.Ok); // Nothing is there: cas is not looked at.
    const { cas } = get("k");
    expect(cas).toBeGreaterThan(0);
    expect(set("k", "2", cas)).toBe(Status.Ok);
    expect(set("k", "3", cas)).toBe(Status.CasMismatch);
    expect(get("k").value).toBe("2");
    expect(set("k", "4", 0)).toBe(Status.Ok);
    expect(get("k").value).toBe("4");
  });

  test("answers InternalFailure when the store is full, and names the error once", () => {
    const { kit, set } = open();
    for (let n = 0; n < LIMITS.sharedDataKeysMax; n++) {
      kit.guest.resources.scope.store.set(bytes(`k${n}`), bytes(""), 0);
    }
    expect(set("one more", "", 0)).toBe(Status.InternalFailure);
    expect(set("one more", "", 0)).toBe(Status.InternalFailure);
    expect(set("k7", "", 0)).toBe(Status.Ok);
    expect(kit.host.logged).toEqual([
      expect.stringMatching(/^warn: Cannot share the value: .*10001 keys.*\[SHARED_DATA_FULL\]$/),
    ]);
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
      const long = kit.put("k".repeat(LIMITS.sharedKeyBytesMax + 1));
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
    scopes.acquire("vm").store.set(bytes("k"), bytes("1"), 0);
    const next = scopes.acquire("vm"); // The next generation starts before the last one stops.
    scopes.release("vm");
    expect(next.store.get(bytes("k"))?.value).toEqual(bytes("1"));
    scopes.release("vm");
    expect(scopes.acquire("vm").store.get(bytes("k"))).toBeUndefined();
  });

  test("keeps VM ids apart", () => {
    const scopes = new VmScopes();
    scopes.acquire("a").store.set(bytes("k"), bytes("1"), 0);
    expect(scopes.acquire("b").store.get(bytes("k"))).toBeUndefined();
  });
});

function open(scopes?: VmScopes) {
  const kit = new ScriptedGuest({}, "0.2.1", scopes);
  return {
    kit,
    set: (key: string, value: string, cas: number) =>
      kit.within(undefined, (env) =>
        env.proxy_set_shared_data(...kit.put(key), ...kit.put(value), cas),
      ),
    get: (key: string) => {
      const status = kit.within(undefined, (env) =>
        env.proxy_get_shared_data(...kit.put(key), OUT, OUT + 4, OUT + 8),
      );
      expect(status).toBe(Status.Ok);
      return { value: kit.taken().toString(), cas: kit.u32(OUT + 8) };
    },
  };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
