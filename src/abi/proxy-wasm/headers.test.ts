import { describe, expect, test } from "bun:test";
import { HeaderList } from "../../http/headers.ts";
import { BAD, FakeFilterHost, OUT, ScriptedGuest, unwire } from "./testing.ts";
import { MapType, Status } from "./types.ts";

const { HttpRequestHeaders, HttpRequestTrailers, HttpResponseHeaders } = MapType;
const REQUEST_PAIRS = [
  [":method", "GET"],
  [":path", "/a?b=c"],
  [":authority", "example.com"],
  [":scheme", "http"],
];

describe("proxy_get_header_map_pairs()", () => {
  test("puts pseudo headers first and names in lower case", () => {
    const { kit, stream, host } = open();
    host.request.headers.append("X-Mixed-Case", "Value");
    expect(pairs(kit, stream, HttpRequestHeaders)).toEqual([
      ...REQUEST_PAIRS,
      ["accept", "*/*"],
      ["x-mixed-case", "Value"],
    ] as [string, string][]);
  });

  test("keeps repeated lines apart and in order", () => {
    const { kit, stream, host } = open();
    host.response = { status: 404, headers: new HeaderList() };
    host.response.headers.append("Set-Cookie", "a=1");
    host.response.headers.append("X", "y");
    host.response.headers.append("set-cookie", "b=2");
    expect(pairs(kit, stream, HttpResponseHeaders)).toEqual([
      [":status", "404"],
      ["set-cookie", "a=1"],
      ["x", "y"],
      ["set-cookie", "b=2"],
    ]);
  });

  test("shows a change at once, of a line and of a pseudo header", () => {
    const { kit, stream, host } = open();
    pairs(kit, stream, HttpRequestHeaders);
    host.request.headers.set("accept", "text/html");
    expect(pairs(kit, stream, HttpRequestHeaders)).toContainEqual(["accept", "text/html"]);
    host.request.target = "/new";
    expect(pairs(kit, stream, HttpRequestHeaders)).toContainEqual([":path", "/new"]);
  });

  test.each([
    { name: "a response that is not there yet", type: HttpResponseHeaders },
    { name: "trailers that are not there", type: HttpRequestTrailers },
    { name: "metadata of gRPC", type: MapType.GrpcReceiveInitialMetadata },
    { name: "headers of no call-out", type: MapType.HttpCallResponseHeaders },
  ])("answers $name with no bytes, and allocates none", ({ type }) => {
    const { kit, stream } = open();
    expect(pairs(kit, stream, type)).toEqual([]);
    expect(kit.allocated).toEqual([]);
    expect(kit.u32(OUT)).toBe(0);
  });

  test("follows a response that has been replaced by a local reply", () => {
    const { kit, stream, host } = open();
    host.response = { status: 200, headers: new HeaderList() };
    expect(pairs(kit, stream, HttpResponseHeaders)).toEqual([[":status", "200"]]);
    host.response = { status: 403, headers: new HeaderList() };
    expect(pairs(kit, stream, HttpResponseHeaders)).toEqual([[":status", "403"]]);
  });
});

