import { describe, expect, test } from "bun:test";
import { deflateSync, inflateSync } from "node:zlib";
import { LIMITS } from "../../base/limits.ts";
import { FOREIGN_FUNCTIONS } from "./foreign.ts";
import { BAD, FakeFilterHost, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

describe("proxy_call_foreign_function()", () => {
  test("answers NotFound for a name that there is none of, and logs the first", () => {
    const { kit, call } = open();
    for (const name of ["get_log_level", "", "__proto__", "compress\0"]) {
      expect(call(name, "")).toBe(Status.NotFound);
    }
    expect(kit.host.logged).toEqual(['warn: There is no foreign function "get_log_level"']);
  });

  test.each([
    { out: [0, 0], allocated: 0, length: undefined },
    { out: [0, OUT + 4], allocated: 0, length: 11 },
    { out: [OUT, 0], allocated: 1, length: undefined },
    { out: [OUT, OUT + 4], allocated: 1, length: 11 },
  ] as const)("hands over what the guest wants: $out", ({ out, allocated, length }) => {
    const { kit, stream } = open();
    kit.within(stream, (env) => {
      const args = [...kit.put("compress"), ...kit.put("abc")] as const;
      expect(env.proxy_call_foreign_function(...args, ...out)).toBe(Status.Ok);
    });
    expect(kit.allocated).toHaveLength(allocated);
    if (length !== undefined) expect(kit.u32(OUT + 4)).toBe(length);
    const given = Buffer.from(kit.memory.buffer, kit.u32(OUT), 11);
    if (allocated > 0) expect(inflateSync(given).toString()).toBe("abc");
    expect(kit.u32(0)).toBe(0);
  });

  test("says that there are no bytes where a function has none", () => {
    const { kit, call } = open();
    new DataView(kit.memory.buffer).setBigUint64(OUT, -1n, true);
    expect(call("clear_route_cache", "")).toBe(Status.Ok);
    expect(kit.u64(OUT)).toBe(0n);
  });

  test("answers BadArgument above its bound, for every function", () => {
    const { kit, stream } = open();
    kit.memory.grow(64);
    for (const name of FOREIGN_FUNCTIONS.keys()) {
      const [ptr, length] = kit.put(name);
      const status = kit.within(stream, (env) => {
        const bytes = LIMITS.guestForeignBytesMax + 1;
        return env.proxy_call_foreign_function(ptr, length, 65_536, bytes, OUT, OUT + 4);
      });
      expect(status).toBe(Status.BadArgument);
    }
  });

  test.each([...FOREIGN_FUNCTIONS.keys()])("checks every address for %s", (name) => {
    const { kit, stream } = open();
    kit.within(stream, (env) => {
      const own = kit.put(name);
      const bad = Status.InvalidMemoryAccess;
      const call = env.proxy_call_foreign_function;
      expect(call(BAD, own[1], 0, 0, OUT, OUT)).toBe(bad);
      expect(call(own[0], 0xffff_ffff, 0, 0, OUT, OUT)).toBe(bad);
      expect(call(...own, BAD, 1, OUT, OUT)).toBe(bad);
      expect(call(...own, 64, 0xffff_ffff, OUT, OUT)).toBe(bad);
      expect(call(...own, 0, 0, BAD, OUT)).toBe(bad);
      expect(call(...own, 0, 0, OUT, BAD)).toBe(bad);
    });
    expect(kit.allocated).toEqual([]);
  });

  test("answers InvalidMemoryAccess when the allocator has nothing", () => {
    const kit = new ScriptedGuest({ malloc: () => 0 });
    kit.within(undefined, (env) => {
      const args = [...kit.put("compress"), ...kit.put("a")] as const;
      const bad = Status.InvalidMemoryAccess;
      expect(env.proxy_call_foreign_function(...args, OUT, OUT + 4)).toBe(bad);
      expect(env.proxy_call_foreign_function(...args, OUT, 0)).toBe(bad);
      expect(env.proxy_call_foreign_function(...args, 0, OUT)).toBe(Status.Ok);
    });
  });
});

describe("compress() and uncompress()", () => {
  test.each(["", "a", "text ".repeat(1000)])("are each other's reverse", (text) => {
    const { kit, call } = open();
    expect(call("compress", text)).toBe(Status.Ok);
    const packed = kit.taken();
    expect(inflateSync(packed).toString()).toBe(text);
    expect(call("uncompress", packed)).toBe(Status.Ok);
    expect(kit.taken().toString()).toBe(text);
  });

  test.each([
    { what: "no stream", bytes: Buffer.from("nothing that zlib wrote") },
    { what: "no bytes", bytes: Buffer.alloc(0) },
    { what: "half a stream", bytes: deflateSync("a text of some length").subarray(0, 15) },
    { what: "a wrong sum", bytes: Buffer.from("789c4b4c4a0600000000ff", "hex") },
    { what: "a bomb", bytes: deflateSync(Buffer.alloc(LIMITS.guestInflatedBytesMax + 1)) },
  ])("answer SerializationFailure for $what", ({ bytes }) => {
    const { kit, call } = open();
    expect(call("uncompress", bytes)).toBe(Status.SerializationFailure);
    expect(kit.allocated).toEqual([]);
  });
});

describe("clear_route_cache()", () => {
  test("asks for another choice of the route", () => {
    const { host, call } = open();
    expect(call("clear_route_cache", "")).toBe(Status.Ok);
    expect(host.routeClears).toBe(1);
  });

  test("is Ok outside of an exchange", () => {
    expect(open(false).call("clear_route_cache", "")).toBe(Status.Ok);
  });
});

/** @param inStream whether it calls in the context of an exchange */
function open(inStream = true) {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  const stream = inStream ? kit.stream(host) : undefined;
  const call = (name: string, argument: string | Uint8Array): number =>
    kit.within(stream, (env) =>
      env.proxy_call_foreign_function(...kit.put(name), ...kit.put(argument), OUT, OUT + 4),
    );
  return { kit, host, stream, call };
}
