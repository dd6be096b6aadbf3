import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { BAD, FakeFilterHost, ScriptedGuest, wire } from "./testing.ts";
import { MapType, Status } from "./types.ts";

const { HttpRequestHeaders, HttpRequestTrailers, HttpResponseHeaders } = MapType;

describe("proxy_add_header_map_value()", () => {
  test("appends a line, spelled as given, beside one of the same name", () => {
    const { change, lines } = open();
    expect(change("add", "X-Added", " one ")).toBe(Status.Ok);
    expect(change("add", "x-added", "two")).toBe(Status.Ok);
    expect(lines()).toEqual([
      ["Accept", "*/*"],
      ["X-Added", "one"],
      ["x-added", "two"],
    ]);
  });
});

describe("proxy_replace_header_map_value()", () => {
  test("replaces all lines of that name by one and keeps its spelling", () => {
    const { change, lines, host } = open();
    host.request.headers.append("accept", "second");
    expect(change("replace", "accept", "text/html")).toBe(Status.Ok);
    expect(lines()).toEqual([["Accept", "text/html"]]);
  });

  test("adds a line that was not there", () => {
    const { change, lines } = open();
    change("replace", "X-New", "1");
    expect(lines()).toContainEqual(["X-New", "1"]);
  });

  test.each([
    { name: ":method", value: "POST", field: "method" },
    { name: ":path", value: "/x?y", field: "target" },
    { name: ":authority", value: "b.example:81", field: "authority" },
    { name: "Host", value: "b.example", field: "authority" },
    { name: ":scheme", value: "https", field: "scheme" },
  ] as const)("sets $name, which is a field of the request", ({ name, value, field }) => {
    const { change, host } = open();
    expect(change("replace", name, value)).toBe(Status.Ok);
    expect(host.request[field]).toBe(value);
    expect(change("add", name, value)).toBe(Status.Ok); // There can be only one.
    expect(host.request.headers.size).toBe(1);
  });

  test("sets :status, which is a field of the response", () => {
    const { change, host } = open();
    host.response = { status: 200, headers: new HeaderList() };
    expect(change("replace", ":status", "418", HttpResponseHeaders)).toBe(Status.Ok);
    expect(host.response.status).toBe(418);
  });
});

describe("proxy_remove_header_map_value()", () => {
  test("drops all lines of that name, and is Ok when there is none", () => {
    const { kit, stream, host, lines } = open();
    host.request.headers.append("ACCEPT", "b");
    kit.within(stream, (env) => {
      expect(env.proxy_remove_header_map_value(0, ...kit.put("aCCept"))).toBe(Status.Ok);
      expect(env.proxy_remove_header_map_value(0, ...kit.put("accept"))).toBe(Status.Ok);
    });
    expect(lines()).toEqual([]);
  });

  test("cannot take away what a request needs", () => {
    const { kit, stream, host } = open();
    for (const name of [":method", ":path", ":authority", "host"]) {
      const remove = kit.within(stream, (env) =>
        env.proxy_remove_header_map_value(0, ...kit.put(name)),
      );
      expect(remove).toBe(Status.Ok);
    }
    expect(host.request).toMatchObject({ method: "GET", authority: "example.com" });
    expect(kit.host.logged).toHaveLength(1);
  });
});

describe("proxy_set_header_map_pairs()", () => {
  test("replaces everything and keeps the spelling of names that were there", () => {
    const { setPairs, lines, host } = open();
    const given = [
      [":path", "/set"],
      ["accept", "a"],
      ["accept", "b"],
      ["X-New", "c"],
    ] as const;
    expect(setPairs(wire(given))).toBe(Status.Ok);
    expect(lines()).toEqual([
      ["Accept", "a"],
      ["Accept", "b"],
      ["X-New", "c"],
    ]);
    expect(host.request.target).toBe("/set");
    expect(host.request.method).toBe("GET"); // Not given, so it stays.
  });

  test("empties the map by no pairs", () => {
    const { setPairs, lines } = open();
    expect(setPairs(new Uint8Array())).toBe(Status.Ok);
    expect(lines()).toEqual([]);
  });

  test("refuses malformed pairs and leaves the map as it was", () => {
    const { setPairs, lines } = open();
    expect(setPairs(Uint8Array.fromHex("0100000001000000"))).toBe(Status.BadArgument);
    expect(lines()).toEqual([["Accept", "*/*"]]);
  });

  test("leaves out the pairs that would break the message", () => {
    const { setPairs, lines } = open();
    const given = [
      ["good", "1"],
      ["bad name", "2"],
      ["bad", "3\r\nevil: 4"],
      [":unknown", "5"],
    ] as const;
    expect(setPairs(wire(given))).toBe(Status.Ok);
    expect(lines()).toEqual([["good", "1"]]);
  });
});

