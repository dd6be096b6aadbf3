import { describe, expect, spyOn, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { signature } from "../signature.ts";
import { HOST_FUNCTION_SIGNATURES, type HostFunctionName } from "./signatures.ts";
import { FakeFilterHost, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

const NAMES = Object.keys(HOST_FUNCTION_SIGNATURES) as HostFunctionName[];
const STATUSES: readonly number[] = Object.values(Status);

describe("hostFunctions()", () => {
  test("implements every function of the signature table, and nothing else", () => {
    expect(Object.keys(new ScriptedGuest().env).toSorted()).toEqual(NAMES.toSorted());
  });

  test("knows no foreign functions of other hosts, and says once which one was asked for", () => {
    const kit = new ScriptedGuest();
    kit.within(kit.stream(), (env) => {
      const name = kit.put("resolve_lua");
      expect(env.proxy_call_foreign_function(...name, 0, 0, 0, 0)).toBe(Status.NotFound);
      expect(env.proxy_call_foreign_function(...name, 0, 0, 0, 0)).toBe(Status.NotFound);
    });
    expect(kit.host.logged).toEqual(['warn: There is no foreign function "resolve_lua"']);
  });

  test("gives C++ guests their two functions", () => {
    const { env } = new ScriptedGuest();
    expect([env.pthread_equal(1, 1), env.pthread_equal(1, 2)]).toEqual([1, 0]);
    expect(env.emscripten_notify_memory_growth(0)).toBeUndefined();
  });
});

describe("hostFunctions() errors", () => {
  // Numbers that a hostile guest would try: borders of the memory, of i32 and of the enumerations.
  const HOSTILE = [0, 1, 4, 8, 99, 65_535, 1_048_572, 1_048_577, 0x7fff_ffff, -1, -4, -0x8000_0000];

  test.each(NAMES)("%s answers a status to whatever numbers it gets", (name) => {
    const { params, results } = signature(HOST_FUNCTION_SIGNATURES[name]);
    const kit = new ScriptedGuest();
    const host = new FakeFilterHost();
    host.hold("request", "body");
    const stream = kit.stream(host);
    const random = seeded(name.length);
    for (let round = 0; round < 400; round++) {
      const args = params.map((type) => {
        const value = HOSTILE[random(HOSTILE.length)] as number;
        return type === "i64" ? BigInt(value) : value;
      });
      const status = kit.within(stream, (env) => env[name](...args));
      if (results.length > 0) expect(STATUSES).toContain(status);
    }
    kit.guest.rootEvents.stop();
    expect(kit.guest.failure).toBeUndefined();
  });

  test("make no text of a whole memory that is passed as a name", () => {
    const kit = new ScriptedGuest();
    const whole = [0, 1_048_576] as const;
    new Uint8Array(kit.memory.buffer).fill(0x61);
    const longest = spyOn(Buffer.prototype, "toString");
    kit.within(kit.stream(), (env) => {
      expect(env.proxy_get_property(...whole, 64, 68)).toBe(Status.NotFound);
      expect(env.proxy_set_property(...whole, 0, 0)).toBe(Status.BadArgument);
      expect(env.proxy_define_metric(0, ...whole, 64)).toBe(Status.BadArgument);
      expect(env.proxy_get_shared_data(...whole, 64, 68, 72)).toBe(Status.NotFound);
      expect(env.proxy_set_shared_data(...whole, 0, 0, 0)).toBe(Status.BadArgument);
      expect(env.proxy_register_shared_queue(...whole, 64)).toBe(Status.BadArgument);
      expect(env.proxy_resolve_shared_queue(...whole, ...whole, 64)).toBe(Status.NotFound);
      expect(env.proxy_call_foreign_function(...whole, 0, 0, 64, 68)).toBe(Status.NotFound);
    });
    const lengths = longest.mock.calls.map(([, from, to]) => Number(to) - Number(from));
    longest.mockRestore();
    // Keys of shared data and names of queues are never text at all.
    expect(lengths.length).toBeGreaterThanOrEqual(5);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(4 * LIMITS.guestNameBytesMax);
  });

  test.each(NAMES)("%s answers where there is no exchange", (name) => {
    const { params } = signature(HOST_FUNCTION_SIGNATURES[name]);
    const kit = new ScriptedGuest();
    const args = params.map((type) => (type === "i64" ? 0n : 0));
    kit.within(undefined, (env) => env[name](...args));
    expect(kit.guest.failure).toBeUndefined();
  });
});

/** The same numbers in every run (a linear congruence), so that a failure comes back. */
function seeded(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}
