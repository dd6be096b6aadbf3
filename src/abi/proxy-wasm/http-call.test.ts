import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { BAD, FakeFilterHost, OUT, ScriptedGuest, unwire, wire } from "./testing.ts";
import { MapType, Status } from "./types.ts";

const HEAD = [
  [":method", "POST"],
  [":path", "/check?a"],
  [":authority", "auth.local"],
] as const;

describe("proxy_http_call()", () => {
  test("sends what the guest hands over, and answers with a token", () => {
    const { kit, call } = open();
    const lines = [...HEAD, ["X-Key", "secret"], ["x-bad", "a\r\nb"]] as const;
    expect(call({ lines, body: "hello", trailers: [["t", "1"]], timeoutMs: 250 })).toBe(Status.Ok);
    expect(kit.u32(OUT)).toBe(1);
    const request = kit.host.calls[0]?.request;
    expect(request).toMatchObject({
      upstream: "auth",
      method: "POST",
      target: "/check?a",
      authority: "auth.local",
      timeoutMs: 250,
    });
    expect([...(request?.headers ?? [])]).toEqual([["X-Key", "secret"]]);
    expect([...(request?.trailers ?? [])]).toEqual([["t", "1"]]);
    expect(Buffer.from(request?.body ?? []).toString()).toBe("hello");
  });

  test("gives every call a token of its own, never 0", () => {
    const { kit, call } = open();
    const tokens = Array.from({ length: 5 }, () => (call({}), kit.u32(OUT)));
    expect(tokens).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes `host` for :authority", () => {
    const { kit, call } = open();
    const lines = [...HEAD.slice(0, 2), ["Host", "h.local"]] as [string, string][];
    expect(call({ lines })).toBe(Status.Ok);
    expect(kit.host.calls[0]?.request.authority).toBe("h.local");
  });

  test("brings the answer later, to the root context, readable from every context", () => {
    const seen: unknown[] = [];
    const { kit, call, stream } = open({
      proxy_on_http_call_response: (...args) => {
        seen.push(args);
        const { env } = kit;
        env.proxy_get_header_map_pairs(MapType.HttpCallResponseHeaders, OUT, OUT + 4);
        seen.push(unwire(kit.taken()));
        env.proxy_get_buffer_bytes(4, 0, 100, OUT, OUT + 4);
        seen.push(kit.taken().toString());
        expect(env.proxy_set_effective_context(stream.id)).toBe(Status.Ok);
        env.proxy_get_header_map_value(
          MapType.HttpCallResponseTrailers,
          ...kit.put("t"),
          OUT,
          OUT + 4,
        );
        seen.push(kit.taken().toString());
        env.proxy_continue_stream(0);
      },
    });
    call({});
    expect(seen).toEqual([]);
    kit.host.calls[0]?.done({
      status: 201,
      headers: HeaderList.from([["X-A", "1"]]),
      body: Buffer.from("body"),
      trailers: HeaderList.from([["T", "2"]]),
    });
    expect(seen).toEqual([
      [1, 1, 2, 4, 1],
      [
        [":status", "201"],
        ["x-a", "1"],
      ],
      "body",
      "2",
    ]);
    expect((stream.host as FakeFilterHost).resumed).toEqual(["request"]);
  });

  test("takes answer, maps and body away when the callback has returned", () => {
    const { kit, call } = open();
    call({});
    kit.host.calls[0]?.done(answer());
    expect(kit.guest.answer).toBeUndefined();
  });

  test("tells a call without an answer by three zeros, and why by proxy_get_status", () => {
    const seen: unknown[] = [];
    const { kit, call } = open({
      proxy_on_http_call_response: (...args) => {
        seen.push(args);
        const { env } = kit;
        const map = MapType.HttpCallResponseHeaders;
        seen.push(env.proxy_get_header_map_value(map, ...kit.put(":status"), OUT, OUT + 4));
        seen.push(env.proxy_get_buffer_bytes(4, 0, 100, OUT, OUT + 4));
        env.proxy_get_status(OUT + 8, OUT, OUT + 4);
        seen.push(kit.u32(OUT + 8), kit.taken().toString());
      },
    });
    call({});
    kit.host.calls[0]?.done({ error: "connection refused" });
    const { NotFound } = Status;
    expect(seen).toEqual([[1, 1, 0, 0, 0], NotFound, NotFound, 11, "connection refused"]);
  });

  test("drops an answer that comes after the guest has been stopped", () => {
    let called = 0;
    const { kit, call, trap } = open({ proxy_on_http_call_response: () => void called++ });
    call({});
    trap();
    expect(kit.host.cancelled).toBe(1);
    kit.host.calls[0]?.done(answer());
    expect(called).toBe(0);
  });

  test("does not enter a guest that is running: an answer waits for its return", () => {
    const order: string[] = [];
    const { kit, call, stream } = open({
      proxy_on_http_call_response: () => void order.push("answer"),
    });
    call({});
    kit.within(stream, () => {
      kit.host.calls[0]?.done(answer());
      order.push("callback");
    });
    expect(order).toEqual(["callback", "answer"]);
  });
});

