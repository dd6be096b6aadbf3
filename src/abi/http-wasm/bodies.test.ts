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
import { BodyKind, Feature } from "./types.ts";

const { Request, Response } = BodyKind;

describe("read_body()", () => {
  test("goes on from where the last call has ended, and tells the end", () => {
    const { scripted, withRequest } = started();
    withRequest("hello", (http) => {
      const pieces = [1, 2, 3].map(() => {
        const result = http.read_body(Request, BUF, 2);
        return [halves(result)[0], scripted.text(result)];
      });
      expect(pieces).toEqual([
        [0, "he"],
        [0, "ll"],
        [1, "o"],
      ]);
      expect(halves(http.read_body(Request, BUF, 2))).toEqual([1, 0]);
    });
  });

  test("writes no more than the limit", () => {
    const { scripted, withRequest } = started();
    scripted.blank();
    withRequest("hello", (http) => http.read_body(Request, BUF, 3));
    expect(scripted.text(5)).toBe("hel??");
  });

  test("is at the end at once where there is no body", () => {
    const { scripted, host } = started();
    scripted.request(scripted.exchange(host), (http) => {
      expect(halves(http.read_body(Request, BUF, 64))).toEqual([1, 0]);
      expect(halves(http.read_body(Response, BUF, 64))).toEqual([1, 0]);
    });
  });

  test.each([
    { name: "an empty buffer", args: [Request, BUF, 0], says: "a buffer of 0 bytes" },
    { name: "a bad address", args: [Request, BAD, 64], says: "outside of the memory" },
    { name: "a length near 2^32", args: [Request, BUF, HUGE], says: "outside of the memory" },
    { name: "an unknown kind", args: [2, BUF, 64], says: "of kind 2" },
    { name: "a negative kind", args: [-1, BUF, 64], says: "of kind -1" },
  ])("traps on $name", ({ args, says }) => {
    const { withRequest } = started();
    expect(() => withRequest("hello", (http) => http.read_body(...args))).toThrow(says);
  });

  test("in handle_response begins anew with the request, with buffer_request", () => {
    const { scripted, host, exchange, withRequest } = started(Feature.BufferRequest);
    withRequest("hello", (http) => http.read_body(Request, BUF, 4));
    delete host.bodies.request;
    host.response = { status: 200, headers: new HeaderList() };
    scripted.response(exchange, (http) => {
      expect(scripted.text(http.read_body(Request, BUF, 64))).toBe("hello");
    });
    expect(scripted.responses).toHaveLength(1);
  });

  test("traps in handle_response without the features", () => {
    for (const [kind, word] of [
      [Request, "buffer_request"],
      [Response, "buffer_response"],
    ] as const) {
      const { scripted, host, exchange, withRequest } = started();
      withRequest("hello", () => {});
      host.response = { status: 200, headers: new HeaderList() };
      expect(() => scripted.response(exchange, (http) => http.read_body(kind, BUF, 4))).toThrow(
        `without the feature ${word}`,
      );
    }
  });
});

