import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { FakeFilterHost } from "../proxy-wasm/testing.ts";
import {
  BAD,
  BUF,
  halves,
  HUGE,
  type HttpHandler,
  NEEDS_ALL,
  ScriptedHttpGuest,
} from "./testing.ts";
import { Feature, HeaderKind } from "./types.ts";

const { Request, Response, RequestTrailers, ResponseTrailers } = HeaderKind;

describe("get_header_names()", () => {
  test("lists each name once, in lower case, host among them", () => {
    const { scripted, host, run } = started();
    host.request.headers.append("X-A", "1");
    host.request.headers.append("x-a", "2");
    run((http) => {
      const result = http.get_header_names(Request, BUF, 1024);
      expect(halves(result)).toEqual([3, 16]);
      expect(scripted.text(result)).toBe("host\0accept\0x-a\0");
    });
  });

  test("writes nothing above the limit, and tells count and length", () => {
    const { scripted, run } = started();
    scripted.blank();
    run((http) => {
      expect(halves(http.get_header_names(Request, BUF, 11))).toEqual([2, 12]);
      expect(halves(http.get_header_names(Request, BAD, 0))).toEqual([2, 12]);
    });
    expect(scripted.text(4)).toBe("????");
  });

  test("is empty for a response to come, and for trailers without the feature", () => {
    const { run } = started();
    run((http) => {
      for (const kind of [Response, RequestTrailers, ResponseTrailers]) {
        expect(http.get_header_names(kind, BAD, HUGE)).toBe(0n);
      }
    });
  });

  test.each([4, -1, 0x7fff_ffff])("traps on kind %d", (kind) => {
    const { run } = started();
    expect(() => run((http) => http.get_header_names(kind, BUF, 64))).toThrow(`of kind ${kind}`);
  });

  test("traps on a buffer outside of the memory", () => {
    const { run } = started();
    expect(() => run((http) => http.get_header_names(Request, BAD, HUGE))).toThrow("outside");
  });
});

describe("get_header_values()", () => {
  test("hands over all values, whatever the name's case", () => {
    const { scripted, host, run } = started();
    host.request.headers.append("Cookie", "a=1");
    host.request.headers.append("cookie", "");
    run((http) => {
      const name = scripted.put("COOKIE");
      const result = http.get_header_values(Request, ...name, BUF, 64);
      expect(halves(result)).toEqual([2, 5]);
      expect(scripted.text(result)).toBe("a=1\0\0");
    });
  });

  test("knows Host, and no pseudo headers", () => {
    const { scripted, run } = started();
    run((http) => {
      const host = http.get_header_values(Request, ...scripted.put("Host"), BUF, 64);
      expect(scripted.text(host)).toBe("example.com\0");
      expect(http.get_header_values(Request, ...scripted.put(":path"), BUF, 64)).toBe(0n);
    });
  });

  test("says 0 for what is not there, and the length for what is too long", () => {
    const { scripted, run } = started();
    run((http) => {
      expect(http.get_header_values(Request, ...scripted.put("nope"), BAD, HUGE)).toBe(0n);
      const accept = scripted.put("accept");
      expect(halves(http.get_header_values(Request, ...accept, BAD, 3))).toEqual([1, 4]);
    });
  });

  test("traps on an empty name, and on addresses outside of the memory", () => {
    expect(() => once((http) => http.get_header_values(Request, 0, 0, BUF, 64))).toThrow(
      "without a name",
    );
    expect(() => once((http) => http.get_header_values(Request, BAD, 64, BUF, 64))).toThrow(
      "outside",
    );
    expect(() => once((http) => http.get_header_values(Request, 0, HUGE, BUF, 64))).toThrow(
      "outside",
    );
    expect(() => once((http) => http.get_header_values(9, 0, 1, BUF, 64))).toThrow("of kind 9");
  });
});

