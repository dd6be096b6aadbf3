import { describe, expect, test } from "bun:test";
import { HeaderList } from "../../http/headers.ts";
import { FakeFilterHost } from "../proxy-wasm/testing.ts";
import { BUF, type HttpHandler, NEEDS_ALL, ScriptedHttpGuest } from "./testing.ts";
import { BodyKind, Feature } from "./types.ts";

describe("handle_request", () => {
  test("runs once, with the head, when nobody reads the body", () => {
    const { scripted, exchange } = started();
    let runs = 0;
    scripted.handle({ onRequest: () => void runs++ });
    expect(exchange.onRequestHeaders(false)).toBe("continue");
    expect(runs).toBe(1);
  });

  test("waits for the whole body when the guest reads it, with the head held", () => {
    const { scripted, exchange } = started(NEEDS_ALL);
    let runs = 0;
    scripted.handle({ onRequest: () => void runs++ });
    expect(exchange.onRequestHeaders(false)).toBe("pause-stream");
    expect(exchange.onRequestBody(3, false)).toBe("pause");
    expect(runs).toBe(0);
    expect(exchange.onRequestBody(6, true)).toBe("continue");
    expect(runs).toBe(1);
    expect(exchange.onRequestBody(6, true)).toBe("continue");
    expect(runs).toBe(1);
  });

  test("does not wait for a body that there is not", () => {
    const { scripted, exchange } = started(NEEDS_ALL);
    let runs = 0;
    scripted.handle({ onRequest: () => void runs++ });
    expect(exchange.onRequestHeaders(true)).toBe("continue");
    expect(runs).toBe(1);
  });

  test.each([1n, (7n << 32n) | 1n, 2n, 0xffff_ffffn])("goes on when it answers %p", (result) => {
    const { scripted, host, exchange } = started();
    expect(scripted.request(exchange, () => {}, result)).toBe("continue");
    expect(host.replies).toEqual([]);
  });

  test.each([0n, 7n << 32n])("replies when it answers %p", (result) => {
    const { scripted, host, exchange } = started();
    const action = scripted.request(
      exchange,
      (http) => {
        http.set_status_code(401);
        http.set_header_value(1, ...scripted.put("WWW-Authenticate"), ...scripted.put("Basic"));
        http.write_body(BodyKind.Response, ...scripted.put("no "));
        http.write_body(BodyKind.Response, ...scripted.put("entry"));
      },
      result,
    );
    expect(action).toBe("pause");
    expect(host.replies).toHaveLength(1);
    const [reply] = host.replies;
    expect(reply?.status).toBe(401);
    expect([...(reply?.headers ?? [])]).toEqual([["WWW-Authenticate", "Basic"]]);
    expect(Buffer.from(reply?.body ?? []).toString()).toBe("no entry");
  });

  test("replies with 200 and nothing when it has made nothing", () => {
    const { scripted, host, exchange } = started();
    scripted.request(exchange, () => {}, 0n);
    expect(host.replies[0]).toMatchObject({ status: 200, body: new Uint8Array(0) });
    // The reply passes the filter that has made it.
    host.response = { status: 200, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(true)).toBe("continue");
    expect(scripted.responses).toEqual([]);
  });

  test("replies with trailers, too", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL, Feature.Trailers);
    const line = scripted.put("x");
    scripted.request(exchange, (http) => http.set_header_value(3, ...line, ...line), 0n);
    expect([...(host.replies[0]?.trailers ?? [])]).toEqual([["x", "x"]]);
  });

  test("says that its reply came too late", () => {
    const { scripted, host, exchange } = started();
    host.localReply({
      status: 204,
      headers: new HeaderList(),
      body: new Uint8Array(),
      details: "",
    });
    scripted.request(exchange, () => {}, 0n);
    expect(scripted.host.logged).toEqual([expect.stringContaining("no effect")]);
  });
});