describe("changing header maps, errors", () => {
  test.each([
    { name: "a line break in a value", key: "x", value: "a\r\nevil: yes" },
    { name: "a bare line feed", key: "x", value: "a\nb" },
    { name: "a bare carriage return", key: "x", value: "a\rb" },
    { name: "a NUL in a value", key: "x", value: "a\0b" },
    { name: "a line break in a name", key: "x\r\nevil", value: "1" },
    { name: "a colon in a name", key: "x: y", value: "1" },
    { name: "a blank in a name", key: "x y", value: "1" },
    { name: "no name", key: "", value: "1" },
    { name: "an unknown pseudo header", key: ":protocol", value: "websocket" },
    { name: "a status on a request", key: ":status", value: "200" },
    { name: "a path with a blank", key: ":path", value: "/a HTTP/1.1" },
    { name: "a path with a line break", key: ":path", value: "/\r\nevil: 1" },
    { name: "a path that does not begin with a slash", key: ":path", value: "a" },
    { name: "a method that is no token", key: ":method", value: "GET /" },
    { name: "an authority with a path", key: ":authority", value: "a/b" },
    { name: "a scheme that is none", key: ":scheme", value: "ftp" },
  ])("leaves out $name, with Ok and one warning", ({ key, value }) => {
    const { kit, change, lines, host } = open();
    expect(change("add", key, value)).toBe(Status.Ok);
    expect(change("replace", key, value)).toBe(Status.Ok);
    expect(lines()).toEqual([["Accept", "*/*"]]);
    expect(host.request).toMatchObject({
      method: "GET",
      target: "/a?b=c",
      authority: "example.com",
      scheme: "http",
    });
    expect(kit.host.logged).toHaveLength(1);
    expect(kit.host.logged[0]).toStartWith("warn: Some header lines are left out");
  });

  test("does not leave the client's line when its replacement is refused", () => {
    const { change, host } = open();
    host.request.headers.append("X-User", "spoofed");
    expect(change("replace", "x-user", "alice\r\n")).toBe(Status.Ok);
    expect(host.request.headers.has("x-user")).toBe(false);
  });

  test("ignores changes of a head that has been sent, with Ok and one warning", () => {
    const { kit, change, lines, host } = open();
    host.mutable.request = false;
    expect(change("add", "x", "1")).toBe(Status.Ok);
    expect(change("replace", "accept", "1")).toBe(Status.Ok);
    expect(lines()).toEqual([["Accept", "*/*"]]);
    expect(kit.host.logged).toEqual([expect.stringContaining("Header map 0 cannot be changed")]);
  });

  test.each([HttpResponseHeaders, HttpRequestTrailers, MapType.HttpCallResponseHeaders])(
    "ignores changes of map %p that is not there",
    (type) => {
      const { kit, change } = open();
      expect(change("add", "x", "1", type)).toBe(Status.Ok);
      expect(kit.host.logged).toHaveLength(1);
    },
  );

  test("changes trailers that are there, until the exchange is over", () => {
    const { change, stream, host } = open();
    host.requestTrailers = new HeaderList();
    expect(change("add", "t", "1", HttpRequestTrailers)).toBe(Status.Ok);
    stream.onEnd();
    change("add", "t", "2", HttpRequestTrailers);
    expect([...host.requestTrailers]).toEqual([["t", "1"]]);
  });

  test.each(["Content-Length", "transfer-encoding", "host", "connection", "upgrade"])(
    "leaves %s out of trailers, with Ok and one warning",
    (name) => {
      const { kit, change, host } = open();
      host.requestTrailers = new HeaderList();
      expect(change("add", name, "1", HttpRequestTrailers)).toBe(Status.Ok);
      expect(change("replace", name, "1", HttpRequestTrailers)).toBe(Status.Ok);
      expect(host.requestTrailers.size).toBe(0);
      expect(kit.host.logged).toEqual([expect.stringContaining("are left out")]);
    },
  );

  test("refuses types that do not exist and addresses outside the memory", () => {
    const { kit, stream, lines } = open();
    const bad = Status.InvalidMemoryAccess;
    kit.within(stream, (env) => {
      const key = kit.put("k");
      for (const name of [
        "proxy_add_header_map_value",
        "proxy_replace_header_map_value",
      ] as const) {
        expect(env[name](8, ...key, ...key)).toBe(Status.BadArgument);
        expect(env[name](0, BAD, 1, ...key)).toBe(bad);
        expect(env[name](0, ...key, BAD, 1)).toBe(bad);
        expect(env[name](0, ...key, key[0], -1)).toBe(bad);
      }
      expect(env.proxy_remove_header_map_value(8, ...key)).toBe(Status.BadArgument);
      expect(env.proxy_remove_header_map_value(0, BAD, 1)).toBe(bad);
      expect(env.proxy_set_header_map_pairs(8, 0, 0)).toBe(Status.BadArgument);
      expect(env.proxy_set_header_map_pairs(0, BAD, 4)).toBe(bad);
    });
    expect(lines()).toEqual([["Accept", "*/*"]]);
  });

  test("does not let a guest fill the host's memory with lines", () => {
    const { change, host } = open();
    let added = 0;
    while (change("add", "n", "v") === Status.Ok) added++;
    expect(added).toBe(LIMITS.pairsCountMax - 1);
    host.request.headers.clear();
    const long = "v".repeat(60_000);
    while (change("add", "n", long) === Status.Ok) added++;
    expect(host.request.headers.size * long.length).toBeLessThan(LIMITS.pairsBytesMax);
  });

  test("takes the beginning of a value that is too long for none", () => {
    const { kit, stream, lines } = open();
    kit.memory.grow(32);
    const bytes = new Uint8Array(kit.memory.buffer).fill(0x20, 65_536);
    bytes[65_536] = 0x61;
    kit.within(stream, (env) => {
      const value = [65_536, LIMITS.pairsBytesMax + 1] as const;
      const name = kit.put("n");
      expect(env.proxy_add_header_map_value(0, ...name, ...value)).toBe(Status.BadArgument);
      expect(env.proxy_replace_header_map_value(0, ...name, ...value)).toBe(Status.BadArgument);
    });
    expect(lines()).toEqual([["Accept", "*/*"]]);
  });
});