describe("write_body()", () => {
  test("replaces the body at first and adds to it then", () => {
    const { scripted, host, withRequest } = started();
    withRequest("hello", (http) => {
      http.write_body(Request, ...scripted.put("a"));
      http.write_body(Request, ...scripted.put("bc"));
    });
    expect(bytesOf(host)).toBe("abc");
  });

  test("empties it by no bytes, which are read from nowhere", () => {
    const { host, withRequest } = started();
    withRequest("hello", (http) => http.write_body(Request, BAD, 0));
    expect(bytesOf(host)).toBe("");
  });

  test("leaves a body whole that was read and not written", () => {
    const { host, withRequest } = started();
    withRequest("hello", (http) => {
      http.read_body(Request, BUF, 2);
      http.read_body(Request, BUF, 64);
    });
    expect(bytesOf(host)).toBe("hello");
  });

  test("gives a body to a request that has none, and in place of one that nobody reads", () => {
    for (const endOfStream of [true, false]) {
      const { scripted, host } = started();
      const exchange = scripted.exchange(host);
      scripted.handle({ onRequest: (http) => http.write_body(Request, ...scripted.put("new")) });
      expect(exchange.onRequestHeaders(endOfStream)).toBe("continue");
      expect(Buffer.from(host.bodiesSet.request ?? []).toString()).toBe("new");
    }
  });

  test("copies what it takes", () => {
    const { scripted, host, withRequest } = started();
    withRequest("hello", (http) => {
      const [ptr, byteLength] = scripted.put("old");
      http.write_body(Request, ptr, byteLength);
      new Uint8Array(scripted.memory.buffer).fill(0, ptr, ptr + byteLength);
    });
    expect(bytesOf(host)).toBe("old");
  });

  test("replaces the response in handle_response with buffer_response", () => {
    const { scripted, host, exchange, withRequest } = started(Feature.BufferResponse);
    withRequest("", () => {});
    host.response = { status: 200, headers: new HeaderList() };
    expect(exchange.onResponseHeaders(false)).toBe("pause-stream");
    host.hold("response", "theirs");
    scripted.handle({
      onResponse: (http) => {
        expect(scripted.text(http.read_body(Response, BUF, 64))).toBe("theirs");
        http.write_body(Response, ...scripted.put("mine"));
      },
    });
    expect(exchange.onResponseBody(3, false)).toBe("pause");
    expect(exchange.onResponseBody(6, true)).toBe("continue");
    expect(bytesOf(host, "response")).toBe("mine");
  });

  test.each([
    { name: "a bad address", args: [Request, BAD, 64], says: "outside of the memory" },
    { name: "a length near 2^32", args: [Request, 0, HUGE], says: "outside of the memory" },
    { name: "an unknown kind", args: [2, 0, 1], says: "of kind 2" },
    { name: "a negative kind", args: [-1, 0, 1], says: "of kind -1" },
  ])("traps on $name", ({ args, says }) => {
    const { host, withRequest } = started();
    expect(() => withRequest("hello", (http) => http.write_body(...args))).toThrow(says);
    expect(bytesOf(host)).toBe("hello");
  });

  test("traps above the bound", () => {
    const { scripted, withRequest } = started();
    const half = scripted.memory.buffer.byteLength;
    const times = Math.ceil(LIMITS.guestBytesMax / half) + 1;
    expect(() =>
      withRequest("hello", (http) => {
        for (let n = 0; n < times; n++) http.write_body(Request, 0, half);
      }),
    ).toThrow(`more than ${LIMITS.guestBytesMax} bytes`);
  });

  test("traps in handle_response for the request, and for the response without its feature", () => {
    for (const [kind, says] of [
      [Request, "the request has been sent"],
      [Response, "feature buffer_response"],
    ] as const) {
      const { scripted, host, exchange, withRequest } = started();
      withRequest("hello", () => {});
      host.response = { status: 200, headers: new HeaderList() };
      expect(() => scripted.response(exchange, (http) => http.write_body(kind, 0, 1))).toThrow(
        says,
      );
    }
  });

  test("takes a body byte by byte", () => {
    const { scripted, host, withRequest } = started();
    const [at] = scripted.put("0123456789");
    withRequest("", (http) => {
      for (let n = 0; n < 1000; n++) http.write_body(Request, at + (n % 10), 1);
    });
    expect(bytesOf(host)).toBe("0123456789".repeat(100));
  });

  test("traps for a response that switches protocols", () => {
    const { scripted, host, exchange, withRequest } = started(Feature.BufferResponse);
    withRequest("", () => {});
    host.response = { status: 101, headers: new HeaderList() };
    expect(() => scripted.response(exchange, (http) => http.write_body(Response, 0, 1))).toThrow(
      "switches protocols",
    );
  });
});

function started(features = 0) {
  const scripted = new ScriptedHttpGuest();
  const host = new FakeFilterHost();
  scripted.http.enable_features(features);
  const exchange = scripted.exchange(host, NEEDS_ALL);
  return {
    scripted,
    host,
    exchange,
    /** Runs handle_request with a body that is there. */
    withRequest: (text: string, script: (http: HttpHandler) => void): void => {
      expect(exchange.onRequestHeaders(false)).toBe("pause-stream");
      host.hold("request", text);
      scripted.handle({ onRequest: script });
      expect(exchange.onRequestBody(text.length, true)).toBe("continue");
    },
  };
}

function bytesOf(host: FakeFilterHost, direction: "request" | "response" = "request"): string {
  return Buffer.from(host.bodies[direction]?.read(0, 1024) ?? []).toString();
}
