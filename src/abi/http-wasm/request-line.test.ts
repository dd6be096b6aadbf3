import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { FakeFilterHost } from "../proxy-wasm/testing.ts";
import { BAD, BUF, HUGE, type HttpHandler, ScriptedHttpGuest } from "./testing.ts";

describe("get_method(), get_uri()", () => {
  test("hand over method and target", () => {
    const { scripted, run } = started();
    run((http) => expect(scripted.text(http.get_method(BUF, 64))).toBe("GET"));
    const next = started();
    next.run((http) => expect(next.scripted.text(http.get_uri(BUF, 64))).toBe("/a?b=c"));
  });

  test("write nothing above the limit, and tell the length", () => {
    const { scripted, run } = started();
    scripted.blank();
    run((http) => {
      expect(http.get_uri(BUF, 5)).toBe(6);
      expect(http.get_method(BAD, 2)).toBe(3);
    });
    expect(scripted.text(6)).toBe("??????");
  });

  test("can be read in handle_response", () => {
    const { scripted, host } = started();
    host.response = { status: 200, headers: new HeaderList() };
    const exchange = scripted.exchange(host);
    scripted.response(exchange, (http) =>
      expect(scripted.text(http.get_uri(BUF, 9))).toBe("/a?b=c"),
    );
    expect(scripted.responses).toHaveLength(1);
  });

  test.each(["get_method", "get_uri", "get_protocol_version"] as const)(
    "%s traps when the buffer lies outside of the memory",
    (name) => {
      const { run } = started();
      expect(() => run((http) => http[name](BAD, HUGE))).toThrow("outside of the memory");
    },
  );

  test.each(["get_method", "get_uri", "set_method", "set_uri"] as const)(
    "%s traps while the guest is being started",
    (name) => {
      const { scripted } = started();
      expect(() => scripted.http[name](BUF, 1)).toThrow(`Cannot call ${name} outside of a request`);
    },
  );
});

describe("set_method()", () => {
  test("changes the method and has the route chosen again", () => {
    const { scripted, host, run } = started();
    run((http) => http.set_method(...scripted.put("POST")));
    expect(host.request.method).toBe("POST");
    expect(host.routeClears).toBe(1);
  });

  test.each(["", "A B", "GET\r\nX: y", "GET\0", "G".repeat(LIMITS.requestMethodBytesMax + 1)])(
    "traps on %j",
    (method) => {
      const { scripted, host, run } = started();
      expect(() => run((http) => http.set_method(...scripted.put(method)))).toThrow("Cannot");
      expect(host.request.method).toBe("GET");
    },
  );

  test.each([
    [BAD, 4],
    [0, HUGE],
  ])("traps on an address outside of the memory: %d, %d", (ptr, byteLength) => {
    const { run } = started();
    expect(() => run((http) => http.set_method(ptr, byteLength))).toThrow("outside of the memory");
  });
});

describe("set_uri()", () => {
  test("changes the target and has the route chosen again", () => {
    const { scripted, host, run } = started();
    run((http) => http.set_uri(...scripted.put("/x?y=%20")));
    expect(host.request.target).toBe("/x?y=%20");
    expect(host.routeClears).toBe(1);
  });

  test("keeps the route under route_cache: retain", () => {
    const scripted = new ScriptedHttpGuest({ routeCache: "retain" });
    const host = new FakeFilterHost();
    scripted.request(scripted.exchange(host), (http) => http.set_uri(...scripted.put("/x")));
    expect(host.request.target).toBe("/x");
    expect(host.routeClears).toBe(0);
  });

  test("takes nothing for the root", () => {
    const { host, run } = started();
    run((http) => http.set_uri(0, 0));
    expect(host.request.target).toBe("/");
  });

  test.each(["x", "/a b", "/a\r\nX: y", "/\0", "http://other/", `/${"x".repeat(8192)}`])(
    "traps on %p",
    (uri) => {
      const { scripted, host, run } = started();
      expect(() => run((http) => http.set_uri(...scripted.put(uri)))).toThrow("Cannot");
      expect(host.request.target).toBe("/a?b=c");
    },
  );

  test("traps on an address outside of the memory", () => {
    const { run } = started();
    expect(() => run((http) => http.set_uri(BAD, 64))).toThrow("outside of the memory");
  });

  test.each(["set_uri", "set_method"] as const)("%s traps in handle_response", (name) => {
    const { scripted, host } = started();
    host.response = { status: 200, headers: new HeaderList() };
    const exchange = scripted.exchange(host);
    expect(() => scripted.response(exchange, (http) => http[name](...scripted.put("/")))).toThrow(
      "the request has been sent",
    );
  });
});

describe("get_protocol_version()", () => {
  test.each([
    { known: "HTTP/1.1", says: "HTTP/1.1" },
    { known: "HTTP/2", says: "HTTP/2.0" },
    { known: undefined, says: "HTTP/1.1" },
  ])("says $says for $known", ({ known, says }) => {
    const { scripted, host, run } = started();
    if (known !== undefined) host.properties.set("request.protocol", known);
    run((http) => expect(scripted.text(http.get_protocol_version(BUF, 64))).toBe(says));
  });
});

describe("get_source_addr()", () => {
  test("hands over address and port", () => {
    const { scripted, host, run } = started();
    host.properties.set("source.address", "[::1]:5678");
    run((http) => expect(scripted.text(http.get_source_addr(BUF, 64))).toBe("[::1]:5678"));
  });

  test("is empty when nobody knows it, and traps outside of the memory", () => {
    const first = started();
    first.run((http) => expect(http.get_source_addr(BAD, HUGE)).toBe(0));
    const second = started();
    second.host.properties.set("source.address", "1.2.3.4:5");
    expect(() => second.run((http) => http.get_source_addr(BAD, 64))).toThrow("outside");
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