describe("set_header_value(), add_header_value(), remove_header()", () => {
  test("change the request's lines and have the route chosen again", () => {
    const { scripted, host, run } = started();
    const put = (text: string) => scripted.put(text);
    run((http) => {
      http.set_header_value(Request, ...put("Accept"), ...put("a/b"));
      http.add_header_value(Request, ...put("Accept"), ...put("c/d"));
      http.add_header_value(Request, ...put("gone"), ...put("x"));
      http.remove_header(Request, ...put("GONE"));
      http.remove_header(Request, ...put("never-was"));
    });
    expect([...host.request.headers]).toEqual([
      ["Accept", "a/b"],
      ["Accept", "c/d"],
    ]);
    expect(host.routeClears).toBe(5);
  });

  test("take an empty value from anywhere", () => {
    const { scripted, host, run } = started();
    run((http) => http.set_header_value(Request, ...scripted.put("Accept"), BAD, 0));
    expect([...host.request.headers]).toEqual([["Accept", ""]]);
  });

  test("change Host, which is the authority and stays one", () => {
    const { scripted, host, run } = started();
    const put = (text: string) => scripted.put(text);
    run((http) => {
      http.set_header_value(Request, ...put("host"), ...put("other:80"));
      http.add_header_value(Request, ...put("Host"), ...put("bad host"));
      http.remove_header(Request, ...put("host"));
    });
    expect(host.request.authority).toBe("other:80");
    expect(host.request.headers.has("host")).toBe(false);
    expect(scripted.host.logged).toEqual([expect.stringContaining("left out")]);
  });

  test.each([
    { name: "x", value: "a\r\nInjected: 1" },
    { name: "x", value: "a\0b" },
    { name: "x y", value: "a" },
    { name: "x:", value: "a" },
    { name: "x\n", value: "a" },
    { name: ":path", value: "/" },
  ])("leave out $name: $value and do not trap", ({ name, value }) => {
    const { scripted, host, run } = started();
    run((http) => {
      http.set_header_value(Request, ...scripted.put(name), ...scripted.put(value));
      http.add_header_value(Request, ...scripted.put(name), ...scripted.put(value));
    });
    expect([...host.request.headers]).toEqual([["Accept", "*/*"]]);
    expect(scripted.host.logged).toHaveLength(1);
  });

  test("trap on an empty name", () => {
    for (const name of ["set_header_value", "add_header_value", "remove_header"] as const) {
      expect(() => once((http) => http[name](Request, 0, 0, 0, 0))).toThrow("without a name");
    }
  });

  test("trap on addresses outside of the memory, and on kinds that do not exist", () => {
    for (const name of ["set_header_value", "add_header_value", "remove_header"] as const) {
      expect(() => once((http) => http[name](Request, BAD, 64, 0, 0))).toThrow("outside");
      expect(() => once((http) => http[name](Request, 0, HUGE, 0, 0))).toThrow("outside");
      expect(() => once((http) => http[name](4, 0, 1, 0, 0))).toThrow("of kind 4");
      expect(() => once((http) => http[name](-1, 0, 1, 0, 0))).toThrow("of kind -1");
    }
    for (const name of ["set_header_value", "add_header_value"] as const) {
      expect(() => once((http) => http[name](Request, 0, 1, 0, HUGE))).toThrow("outside");
      expect(() => once((http) => http[name](Request, 0, 1, BAD, 64))).toThrow("outside");
    }
  });

  test("trap when there are too many lines, or one is too long", () => {
    const { scripted, host, run } = started();
    for (let n = 1; n < LIMITS.pairsCountMax; n++) host.request.headers.append("x", "y");
    const name = scripted.put("x");
    expect(() => run((http) => http.add_header_value(Request, ...name, ...name))).toThrow(
      `${LIMITS.pairsCountMax} lines`,
    );
    const long = started();
    new Uint8Array(long.scripted.memory.buffer).fill(0x78, 8192);
    const value = [8192, long.scripted.memory.buffer.byteLength - 8192] as const;
    expect(() =>
      long.run((http) => http.set_header_value(Request, ...long.scripted.put("x"), ...value)),
    ).toThrow(`${LIMITS.pairsBytesMax} bytes are the limit`);
  });

  test("trap in handle_response for the request, and for the response without its feature", () => {
    for (const kind of [Request, Response]) {
      const { scripted, host } = started();
      host.response = { status: 200, headers: new HeaderList() };
      const exchange = scripted.exchange(host);
      const line = scripted.put("x");
      expect(() =>
        scripted.response(exchange, (http) => http.set_header_value(kind, ...line, ...line)),
      ).toThrow(kind === Request ? "the request has been sent" : "feature buffer_response");
    }
  });

  test("change the response in handle_response with buffer_response", () => {
    const { scripted, host } = started();
    host.response = { status: 200, headers: HeaderList.from([["A", "1"]]) };
    scripted.http.enable_features(Feature.BufferResponse);
    const put = (text: string) => scripted.put(text);
    scripted.response(scripted.exchange(host), (http) => {
      expect(scripted.text(http.get_header_names(Response, BUF, 64))).toBe("a\0");
      http.remove_header(Response, ...put("a"));
      http.set_header_value(Response, ...put("Host"), ...put("is no pseudo header here"));
    });
    expect([...host.response.headers]).toEqual([["Host", "is no pseudo header here"]]);
    expect(host.routeClears).toBe(0);
  });
});

describe("response headers in handle_request", () => {
  test("are laid over the response: set ones replace, added ones stand beside", () => {
    const { scripted, host } = started();
    const exchange = scripted.exchange(host);
    const put = (text: string) => scripted.put(text);
    scripted.request(exchange, (http) => {
      http.set_header_value(Response, ...put("Server"), ...put("mine"));
      http.add_header_value(Response, ...put("Vary"), ...put("a"));
      http.set_header_value(Response, ...put("gone"), ...put("x"));
      http.remove_header(Response, ...put("gone"));
      expect(scripted.text(http.get_header_names(Response, BUF, 64))).toBe("server\0vary\0");
    });
    const headers = [
      ["server", "theirs"],
      ["Vary", "b"],
      ["Gone", "stays"],
    ] as const;
    host.response = { status: 200, headers: HeaderList.from(headers) };
    scripted.response(exchange, () => {});
    expect([...host.response.headers]).toEqual([
      ["Vary", "b"],
      ["Gone", "stays"],
      ["Server", "mine"],
      ["Vary", "a"],
    ]);
  });
});

