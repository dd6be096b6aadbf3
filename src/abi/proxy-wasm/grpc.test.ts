import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import {
  BAD,
  type FakeFilterHost,
  type FakeGrpc,
  OUT,
  ScriptedGuest,
  unwire,
  wire,
} from "./testing.ts";
import { MapType, Status } from "./types.ts";

/** Callbacks of gRPC, which append what they get to `seen`. */
const CALLBACKS = [
  "proxy_on_grpc_receive_initial_metadata",
  "proxy_on_grpc_receive",
  "proxy_on_grpc_receive_trailing_metadata",
  "proxy_on_grpc_close",
] as const;

const lines = (...pairs: [string, string][]): HeaderList => HeaderList.from(pairs);

describe("proxy_grpc_call()", () => {
  test("hands over target, path, metadata, message and time, and answers with an odd id", () => {
    const { kit, call } = open();
    expect(call({ metadata: [["X-Key", "a"]], message: "hello", timeoutMs: 250 })).toBe(Status.Ok);
    expect(call({})).toBe(Status.Ok);
    expect(kit.u32(OUT)).toBe(3);
    const request = kit.host.grpcs[0]?.request;
    expect(request).toMatchObject({ upstream: "auth", path: "/pkg.Auth/Check", timeoutMs: 250 });
    expect([...(request?.metadata ?? [])]).toEqual([["X-Key", "a"]]);
    expect(Buffer.from(request?.message ?? []).toString()).toBe("hello");
  });

  test("takes Envoy's message in place of the name", () => {
    const { kit, call } = open();
    const envoy = Buffer.from("\x0a\x06\x0a\x04auth");
    const google = Buffer.from("\x12\x14\x0a\x12dns:///a.test:5005");
    expect(call({ upstream: envoy })).toBe(Status.Ok);
    expect(call({ upstream: google, stream: true })).toBe(Status.Ok);
    expect(kit.host.grpcs.map(({ request }) => request.upstream)).toEqual(["auth", "a.test:5005"]);
  });

  test("brings the answer by proxy_on_grpc_receive alone, in the root context", () => {
    const { kit, call, grpc, seen } = open({
      proxy_on_grpc_receive: (...args) => {
        seen.push(args);
        kit.env.proxy_get_buffer_bytes(5, 0, 100, OUT, OUT + 4);
        seen.push(kit.taken().toString());
        kit.env.proxy_get_buffer_status(5, OUT, OUT + 4);
        seen.push(kit.u32(OUT));
        const map = MapType.GrpcReceiveTrailingMetadata;
        kit.env.proxy_get_header_map_value(map, ...kit.put("t"), OUT, OUT + 4);
        seen.push(kit.taken().toString());
        expect(kit.guest.stream).toBeUndefined();
      },
    });
    call({});
    succeed(grpc(), "answer");
    expect(seen).toEqual([[1, 1, 6], "answer", 6, "2"]);
    expect(kit.guest.grpc.size).toBe(0);
    expect(kit.guest.grpc.received).toBeUndefined();
  });

  test("brings an error by proxy_on_grpc_close alone, readable by proxy_get_status", () => {
    const { kit, call, grpc, seen } = open({
      proxy_on_grpc_close: (...args) => {
        kit.env.proxy_get_status(OUT + 8, OUT, OUT + 4);
        seen.push(args, kit.u32(OUT + 8), kit.taken().toString());
        seen.push(kit.env.proxy_grpc_cancel(1));
      },
    });
    call({});
    grpc().events.initialMetadata(lines());
    grpc().events.message(Buffer.from("early"));
    grpc().events.trailingMetadata(lines());
    grpc().events.closed({ code: 7, message: "nö" });
    expect(seen).toEqual([[1, 1, 7], 7, Buffer.from("nö").toString(), Status.NotFound]);
  });

  test.each([0, 2])("is an error of code 13 when %d messages answer it", (count) => {
    const { call, grpc, seen } = open();
    call({});
    for (let n = 0; n < count; n++) grpc().events.message(Buffer.from("a"));
    grpc().events.closed({ code: 0, message: "" });
    expect(seen).toEqual([["proxy_on_grpc_close", 1, 1, 13]]);
  });

  test("lets the guest resume its stream from the callback", () => {
    const { kit, call, grpc, stream } = open({
      proxy_on_grpc_receive: () => {
        expect(kit.env.proxy_set_effective_context(stream.id)).toBe(Status.Ok);
        kit.env.proxy_continue_stream(0);
      },
    });
    call({});
    succeed(grpc(), "");
    expect((stream.host as FakeFilterHost).resumed).toEqual(["request"]);
  });

  test("does not enter a guest that is running", () => {
    const { kit, call, grpc, seen, stream } = open();
    call({});
    kit.within(stream, () => {
      succeed(grpc(), "a");
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([["proxy_on_grpc_receive", 1, 1, 1]]);
  });

  test("says nothing of a call that was cancelled while its answer waited", () => {
    const { kit, call, grpc, seen, stream } = open();
    call({});
    kit.within(stream, (env) => {
      succeed(grpc(), "a");
      expect(env.proxy_grpc_cancel(1)).toBe(Status.Ok);
    });
    expect(seen).toEqual([]);
    expect(grpc().cancelled).toBe(1);
  });
});

describe("proxy_grpc_call() errors", () => {
  test.each([
    { refusal: "unknown", status: Status.ParseFailure, says: "there is no such upstream" },
    { refusal: "denied", status: Status.ParseFailure, says: "denied http_call" },
    { refusal: "overloaded", status: Status.InternalFailure, says: "may be under way" },
  ] as const)("answers $status when the upstream is $refusal, and says why once", (each) => {
    const { call, kit } = open();
    kit.host.refusal = each.refusal;
    expect([call({}), call({}), call({ stream: true })]).toEqual(Array(3).fill(each.status));
    expect(kit.host.logged).toEqual([expect.stringContaining(each.says)]);
    expect(kit.guest.grpc.size).toBe(0);
  });

  test.each([
    { name: "no service", parts: { service: "" } },
    { name: "no method", parts: { method: "" } },
    { name: "a service with a space", parts: { service: "a b" } },
    { name: "a method with a line break", parts: { method: "a\r\nb" } },
    { name: "a service that is too long", parts: { service: "a".repeat(1025) } },
    { name: "a method that is too long", parts: { method: "a".repeat(1025) } },
    { name: "a name that is too long", parts: { upstream: "a".repeat(1025) } },
    { name: "a message of Envoy that is cut off", parts: { upstream: "\x0a\x06\x0a" } },
    { name: "metadata that is malformed", parts: { raw: Buffer.from("\x01\0\0\0\xff") } },
    { name: "metadata that is too long", parts: { metadata: many(17, "v".repeat(4096)) } },
  ])("refuses $name", ({ parts }) => {
    const { call, kit } = open();
    expect(call(parts)).toBe(Status.ParseFailure);
    expect(call({ ...parts, stream: true })).toBe(Status.ParseFailure);
    expect(kit.host.grpcs).toEqual([]);
    expect(kit.host.logged).toHaveLength(1);
  });

  test("refuses a message that is too long, and checks addresses first", () => {
    const { kit, stream } = open();
    const up = kit.put("auth");
    const none = [0, 0] as const;
    kit.memory.grow(LIMITS.grpcMessageBytesMax / LIMITS.pageBytes);
    const { InvalidMemoryAccess, ParseFailure } = Status;
    kit.within(stream, (env) => {
      const send = env.proxy_grpc_call;
      const long = [0, LIMITS.grpcMessageBytesMax + 1] as const;
      expect(send(...up, ...up, ...up, ...none, ...long, 0, OUT)).toBe(ParseFailure);
      for (let at = 0; at < 5; at++) {
        for (const bad of [
          [BAD, 1],
          [1, 0xffff_ffff],
          [-1, -1],
        ] as const) {
          const windows = [up, up, up, none, none].map((each, n) => (n === at ? bad : each)).flat();
          expect(send(...windows, 0, OUT)).toBe(InvalidMemoryAccess);
        }
      }
      expect(send(...up, ...up, ...up, ...none, ...none, 0, BAD)).toBe(InvalidMemoryAccess);
      expect(env.proxy_grpc_stream(...up, ...up, ...up, ...none, BAD)).toBe(InvalidMemoryAccess);
      expect(env.proxy_grpc_stream(...up, ...up, ...up, BAD, 1, OUT)).toBe(InvalidMemoryAccess);
    });
    expect(kit.host.grpcs).toEqual([]);
  });

  test("leaves metadata out that no message can have", () => {
    const { kit, call } = open();
    const metadata: [string, string][] = [
      ["a", "1\r\nb: 2"],
      ["a b", "1"],
      [":path", "/x"],
      ["c", "\xe9"],
      ["d", "1"],
    ];
    expect(call({ metadata })).toBe(Status.Ok);
    expect([...(kit.host.grpcs[0]?.request.metadata ?? [])]).toEqual([["d", "1"]]);
    expect(kit.host.logged).toEqual([
      expect.stringContaining("metadata of a gRPC call is left out"),
    ]);
  });

  test("lets no more calls and streams be under way than the limit", () => {
    const { kit, call, grpc } = open();
    for (let n = 0; n < LIMITS.grpcStreamsMax; n++) {
      expect(call({ stream: n % 2 === 0 })).toBe(Status.Ok);
    }
    expect(call({})).toBe(Status.InternalFailure);
    grpc().events.closed({ code: 0, message: "" });
    expect(call({})).toBe(Status.Ok);
    const ids = kit.host.grpcs.map(({ request }) => request.message === undefined);
    expect(ids.filter(Boolean)).toHaveLength(LIMITS.grpcStreamsMax / 2);
  });

  test("lets no more bytes wait to be sent than the limit", () => {
    const { call, grpc } = open();
    call({ stream: true });
    grpc().unsentBytes = LIMITS.grpcUnsentBytesTotalMax;
    expect(call({ message: "a" })).toBe(Status.InternalFailure);
    grpc().unsentBytes--;
    expect(call({ message: "a" })).toBe(Status.Ok);
  });
});

describe("proxy_grpc_stream()", () => {
  test("brings metadata, messages, trailers and the close, each readable in its callback", () => {
    const maps: unknown[] = [];
    const { kit, call, grpc, seen } = open({
      proxy_on_grpc_receive_initial_metadata: () => {
        kit.env.proxy_get_header_map_pairs(MapType.GrpcReceiveInitialMetadata, OUT, OUT + 4);
        maps.push(unwire(kit.taken()));
      },
      proxy_on_grpc_receive_trailing_metadata: () => {
        kit.env.proxy_get_header_map_pairs(MapType.GrpcReceiveTrailingMetadata, OUT, OUT + 4);
        maps.push(unwire(kit.taken()));
        maps.push(kit.env.proxy_get_buffer_bytes(5, 0, 1, OUT, OUT + 4));
      },
    });
    expect(call({ stream: true })).toBe(Status.Ok);
    expect(kit.u32(OUT)).toBe(2);
    const { events } = grpc();
    events.initialMetadata(lines(["I", "1"]));
    events.message(Buffer.from("ab"));
    events.message(Buffer.from(""));
    events.trailingMetadata(lines(["t", "2"], ["t", "3"]));
    events.closed({ code: 0, message: "OK" });
    expect(seen).toEqual([
      ["proxy_on_grpc_receive", 1, 2, 2],
      ["proxy_on_grpc_receive", 1, 2, 0],
      ["proxy_on_grpc_close", 1, 2, 0],
    ]);
    expect(maps).toEqual([
      [["i", "1"]],
      [
        ["t", "2"],
        ["t", "3"],
      ],
      Status.NotFound,
    ]);
  });

  test("calls proxy_on_grpc_trailing_metadata where the guest exports that", () => {
    const trailing: unknown[] = [];
    const { call, grpc } = open(
      { proxy_on_grpc_trailing_metadata: (...args) => void trailing.push(args) },
      ["proxy_on_grpc_receive_trailing_metadata"],
    );
    call({ stream: true });
    grpc().events.trailingMetadata(lines(["t", "2"]));
    expect(trailing).toEqual([[1, 2, 1]]);
  });

  test("gives several streams ids of their own, all even", () => {
    const { kit, call, grpc, seen } = open();
    const ids = Array.from({ length: 3 }, () => (call({ stream: true }), kit.u32(OUT)));
    expect(ids).toEqual([2, 4, 6]);
    grpc(1).events.message(Buffer.from("x"));
    expect(seen).toEqual([["proxy_on_grpc_receive", 1, 4, 1]]);
  });

  test("ends with a guest that traps, and says nothing to its next life", () => {
    const { kit, call, grpc, seen, trap } = open();
    call({ stream: true });
    call({});
    trap();
    expect(kit.host.grpcs.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
    grpc().events.message(Buffer.from("x"));
    grpc().events.closed({ code: 0, message: "" });
    expect(seen).toEqual([]);
  });

  test("counts as something under way, and begins anew with a life", () => {
    const { kit, call, grpc } = open();
    kit.guest.streams.clear();
    expect(kit.guest.isAtRest).toBe(true);
    call({ stream: true });
    expect(kit.guest.isAtRest).toBe(false);
    kit.guest.grpc.forget();
    expect(kit.guest.isAtRest).toBe(true);
    expect(grpc().cancelled).toBe(1);
    call({ stream: true });
    expect(kit.u32(OUT)).toBe(2);
  });
});

describe("proxy_grpc_send()", () => {
  test("sends messages, and the end of this side", () => {
    const { kit, call, grpc, stream } = open();
    call({ stream: true });
    kit.within(stream, (env) => {
      expect(env.proxy_grpc_send(2, ...kit.put("a"), 0)).toBe(Status.Ok);
      expect(env.proxy_grpc_send(2, 0, 0, 1)).toBe(Status.Ok);
    });
    expect(grpc().sent).toEqual([
      { text: "a", end: false },
      { text: "", end: true },
    ]);
  });

  test("refuses a call, a closed side, what is unknown and what is too much", () => {
    const { kit, call, grpc, stream } = open();
    call({});
    call({ stream: true });
    kit.memory.grow(LIMITS.grpcMessageBytesMax / LIMITS.pageBytes);
    kit.within(stream, (env) => {
      const { BadArgument, InvalidMemoryAccess, NotFound } = Status;
      expect(env.proxy_grpc_send(1, 0, 1, 0)).toBe(BadArgument);
      for (const id of [0, 3, 4, -1, -2]) {
        expect(env.proxy_grpc_send(id, 0, 1, 0)).toBe(NotFound);
      }
      expect(env.proxy_grpc_send(2, BAD, 1, 0)).toBe(InvalidMemoryAccess);
      expect(env.proxy_grpc_send(2, 0, LIMITS.grpcMessageBytesMax + 1, 0)).toBe(BadArgument);
      grpc(1).answer = "ended";
      expect(env.proxy_grpc_send(2, 0, 1, 0)).toBe(BadArgument);
      expect(kit.host.logged).toEqual([]);
      grpc(1).answer = "full";
      expect(env.proxy_grpc_send(2, 0, 1, 0)).toBe(BadArgument);
      grpc(1).answer = "sent";
      grpc(1).unsentBytes = LIMITS.grpcUnsentBytesTotalMax;
      expect(env.proxy_grpc_send(2, 0, 1, 0)).toBe(BadArgument);
      grpc(1).unsentBytes = 0;
      expect(env.proxy_grpc_send(2, 0, 1, 0)).toBe(Status.Ok);
    });
    expect(kit.host.logged).toEqual([expect.stringContaining("too many bytes wait")]);
  });
});

describe("proxy_grpc_cancel() and proxy_grpc_close()", () => {
  test("cancel ends both kinds without another callback", () => {
    const { kit, call, grpc, seen, stream } = open();
    call({});
    call({ stream: true });
    kit.within(stream, (env) => {
      expect(env.proxy_grpc_cancel(1)).toBe(Status.Ok);
      expect(env.proxy_grpc_cancel(2)).toBe(Status.Ok);
      expect(env.proxy_grpc_cancel(2)).toBe(Status.NotFound);
      expect(env.proxy_grpc_close(2)).toBe(Status.NotFound);
      expect(env.proxy_grpc_cancel(0)).toBe(Status.NotFound);
    });
    expect([grpc(0).cancelled, grpc(1).cancelled]).toEqual([1, 1]);
    grpc(1).events.closed({ code: 1, message: "" });
    expect(seen).toEqual([]);
  });

  test("close cancels a call, and only ends this side of a stream", () => {
    const { kit, call, grpc, seen, stream } = open();
    call({});
    call({ stream: true });
    kit.within(stream, (env) => {
      expect(env.proxy_grpc_close(1)).toBe(Status.Ok);
      expect(env.proxy_grpc_close(2)).toBe(Status.Ok);
      expect(env.proxy_grpc_close(99)).toBe(Status.NotFound);
    });
    expect([grpc(0).cancelled, grpc(1).cancelled, grpc(1).finished]).toEqual([1, 0, 1]);
    grpc(1).events.message(Buffer.from("sum"));
    grpc(1).events.closed({ code: 0, message: "" });
    expect(seen).toEqual([
      ["proxy_on_grpc_receive", 1, 2, 3],
      ["proxy_on_grpc_close", 1, 2, 0],
    ]);
  });
});

/** What a node does that answers a unary call well. */
function succeed({ events }: FakeGrpc, answer: string): void {
  events.initialMetadata(lines(["i", "1"]));
  events.message(Buffer.from(answer));
  events.trailingMetadata(lines(["t", "2"]));
  events.closed({ code: 0, message: "OK" });
}

function many(count: number, value: string): [string, string][] {
  return Array.from({ length: count }, (_, at) => [`n${at}`, value]);
}

type Scripts = Record<string, (...args: number[]) => number | void>;

function open(scripts: Scripts = {}, missing: readonly string[] = []) {
  const seen: unknown[] = [];
  const recording = CALLBACKS.filter((name) => !missing.includes(name)).map(
    (name) => [name, (...args: number[]) => void seen.push([name, ...args.slice(0, 3)])] as const,
  );
  const kit: ScriptedGuest = new ScriptedGuest({
    ...Object.fromEntries(recording),
    proxy_on_request_headers: () => {
      throw new Error("on purpose");
    },
    ...Object.fromEntries(
      Object.entries(scripts).map(([name, run]) => [
        name,
        (...args: number[]) => run(...args.slice(0, 3)),
      ]),
    ),
  });
  const stream = kit.stream();
  return {
    kit,
    stream,
    seen,
    grpc: (at = 0): FakeGrpc => kit.host.grpcs[at] as FakeGrpc,
    trap: () => expect(() => stream.onRequestHeaders(true)).toThrow("on purpose"),
    call: (parts: {
      stream?: boolean;
      upstream?: string | Uint8Array;
      service?: string;
      method?: string;
      metadata?: [string, string][];
      raw?: Uint8Array;
      message?: string;
      timeoutMs?: number;
    }): number =>
      kit.within(stream, (env) => {
        const head = [
          ...kit.put(parts.upstream ?? "auth"),
          ...kit.put(parts.service ?? "pkg.Auth"),
          ...kit.put(parts.method ?? "Check"),
          ...kit.put(parts.raw ?? wire(parts.metadata ?? [])),
        ];
        if (parts.stream === true) return env.proxy_grpc_stream(...head, OUT);
        const message = kit.put(parts.message ?? "");
        return env.proxy_grpc_call(...head, ...message, parts.timeoutMs ?? 0, OUT);
      }),
  };
}