function open() {
  const kit = new ScriptedGuest();
  const host = new FakeFilterHost();
  const stream = kit.stream(host);
  // One place for names and values: tests that call in a loop must not run out of memory.
  const [at] = kit.put(new Uint8Array(100_000));
  const write = (text: string, ptr: number): [number, number] => {
    Buffer.from(kit.memory.buffer).write(text, ptr, "latin1");
    return [ptr, text.length];
  };
  return {
    kit,
    host,
    stream,
    lines: () => [...host.request.headers],
    change: (
      how: "add" | "replace",
      name: string,
      value: string,
      type: number = HttpRequestHeaders,
    ) =>
      kit.within(stream, (env) =>
        env[`proxy_${how}_header_map_value`](type, ...write(name, at), ...write(value, at + 1000)),
      ),
    setPairs: (bytes: Uint8Array) =>
      kit.within(stream, (env) =>
        env.proxy_set_header_map_pairs(HttpRequestHeaders, ...kit.put(bytes)),
      ),
  };
}

describe("changes of the request's headers", () => {
  const changes: [string, (kit: ScriptedGuest, env: ScriptedGuest["env"], type: number) => void][] =
    [
      ["add", (kit, env, type) => env.proxy_add_header_map_value(type, ...kit.put("a"), 0, 0)],
      [
        "replace",
        (kit, env, type) => env.proxy_replace_header_map_value(type, ...kit.put("a"), 0, 0),
      ],
      ["remove", (kit, env, type) => env.proxy_remove_header_map_value(type, ...kit.put("a"))],
      [
        "set",
        (kit, env, type) => env.proxy_set_header_map_pairs(type, ...kit.put(wire([["a", ""]]))),
      ],
    ];

  test.each(changes)(
    "by %s have the route chosen again, those of the response do not",
    (_, change) => {
      const kit = new ScriptedGuest();
      const host = new FakeFilterHost();
      host.response = { status: 200, headers: new HeaderList() };
      const stream = kit.stream(host);
      kit.within(stream, (env) => change(kit, env, MapType.HttpResponseHeaders));
      expect(host.routeClears).toBe(0);
      kit.within(stream, (env) => change(kit, env, MapType.HttpRequestHeaders));
      expect(host.routeClears).toBe(1);
    },
  );

  test("leave the route alone under route_cache: retain, and when they come too late", () => {
    const host = new FakeFilterHost();
    const retaining = new ScriptedGuest({}, "0.2.1", undefined, { routeCache: "retain" });
    retaining.within(retaining.stream(host), (env) => {
      env.proxy_add_header_map_value(0, ...retaining.put("a"), 0, 0);
    });
    const kit = new ScriptedGuest();
    host.mutable.request = false;
    kit.within(kit.stream(host), (env) => {
      env.proxy_add_header_map_value(0, ...kit.put("a"), 0, 0);
    });
    expect(host.routeClears).toBe(0);
  });
});
