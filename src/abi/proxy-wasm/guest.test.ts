import { describe, expect, test } from "bun:test";
import { assert, AssertionError } from "../../base/assert.ts";
import { HeaderList } from "../../http/headers.ts";
import { GuestMemory } from "../../wasm/guest-memory.ts";
import type { Metered } from "../../wasm/sandbox/metered.ts";
import { FakeFilterHost, OUT, ScriptedGuest } from "./testing.ts";
import { Status } from "./types.ts";

const PAGE = 65_536;

describe("Guest.give()", () => {
  test.each([
    { name: "address 0", ptr: 0 },
    { name: "an address outside the memory", ptr: 0xffff_fff0 },
    { name: "the same as the signed number that arrives", ptr: -16 },
    { name: "memory that ends too early", ptr: 16 * PAGE - 3 },
  ])("answers InvalidMemoryAccess when the allocator lies: $name", ({ ptr }) => {
    const kit = new ScriptedGuest({ malloc: () => ptr });
    const status = kit.within(kit.stream(), (env) =>
      env.proxy_get_header_map_pairs(0, OUT, OUT + 4),
    );
    expect(status).toBe(Status.InvalidMemoryAccess);
    expect(kit.u32(OUT)).toBe(0);
    expect(kit.guest.failure).toBeUndefined();
  });

  test("answers InvalidMemoryAccess when the allocator answers nothing", () => {
    const kit = new ScriptedGuest({ malloc: () => undefined });
    const status = kit.within(kit.stream(), (env) =>
      env.proxy_get_header_map_pairs(0, OUT, OUT + 4),
    );
    expect(status).toBe(Status.InvalidMemoryAccess);
  });

  test("prefers proxy_on_memory_allocate to malloc", () => {
    const kit = new ScriptedGuest({ proxy_on_memory_allocate: () => 5000 });
    kit.within(kit.stream(), (env) => env.proxy_get_header_map_pairs(0, OUT, OUT + 4));
    expect(kit.u32(OUT)).toBe(5000);
    expect(kit.allocated).toEqual([]);
  });

  test("follows the memory when the allocator lets it grow", () => {
    const kit: ScriptedGuest = new ScriptedGuest({
      malloc: () => kit.memory.grow(1) * PAGE,
    });
    const status = kit.within(kit.stream(), (env) =>
      env.proxy_get_header_map_pairs(0, OUT, OUT + 4),
    );
    expect(status).toBe(Status.Ok);
    expect(kit.u32(OUT)).toBe(16 * PAGE);
    expect(kit.taken().toString("latin1")).toContain(":method\0GET\0");
  });

  test("poisons the guest when its allocator traps, even if the guest survives it", () => {
    const kit: ScriptedGuest = new ScriptedGuest({
      malloc: () => {
        throw new WebAssembly.RuntimeError("Unreachable");
      },
      proxy_on_request_headers: () => {
        try {
          kit.env.proxy_get_header_map_pairs(0, OUT, OUT + 4);
        } catch {
          // As a guest with exception handling could do.
        }
        return 0;
      },
    });
    expect(() => kit.stream().onRequestHeaders(true)).toThrow("failed: trap: Unreachable");
  });

  test("never asks for nothing: Go's allocator panics on it", () => {
    const kit = new ScriptedGuest();
    const host = new FakeFilterHost();
    host.request.headers.append("empty", "");
    host.properties.set("empty", "");
    host.hold("request", "");
    kit.within(kit.stream(host), (env) => {
      const { Ok } = Status;
      expect(env.proxy_get_header_map_pairs(2, OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_header_map_value(0, ...kit.put("empty"), OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_buffer_bytes(0, 0, 9, OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_buffer_bytes(7, 0, 9, OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_property(...kit.put("empty"), OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_status(OUT + 8, OUT, OUT + 4)).toBe(Ok);
      expect(env.proxy_get_configuration(OUT, OUT + 4)).toBe(Ok);
    });
    expect(kit.allocated).toEqual([]);
  });
});

describe("Guest.call()", () => {
  test("refuses to enter a guest that is running", () => {
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_request_headers: () => {
        kit.stream();
        return 0;
      },
      proxy_on_context_create: () => 0,
    });
    const first = kit.stream();
    expect(() => first.onRequestHeaders(true)).toThrow("it is running");
  });

  test("refuses to enter a guest while another one runs, and no longer", () => {
    let isOtherRunning = true;
    const metered: Metered = {
      enter: () => assert(!isOtherRunning, "another one runs"),
      leave: () => ({ ms: 0, over: undefined }),
      expired: () => false,
    };
    const kit = new ScriptedGuest();
    const ticked: number[] = [];
    const exports = { proxy_on_tick: (root: number) => ticked.push(root) };
    kit.guest.attach(new GuestMemory(kit.memory), exports as never, metered);
    expect(() => kit.guest.call("proxy_on_tick", undefined, 1)).toThrow("another one runs");
    expect(kit.guest.running).toBe(false);
    isOtherRunning = false;
    kit.guest.call("proxy_on_tick", undefined, 1);
    expect(ticked).toEqual([1]);
  });

  test("runs what was deferred in order, also what that defers in turn", () => {
    const order: number[] = [];
    const kit = new ScriptedGuest();
    kit.within(undefined, () => {
      kit.guest.defer(() => {
        order.push(2);
        kit.guest.defer(() => order.push(4));
      });
      kit.guest.defer(() => order.push(3));
      order.push(1);
    });
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test("lets a deferred action enter the guest again", () => {
    const order: string[] = [];
    const kit = new ScriptedGuest({ proxy_on_log: () => void order.push("log") });
    kit.within(undefined, () => {
      kit.guest.defer(() => kit.guest.call("proxy_on_log", undefined, 1));
      order.push("tick");
    });
    expect(order).toEqual(["tick", "log"]);
  });

  test.each([
    {
      name: "a full stack",
      error: new RangeError("Maximum call stack size exceeded."),
      says: "stack overflow",
    },
    {
      name: "a fault of our own",
      error: new TypeError("oops"),
      says: "host function failed: oops",
    },
    { name: "an assertion", error: new AssertionError("broken"), says: "broken" },
  ])("poisons the guest after $name", ({ error, says }) => {
    const kit = new ScriptedGuest({
      proxy_on_request_headers: () => {
        throw error;
      },
    });
    expect(() => kit.stream().onRequestHeaders(true)).toThrow(says);
    expect(kit.guest.failure?.code).toBe("FILTER_FAILED");
  });

  test("poisons a guest that catches what a host function has thrown, and goes on", () => {
    const host = new FakeFilterHost();
    host.body = () => {
      throw new TypeError("the chain is broken");
    };
    const kit: ScriptedGuest = new ScriptedGuest({
      proxy_on_request_body: () => {
        try {
          kit.env.proxy_get_buffer_bytes(0, 0, 1, OUT, OUT + 4);
        } catch {
          // As a guest with exception handling could do.
        }
        return 0;
      },
    });
    const stream = kit.stream(host);
    expect(() => stream.onRequestBody(1, true)).toThrow("host function failed");
  });
});

describe("host functions outside of callbacks", () => {
  test("refuse to work while the guest allocates, but for the log and the clock", () => {
    const answers: number[] = [];
    const kit: ScriptedGuest = new ScriptedGuest({
      malloc: () => {
        const { env } = kit;
        answers.push(
          env.proxy_log(2, 0, 0),
          env.proxy_get_current_time_nanoseconds(OUT + 16),
          env.proxy_get_header_map_pairs(0, OUT, OUT + 4),
          env.proxy_send_local_response(200, 0, 0, 0, 0, 0, 0, -1),
          env.proxy_set_effective_context(1),
          env.proxy_set_tick_period_milliseconds(1),
        );
        return 8192;
      },
    });
    kit.within(kit.stream(), (env) => env.proxy_get_header_map_pairs(0, OUT, OUT + 4));
    const refused = Status.InternalFailure;
    expect(answers).toEqual([0, 0, refused, refused, refused, refused]);
    expect(kit.u32(OUT)).toBe(8192);
  });

  test("refuse to work before there is a context", () => {
    const kit = new ScriptedGuest();
    const { env } = kit;
    const body = (): number => {
      expect(env.proxy_log(2, ...kit.put("hello"))).toBe(Status.Ok);
      expect(env.proxy_get_buffer_bytes(7, 0, 1, OUT, OUT + 4)).toBe(Status.InternalFailure);
      expect(env.proxy_done()).toBe(Status.InternalFailure);
      return 0;
    };
    kit.guest.enter("_initialize", undefined, body, { ms: 1000, word: "limits.start" });
    expect(kit.host.logged).toEqual(["info: hello"]);
  });
});

describe("Guest.print()", () => {
  test("makes log lines; what has no line end is a line when the guest returns", () => {
    const kit = new ScriptedGuest();
    kit.within(undefined, () => {
      kit.guest.print(1, "one\ntw");
      kit.guest.print(2, "bad");
      kit.guest.print(1, "o");
    });
    expect(kit.host.logged).toEqual(["info: one", "info: two", "error: bad"]);
  });
});

describe("Guest.stop()", () => {
  test("cancels call-outs and keeps the first reason", () => {
    const kit = new ScriptedGuest({
      proxy_on_log: () => {
        throw new WebAssembly.RuntimeError("first");
      },
    });
    kit.guest.callOuts.send({
      upstream: "a",
      method: "GET",
      authority: "a",
      target: "/",
      headers: new HeaderList(),
      body: new Uint8Array(),
      trailers: new HeaderList(),
      timeoutMs: 0,
    });
    expect(() => kit.guest.call("proxy_on_log", undefined, 1)).toThrow("first");
    expect(kit.host.cancelled).toBe(1);
    expect(() => kit.guest.call("proxy_on_tick", undefined, 1)).toThrow("first");
  });
});