describe("handle_response", () => {
  test("runs once, with the number that handle_request has given to the exchange", () => {
    const { scripted, host, exchange } = started();
    scripted.request(exchange, () => {}, (0xffff_fffen << 32n) | 1n);
    host.response = { status: 200, headers: new HeaderList() };
    exchange.onResponseHeaders(false);
    exchange.onResponseHeaders(false);
    expect(scripted.responses).toEqual([[-2, 0]]);
  });

  test("does not run for a response that came before handle_request", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL);
    exchange.onRequestHeaders(false);
    host.response = { status: 413, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(true)).toBe("continue");
    expect(scripted.responses).toEqual([]);
  });

  test.each([
    { details: "UPSTREAM_RESET", isError: 1 },
    { details: "via_upstream", isError: 0 },
    { details: "http_wasm_response", isError: 0 },
    { details: undefined, isError: 0 },
  ])("is told $isError of a response that is there for $details", ({ details, isError }) => {
    const { scripted, host, exchange } = started();
    host.response = { status: 502, headers: new HeaderList() };
    if (details !== undefined) host.properties.set("response.code_details", details);
    scripted.response(exchange, () => {});
    expect(scripted.responses).toEqual([[0, isError]]);
  });

  test("does not wait for the body without buffer_response", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL);
    scripted.request(exchange, () => {});
    host.response = { status: 200, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(false)).toBe("continue");
    expect(exchange.onResponseBody(4, false)).toBe("continue");
    expect(exchange.onResponseBody(4, true)).toBe("continue");
    expect(scripted.responses).toHaveLength(1);
  });

  test("has handle_request enable buffer_response for its exchange", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL);
    scripted.request(exchange, (http) => void http.enable_features(Feature.BufferResponse));
    host.response = { status: 200, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(false)).toBe("pause-stream");
    expect(scripted.responses).toEqual([]);
    expect(exchange.onResponseBody(4, true)).toBe("continue");
    expect(scripted.responses).toHaveLength(1);
  });

  test.each(["text/event-stream", " TEXT/event-stream; charset=utf-8"])(
    "does not hold %s back, whatever is enabled",
    (type) => {
      const { scripted, host, exchange } = started(NEEDS_ALL, Feature.BufferResponse);
      scripted.request(exchange, () => {});
      const headers = HeaderList.from([["Content-Type", type]]);
      host.response = { status: 200, headers };
      scripted.handle({
        onResponse: (http) => {
          expect(http.read_body(BodyKind.Response, BUF, 64)).toBe(1n << 32n);
          http.set_header_value(1, ...scripted.put("x"), ...scripted.put("y"));
        },
      });
      expect(exchange.onResponseHeaders(false)).toBe("continue");
      expect(headers.get("x")).toBe("y");
      expect(scripted.host.logged).toEqual([expect.stringContaining("event streams")]);
    },
  );

  test("reads and replaces the body that handle_request has given to the response", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL, Feature.BufferResponse);
    scripted.request(exchange, (http) => http.write_body(1, ...scripted.put("early")));
    host.response = { status: 200, headers: HeaderList.from([["Content-Encoding", "gzip"]]) };
    scripted.handle({
      onResponse: (http) => {
        expect(scripted.text(http.read_body(BodyKind.Response, BUF, 64))).toBe("early");
        expect(Buffer.from(host.bodiesSet.response ?? []).toString()).toBe("early");
        http.write_body(BodyKind.Response, ...scripted.put("late"));
      },
    });
    expect(exchange.onResponseHeaders(false)).toBe("continue");
    expect(Buffer.from(host.bodiesSet.response ?? []).toString()).toBe("late");
    expect(host.response.headers.size).toBe(0);
  });

  test("sends trailers behind a body that the guest has given to the response", () => {
    const { scripted, host, exchange } = started(NEEDS_ALL, Feature.Trailers);
    const set = (http: HttpHandler, name: string): void => {
      const line = scripted.put(name);
      http.set_header_value(3, ...line, ...line);
    };
    scripted.request(exchange, (http) => {
      set(http, "a");
      http.enable_features(Feature.BufferResponse);
      http.write_body(1, ...scripted.put("early"));
    });
    host.response = { status: 200, headers: new HeaderList() };
    scripted.handle({ onResponse: (http) => set(http, "b") });
    exchange.onResponseHeaders(false);
    expect([...(host.trailersSet.response ?? [])]).toEqual([
      ["a", "a"],
      ["b", "b"],
    ]);
  });
});

describe("onEnd()", () => {
  test("runs nothing in the guest, once or twice", () => {
    const { scripted, exchange } = started();
    scripted.request(exchange, () => {});
    expect(scripted.guest.callers).toBe(1);
    exchange.onEnd();
    exchange.onEnd();
    expect(scripted.guest.callers).toBe(0);
    expect(scripted.responses).toEqual([]);
  });
});

function started(needs?: typeof NEEDS_ALL, features = 0) {
  const scripted = new ScriptedHttpGuest();
  const host = new FakeFilterHost();
  scripted.http.enable_features(features);
  return { scripted, host, exchange: scripted.exchange(host, needs) };
}