describe("trailers", () => {
  test("cannot be changed without the feature", () => {
    for (const kind of [RequestTrailers, ResponseTrailers]) {
      expect(() => once((http) => http.set_header_value(kind, 0, 1, 0, 0))).toThrow(
        "without the feature trailers",
      );
    }
  });

  test("of a request are there with its end, and can be made", () => {
    const { scripted, host } = started();
    scripted.http.enable_features(Feature.Trailers);
    const exchange = scripted.exchange(host, NEEDS_ALL);
    host.requestTrailers = HeaderList.from([["A", "1"]]);
    host.hold("request", "body");
    const put = (text: string) => scripted.put(text);
    scripted.handle({
      onRequest: (http) => {
        expect(scripted.text(http.get_header_names(RequestTrailers, BUF, 64))).toBe("a\0");
        http.set_header_value(RequestTrailers, ...put("B"), ...put("2"));
      },
    });
    expect(exchange.onRequestHeaders(false)).toBe("pause-stream");
    expect(exchange.onRequestBody(4, false)).toBe("pause");
    expect(exchange.onRequestTrailers()).toBe("continue");
    expect([...host.requestTrailers]).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
  });

  test("of a response that handle_request has made stand beside those that it brings", () => {
    const { scripted, host } = started();
    scripted.http.enable_features(Feature.Trailers);
    const exchange = scripted.exchange(host, NEEDS_ALL);
    const line = scripted.put("x");
    scripted.request(exchange, (http) => http.add_header_value(ResponseTrailers, ...line, ...line));
    host.response = { status: 200, headers: new HeaderList() };
    host.responseTrailers = HeaderList.from([["a", "1"]]);
    exchange.onResponseHeaders(false);
    expect(exchange.onResponseBody(4, false)).toBe("continue");
    expect(exchange.onResponseTrailers()).toBe("continue");
    expect([...host.responseTrailers]).toEqual([
      ["a", "1"],
      ["x", "x"],
    ]);
  });

  test("take no lines that say where a message ends", () => {
    const { scripted, host } = started();
    scripted.http.enable_features(Feature.Trailers);
    const exchange = scripted.exchange(host, NEEDS_ALL);
    const line = scripted.put("Content-Length");
    scripted.request(
      exchange,
      (http) => http.add_header_value(ResponseTrailers, ...line, 0, 1),
      0n,
    );
    expect(host.replies[0]?.trailers).toBeUndefined();
    expect(scripted.host.logged).toEqual([expect.stringContaining("left out")]);
  });

  test("of a response that handle_request has made come with its end", () => {
    const { scripted, host } = started();
    scripted.http.enable_features(Feature.Trailers);
    const exchange = scripted.exchange(host, NEEDS_ALL);
    const line = scripted.put("x");
    scripted.request(exchange, (http) => http.add_header_value(ResponseTrailers, ...line, ...line));
    host.response = { status: 200, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(false)).toBe("continue");
    expect(exchange.onResponseBody(4, false)).toBe("continue");
    expect(host.responseTrailers).toBeUndefined();
    expect(exchange.onResponseBody(4, true)).toBe("continue");
    expect([...(host.responseTrailers ?? [])]).toEqual([["x", "x"]]);
  });

  test("of a response can be changed in handle_response with both features", () => {
    const { scripted, host } = started();
    scripted.http.enable_features(Feature.Trailers | Feature.BufferResponse);
    const exchange = scripted.exchange(host, NEEDS_ALL);
    scripted.request(exchange, () => {});
    host.response = { status: 200, headers: new HeaderList() };
    host.responseTrailers = HeaderList.from([["grpc-status", "0"]]);
    host.hold("response", "body");
    const put = (text: string) => scripted.put(text);
    scripted.handle({
      onResponse: (http) => {
        expect(scripted.text(http.get_header_names(ResponseTrailers, BUF, 64))).toBe(
          "grpc-status\0",
        );
        http.set_header_value(ResponseTrailers, ...put("grpc-status"), ...put("7"));
      },
    });
    expect(exchange.onResponseHeaders(false)).toBe("pause-stream");
    expect(exchange.onResponseBody(4, false)).toBe("pause");
    expect(exchange.onResponseTrailers()).toBe("continue");
    expect([...host.responseTrailers]).toEqual([["grpc-status", "7"]]);
  });
});

function started() {
  const scripted = new ScriptedHttpGuest();
  const host = new FakeFilterHost();
  const exchange = scripted.exchange(host);
  return {
    scripted,
    host,
    run: (script: (http: HttpHandler) => void) => scripted.request(exchange, script),
  };
}

function once(script: (http: HttpHandler) => void): void {
  started().run(script);
}