describe("proxy_http_call() errors", () => {
  test.each([":method", ":path", ":authority"])("refuses a call without %s", (missing) => {
    const { call, kit } = open();
    expect(call({ lines: HEAD.filter(([name]) => name !== missing) })).toBe(Status.BadArgument);
    expect(kit.host.calls).toEqual([]);
  });

  test("refuses to ask for a tunnel", () => {
    const { call, kit } = open();
    const lines = [[":method", "CONNECT"], ...HEAD.slice(1)] as [string, string][];
    expect(call({ lines })).toBe(Status.BadArgument);
    expect(kit.host.calls).toEqual([]);
  });

  test.each([
    { refusal: "unknown", status: Status.BadArgument, says: "there is no such upstream" },
    { refusal: "denied", status: Status.BadArgument, says: "denied http_call" },
    { refusal: "overloaded", status: Status.InternalFailure, says: "may wait for an answer" },
  ] as const)("answers $status when the upstream is $refusal, and says why once", (each) => {
    const { call, kit } = open();
    kit.host.refusal = each.refusal;
    expect(call({})).toBe(each.status);
    expect(call({})).toBe(each.status);
    expect(kit.host.logged).toEqual([expect.stringContaining(each.says)]);
    expect(kit.host.logged[0]).toContain('"auth"');
    expect(kit.guest.callOuts.size).toBe(0);
  });

  test("lets no more calls wait than the limit", () => {
    const { call, kit } = open();
    for (let n = 0; n < LIMITS.callOutsInFlightMax; n++) expect(call({})).toBe(Status.Ok);
    expect(call({})).toBe(Status.InternalFailure);
    kit.host.calls[0]?.done(answer());
    expect(call({})).toBe(Status.Ok);
  });

  test("lets no more bytes wait than the limit", () => {
    const { kit, stream } = open();
    const bytes = 15 * 65_536; // Most of the guest's memory.
    let sent = 0;
    const send = (): number =>
      kit.within(stream, (env) => env.proxy_http_call(...up, ...head, 0, bytes, 0, 0, 0, OUT));
    const up = kit.put("auth");
    const head = kit.put(wire(HEAD));
    while (send() === Status.Ok) sent++;
    expect(sent).toBe(Math.floor(LIMITS.callOutBytesInFlightMax / bytes));
    kit.host.calls[0]?.done(answer());
    expect(send()).toBe(Status.Ok);
    kit.guest.callOuts.cancelAll();
    expect(send()).toBe(Status.Ok);
  });

  test("counts what waits of headers and trailers, too", () => {
    const { kit, stream, call } = open();
    const long = ["x-long", "y".repeat(100_000)] as const;
    const up = kit.put("auth");
    const head = kit.put(wire([...HEAD, long]));
    const trailers = kit.put(wire([long]));
    const send = (): number =>
      kit.within(stream, (env) => env.proxy_http_call(...up, ...head, 0, 0, ...trailers, 0, OUT));
    let sent = 0;
    while (send() === Status.Ok) sent++;
    expect(sent).toBe(Math.floor(LIMITS.callOutBytesInFlightMax / 200_012));
    kit.host.calls[0]?.done(answer());
    expect(call({})).toBe(Status.Ok);
  });

  test("checks every address before anything is sent", () => {
    const { kit, stream } = open();
    kit.within(stream, (env) => {
      const up = kit.put("auth");
      const head = kit.put(wire(HEAD));
      const none = [0, 0] as const;
      const bad = [BAD, 1] as const;
      const send = env.proxy_http_call;
      const { InvalidMemoryAccess } = Status;
      expect(send(...bad, ...head, ...none, ...none, 0, OUT)).toBe(InvalidMemoryAccess);
      expect(send(...up, ...bad, ...none, ...none, 0, OUT)).toBe(InvalidMemoryAccess);
      expect(send(...up, ...head, ...bad, ...none, 0, OUT)).toBe(InvalidMemoryAccess);
      expect(send(...up, ...head, ...none, ...bad, 0, OUT)).toBe(InvalidMemoryAccess);
      expect(send(...up, ...head, ...none, ...none, 0, BAD)).toBe(InvalidMemoryAccess);
      expect(send(...up, head[0], 9, ...none, ...none, 0, OUT)).toBe(Status.BadArgument);
      expect(send(...up, ...head, ...none, head[0], 9, 0, OUT)).toBe(Status.BadArgument);
    });
    expect(kit.host.calls).toEqual([]);
  });
});

describe("proxy_get_status() errors", () => {
  test("checks its addresses", () => {
    const { kit, stream } = open();
    kit.within(stream, (env) => {
      expect(env.proxy_get_status(BAD, OUT, OUT)).toBe(Status.InvalidMemoryAccess);
      expect(env.proxy_get_status(OUT, BAD, OUT)).toBe(Status.InvalidMemoryAccess);
    });
  });
});

function answer() {
  return { status: 200, headers: new HeaderList(), body: new Uint8Array(), trailers: undefined };
}

function open(scripts: Record<string, (...args: number[]) => number | void> = {}) {
  const kit: ScriptedGuest = new ScriptedGuest({
    ...scripts,
    proxy_on_request_headers: () => {
      throw new Error("on purpose");
    },
  });
  const stream = kit.stream();
  const up = kit.put("auth");
  return {
    kit,
    stream,
    trap: () => expect(() => stream.onRequestHeaders(true)).toThrow("on purpose"),
    call: (parts: {
      lines?: readonly (readonly [string, string])[];
      body?: string;
      trailers?: readonly (readonly [string, string])[];
      timeoutMs?: number;
    }): number =>
      kit.within(stream, (env) =>
        env.proxy_http_call(
          ...up,
          ...kit.put(wire(parts.lines ?? HEAD)),
          ...kit.put(parts.body ?? ""),
          ...kit.put(parts.trailers === undefined ? "" : wire(parts.trailers)),
          parts.timeoutMs ?? 0,
          OUT,
        ),
      ),
  };
}