describe("proxy_get_header_map_value()", () => {
  test.each([
    { key: "accept", value: "*/*" },
    { key: "ACCEPT", value: "*/*" },
    { key: ":path", value: "/a?b=c" },
    { key: ":method", value: "GET" },
    { key: ":scheme", value: "http" },
    { key: ":authority", value: "example.com" },
    { key: "host", value: "example.com" },
    { key: "empty", value: "" },
    { key: "twice", value: "first" },
  ])("reads $key", ({ key, value }) => {
    const { kit, stream, host } = open();
    host.request.headers.append("empty", "");
    host.request.headers.append("twice", "first");
    host.request.headers.append("twice", "second");
    const status = kit.within(stream, (env) =>
      env.proxy_get_header_map_value(HttpRequestHeaders, ...kit.put(key), OUT, OUT + 4),
    );
    expect(status).toBe(Status.Ok);
    expect(kit.taken().toString("latin1")).toBe(value);
  });

  test.each([
    { abi: "0.2.1", status: Status.NotFound },
    { abi: "0.2.0", status: Status.NotFound },
    { abi: "0.1.0", status: Status.Ok },
  ] as const)("answers $status for a missing line in ABI $abi", ({ abi, status }) => {
    const kit = new ScriptedGuest({}, abi);
    new DataView(kit.memory.buffer).setUint32(OUT, 77, true);
    const answer = kit.within(kit.stream(), (env) =>
      env.proxy_get_header_map_value(HttpRequestHeaders, ...kit.put("nope"), OUT, OUT + 4),
    );
    expect(answer).toBe(status);
    expect(kit.u32(OUT)).toBe(status === Status.Ok ? 0 : 77);
  });

  test.each([HttpResponseHeaders, HttpRequestTrailers, MapType.HttpCallResponseHeaders])(
    "answers NotFound when map %p is not there: Rust's SDK panics on anything else",
    (type) => {
      const { kit, stream } = open();
      const status = kit.within(stream, (env) =>
        env.proxy_get_header_map_value(type, ...kit.put("a"), OUT, OUT + 4),
      );
      expect(status).toBe(Status.NotFound);
    },
  );

  test("hands bytes above 0x7f through", () => {
    const { kit, stream, host } = open();
    host.request.headers.append("b", "\x80\xff\xe9");
    kit.within(stream, (env) =>
      env.proxy_get_header_map_value(HttpRequestHeaders, ...kit.put("b"), OUT, OUT + 4),
    );
    expect(kit.taken().toHex()).toBe("80ffe9");
  });

  test("knows no pseudo headers of the other direction, nor in trailers", () => {
    const { kit, stream, host } = open();
    host.requestTrailers = HeaderList.from([["a", "b"]]);
    const read = (type: number, key: string): number =>
      kit.within(stream, (env) =>
        env.proxy_get_header_map_value(type, ...kit.put(key), OUT, OUT + 4),
      );
    expect(read(HttpRequestHeaders, ":status")).toBe(Status.NotFound);
    expect(read(HttpRequestTrailers, ":path")).toBe(Status.NotFound);
    expect(read(HttpRequestTrailers, "a")).toBe(Status.Ok);
  });
});

describe("proxy_get_header_map_size()", () => {
  test("adds up the bytes of names and values", () => {
    const { kit, stream } = open();
    kit.within(stream, (env) => env.proxy_get_header_map_size(HttpRequestHeaders, OUT));
    const texts = [...REQUEST_PAIRS, ["accept", "*/*"]].flat();
    expect(kit.u32(OUT)).toBe(texts.join("").length);
  });

  test("is 0 for a map that is not there", () => {
    const { kit, stream } = open();
    kit.within(stream, (env) => env.proxy_get_header_map_size(HttpResponseHeaders, OUT));
    expect(kit.u32(OUT)).toBe(0);
  });
});

describe("reading header maps, errors", () => {
  test("refuses map types that do not exist", () => {
    const { kit, stream } = open();
    for (const type of [8, 99, -1]) {
      kit.within(stream, (env) => {
        const key = kit.put("a");
        expect(env.proxy_get_header_map_pairs(type, OUT, OUT + 4)).toBe(Status.BadArgument);
        expect(env.proxy_get_header_map_size(type, OUT)).toBe(Status.BadArgument);
        expect(env.proxy_get_header_map_value(type, ...key, OUT, OUT + 4)).toBe(Status.BadArgument);
      });
    }
  });

  test("checks every address before anything is allocated", () => {
    const { kit, stream } = open();
    kit.within(stream, (env) => {
      const bad = Status.InvalidMemoryAccess;
      const key = kit.put("accept");
      expect(env.proxy_get_header_map_pairs(0, BAD, OUT)).toBe(bad);
      expect(env.proxy_get_header_map_pairs(0, OUT, BAD)).toBe(bad);
      expect(env.proxy_get_header_map_size(0, BAD)).toBe(bad);
      expect(env.proxy_get_header_map_value(0, BAD, 6, OUT, OUT)).toBe(bad);
      expect(env.proxy_get_header_map_value(0, key[0], -1, OUT, OUT)).toBe(bad);
      expect(env.proxy_get_header_map_value(0, ...key, BAD, OUT)).toBe(bad);
      expect(env.proxy_get_header_map_value(0, ...key, OUT, BAD)).toBe(bad);
    });
    expect(kit.allocated).toEqual([]);
  });
});

function open() {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  return { kit, host, stream: kit.stream(host) };
}

function pairs(kit: ScriptedGuest, stream: ReturnType<typeof kit.stream>, type: number) {
  const status = kit.within(stream, (env) => env.proxy_get_header_map_pairs(type, OUT, OUT + 4));
  expect(status).toBe(Status.Ok);
  return unwire(kit.taken());
}
