import { describe, expect, test } from "bun:test";
import { Cancellation } from "../base/cancellation.ts";
import { GatewayError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { FilterHost } from "../filter/filter.ts";
import { pluginOf } from "../filter/testing.ts";
import { type Body, MemoryBody } from "../http/body.ts";
import { HeaderList } from "../http/headers.ts";
import type { Answer } from "./front/front.ts";
import { answerTo, bodyOf, bytes, gateway, incoming } from "./testing.ts";

log.configure({ level: "error", format: "text" });

async function errorOf(answer: Answer): Promise<string> {
  const body = JSON.parse(await bodyOf(answer)) as Record<string, unknown>;
  expect(Object.keys(body)).toEqual(["error", "status", "request_id"]);
  expect(body["status"]).toBe(answer.status);
  return `${answer.status} ${String(body["error"])}`;
}

describe("handle()", () => {
  test("sends the request on and the response back, and ends with the last byte", async () => {
    const plane = gateway(async () => ({
      headers: HeaderList.from([
        ["Set-Cookie", "a=1"],
        ["Connection", "X-Gone"],
        ["X-Gone", "1"],
        ["Set-Cookie", "b=2"],
        ["Content-Length", "2"],
      ]),
    }));
    const answer = await answerTo(plane, incoming());
    expect(plane.lives).toBe(1);
    expect([...answer.headers]).toEqual([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
    expect(answer.body?.length).toBe(2);
    expect(await bodyOf(answer)).toBe("ok");
    expect(plane.lives).toBe(0);
    expect(plane.inFlight).toBe(0);
    const [sent] = plane.sent;
    expect(`${sent?.method} ${sent?.target} ${sent?.authority}`).toBe("GET /hello?x=1 a.test");
  });

  test("tells the node who asked, and keeps hop-by-hop lines to itself", async () => {
    const plane = gateway();
    const request = incoming({
      lines: [
        ["Host", "a.test"],
        ["Connection", "close, X-Secret"],
        ["X-Secret", "1"],
        ["X-Forwarded-For", "1.2.3.4"],
        ["X-Forwarded-Proto", "https"],
        ["TE", "trailers, deflate"],
        ["Expect", "100-continue"],
      ],
    });
    await answerTo(plane, request);
    expect([...(plane.sent[0]?.headers ?? [])]).toEqual([
      ["TE", "trailers"],
      ["X-Forwarded-For", "1.2.3.4, 192.0.2.7"],
      ["X-Real-IP", "192.0.2.7"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Host", "a.test"],
      ["X-Forwarded-Port", "9080"],
    ]);
  });

  test("matches and forwards one spelling of the path", async () => {
    const plane = gateway();
    await answerTo(plane, incoming({ target: "/a/../%68ello//there?b=%2e" }));
    expect(plane.sent[0]?.target).toBe("/hello/there?b=%2e");
  });

  test.each([
    { method: "HEAD", status: 200, lengths: ["7"], told: "7" },
    { method: "HEAD", status: 200, lengths: ["7", "7"], told: "" },
    { method: "HEAD", status: 200, lengths: ["seven"], told: "" },
    { method: "GET", status: 304, lengths: ["-1"], told: "" },
    { method: "GET", status: 204, lengths: ["7"], told: "" },
  ])("tells $told of $lengths where $method and $status mean no body", async (given) => {
    const headers = HeaderList.from(given.lengths.map((each) => ["Content-Length", each]));
    const { status, method } = given;
    const plane = gateway(async () => ({ status, headers, body: undefined }));
    const answer = await answerTo(plane, incoming({ method }));
    expect(answer.headers.getAll("content-length").join()).toBe(given.told);
  });

  test("answers HEAD with the length that GET would have had, and no body", async () => {
    const plane = gateway(async () => ({ body: undefined }));
    const answer = await answerTo(plane, incoming({ method: "HEAD" }));
    expect(answer.body).toBeUndefined();
    expect(plane.lives).toBe(0);
  });

  test("ends when the client goes in mid-body, and tells the upstream", async () => {
    let upstream: Cancellation | undefined;
    const endless: Body = {
      length: undefined,
      trailers: undefined,
      read: () => bytes("x"),
      cancel: () => {},
    };
    const plane = gateway(async (_, { cancellation }) => {
      upstream = cancellation;
      return { body: endless };
    });
    const request = incoming();
    const answer = await answerTo(plane, request);
    await answer.body?.read();
    request.cancellation.cancel("closed");
    answer.body?.cancel("closed");
    expect(upstream?.cancelled).toBe(true);
    expect(plane.lives).toBe(0);
  });

  test("keeps the generation that it began with", async () => {
    const plane = gateway();
    const answer = await answerTo(plane, incoming());
    const first = plane.current;
    (plane as { current: unknown }).current = {
      ...first,
      number: 2,
      leave: () => expect(1).toBe(2),
    };
    await bodyOf(answer);
    expect(plane.lives).toBe(0);
  });

  test("closes connections while it drains", async () => {
    const plane = gateway();
    plane.draining = true;
    expect((await answerTo(plane, incoming())).close).toBe(true);
  });
});

describe("handle() with filters", () => {
  test("answers a local reply through the response filters", async () => {
    const plane = gateway(undefined, [
      pluginOf("guard", {
        onRequestHeaders(host) {
          const headers = HeaderList.from([["X-Why", "no"]]);
          host.localReply({ status: 403, headers, body: bytes("denied"), details: "guard" });
          return "continue";
        },
        onResponseHeaders(host) {
          host.exchange.response?.headers.append("X-Seen", String(host.exchange.response.status));
          return "continue";
        },
      }),
    ]);
    const answer = await answerTo(plane, incoming());
    expect(answer.status).toBe(403);
    expect([...answer.headers]).toEqual([
      ["X-Why", "no"],
      ["X-Seen", "403"],
    ]);
    expect(await bodyOf(answer)).toBe("denied");
    expect(plane.sent).toHaveLength(0);
    expect(plane.lives).toBe(0);
  });

  test("interrupts an upstream that has not answered when a filter replies", async () => {
    let host: FilterHost | undefined;
    const plane = gateway(
      (_, { cancellation }) =>
        new Promise((_resolve, reject) => {
          cancellation.listen({ cancelled: reject });
        }),
      [pluginOf("late", { onRequestHeaders: (h) => ((host = h), "continue") })],
    );
    const answering = answerTo(plane, incoming());
    while (plane.sent.length === 0) await Promise.resolve();
    host?.localReply({ status: 429, headers: new HeaderList(), body: bytes(""), details: "" });
    expect((await answering).status).toBe(429);
  });

  test("replaces the upstream's response when a filter replies to it", async () => {
    const plane = gateway(undefined, [
      pluginOf("swap", {
        onResponseHeaders(host) {
          const headers = new HeaderList();
          host.localReply({ status: 418, headers, body: bytes("tea"), details: "" });
          return "continue";
        },
      }),
    ]);
    const answer = await answerTo(plane, incoming());
    expect(answer.status).toBe(418);
    expect(await bodyOf(answer)).toBe("tea");
  });

  test("takes no changes of the request and no reply once they have been sent", async () => {
    let host: FilterHost | undefined;
    const seen: boolean[] = [];
    const look = ({ exchange }: FilterHost): void => {
      seen.push(exchange.isHeadMutable("request"), exchange.isHeadMutable("response"));
    };
    const plane = gateway(undefined, [
      pluginOf("look", {
        onRequestHeaders: (h) => ((host = h), look(h), "continue"),
        onResponseHeaders: (h) => (look(h), "continue"),
      }),
    ]);
    const answer = await answerTo(plane, incoming());
    if (host === undefined) throw new Error("The filter has not run");
    look(host);
    expect(seen).toEqual([true, false, false, true, false, false]);
    const headers = new HeaderList();
    expect(host.localReply({ status: 418, headers, body: bytes(""), details: "" })).toBe(false);
    expect(await bodyOf(answer)).toBe("ok");
  });

  test("filters the body of what answers for a reset, too", async () => {
    const plane = gateway(undefined, [
      pluginOf("read", { onResponseBody: () => "continue" }),
      pluginOf("reset", { onRequestHeaders: (host) => (host.reset(), "continue") }),
    ]);
    const answer = await answerTo(plane, incoming());
    expect(answer.status).toBe(502);
    expect(await bodyOf(answer)).toContain("FILTER_RESET");
  });

  test("tells filters of a reply by its own details, whatever it replaces", async () => {
    const seen: unknown[] = [];
    const plane = gateway(undefined, [
      pluginOf("look", {
        onResponseHeaders({ exchange }) {
          seen.push(exchange.getProperty(["response", "code_details"]));
          return "continue";
        },
      }),
      pluginOf("swap", {
        onResponseHeaders(host) {
          const headers = new HeaderList();
          host.localReply({ status: 418, headers, body: bytes("tea"), details: "pot" });
          return "continue";
        },
      }),
    ]);
    await answerTo(plane, incoming());
    expect(seen).toEqual(["pot"]);
  });

  test("gives filters the properties of the exchange", async () => {
    const seen: unknown[] = [];
    const plane = gateway(undefined, [
      pluginOf("look", {
        onResponseHeaders({ exchange }) {
          exchange.setProperty(["my", "key"], bytes("v"));
          for (const path of [
            "request.path",
            "request.url_path",
            "request.query",
            "request.host",
            "source.address",
            "response.code",
            "route_name",
            "cluster_name",
            "upstream.address",
            "my.key",
            "constructor",
            "__proto__.x",
          ]) {
            seen.push(exchange.getProperty(path.split(".")));
          }
          return "continue";
        },
      }),
    ]);
    await answerTo(plane, incoming());
    expect(seen).toEqual([
      "/hello?x=1",
      "/hello",
      "x=1",
      "a.test",
      "192.0.2.7:4711",
      200n,
      "all",
      "app",
      "10.0.0.1:80",
      bytes("v"),
      undefined,
      undefined,
    ]);
  });
});

describe("handle() errors", () => {
  test.each([
    {
      name: "no route for the host",
      changes: { lines: [["Host", "b.other"]] },
      got: "404 ROUTE_NOT_FOUND",
    },
    { name: "no Host", changes: { lines: [] }, got: "400 REQUEST_MALFORMED" },
    {
      name: "two Hosts",
      changes: {
        lines: [
          ["Host", "a.test"],
          ["Host", "b.test"],
        ],
      },
      got: "400 REQUEST_MALFORMED",
    },
    {
      name: "CONNECT",
      changes: { method: "CONNECT", target: "a:443" },
      got: "405 METHOD_NOT_ALLOWED",
    },
    { name: "TRACE", changes: { method: "TRACE" }, got: "405 METHOD_NOT_ALLOWED" },
    {
      name: "an unknown method",
      changes: { method: "BREW" },
      got: "501 REQUEST_METHOD_UNSUPPORTED",
    },
    {
      name: "a foreign absolute-form",
      changes: { target: "http://b.test/" },
      got: "400 REQUEST_MALFORMED",
    },
    {
      name: "a long target",
      changes: { target: `/${"a".repeat(100)}` },
      got: "414 REQUEST_URI_TOO_LONG",
    },
    { name: "a backslash", changes: { target: "/a\\..\\b" }, got: "400 REQUEST_MALFORMED" },
    {
      name: "too many header bytes",
      changes: {
        lines: [
          ["Host", "a.test"],
          ["X", "y".repeat(1000)],
        ],
      },
      got: "431 REQUEST_HEADERS_TOO_LARGE",
    },
    {
      name: "too many header lines",
      changes: { lines: [["Host", "a.test"], ...Array.from({ length: 128 }, () => ["X", "1"])] },
      got: "431 REQUEST_HEADERS_TOO_LARGE",
    },
    {
      name: "a declared body over the limit",
      changes: { method: "POST", body: new MemoryBody(bytes("12345678901")) },
      got: "413 REQUEST_BODY_TOO_LARGE",
    },
  ] as { name: string; changes: Parameters<typeof incoming>[0]; got: string }[])(
    "$name: $got",
    async ({ changes, got }) => {
      const plane = gateway();
      expect(await errorOf(await answerTo(plane, incoming(changes)))).toBe(got);
      expect(plane.lives).toBe(0);
      expect(plane.inFlight).toBe(0);
      expect(plane.sent).toHaveLength(0);
    },
  );

  test("serves an absolute-form target that names the same host", async () => {
    const plane = gateway();
    await answerTo(plane, incoming({ target: "http://A.test:80/x" }));
    expect(plane.sent[0]?.target).toBe("/x");
  });

  test("refuses what is over exchanges_in_flight, and nothing else", async () => {
    const plane = gateway();
    const first = await answerTo(plane, incoming());
    const second = await answerTo(plane, incoming());
    expect(await errorOf(await answerTo(plane, incoming()))).toBe("503 GATEWAY_OVERLOADED");
    await bodyOf(first);
    await bodyOf(second);
    expect((await answerTo(plane, incoming())).status).toBe(200);
  });

  test("maps an upstream's failure and tells the client nothing of it", async () => {
    const plane = gateway(async () => {
      throw new GatewayError("UPSTREAM_CONNECT_FAILED", "Cannot connect to 10.9.8.7:80: refused");
    });
    const answer = await answerTo(plane, incoming());
    const text = await bodyOf(answer);
    expect(answer.status).toBe(502);
    expect(text).not.toContain("10.9.8.7");
    expect(plane.lives).toBe(0);
  });

  test("answers a filter that fails closed with 503, through the others", async () => {
    const plane = gateway(undefined, [
      pluginOf("outer", {
        onResponseHeaders(host) {
          host.exchange.response?.headers.append("X-Outer", "1");
          return "continue";
        },
      }),
      pluginOf("boom", {
        onRequestHeaders() {
          throw new Error("secret of the guest");
        },
      }),
    ]);
    const answer = await answerTo(plane, incoming());
    expect(answer.headers.get("x-outer")).toBe("1");
    expect(await errorOf(answer)).toBe("503 FILTER_FAILED");
  });

  test("forwards what a filter has made of the target in its one spelling", async () => {
    for (const [set, sent] of [
      ["/a/../b?c", "/b?c"],
      ["http://evil.test/x", "/x"],
    ] as const) {
      const plane = gateway(undefined, [
        pluginOf("set", {
          onRequestHeaders: (host) => ((host.exchange.request.target = set), "continue"),
        }),
      ]);
      await answerTo(plane, incoming());
      expect(plane.sent[0]?.target).toBe(sent);
      expect(plane.sent[0]?.authority).toBe("a.test");
    }
  });

  test("keeps framing, connection and tunnels out of filters' and clients' hands", async () => {
    const plane = gateway(undefined, [
      pluginOf("length", {
        onRequestHeaders({ exchange }) {
          exchange.request.headers.set("content-length", "999");
          exchange.request.headers.append("Transfer-Encoding", "chunked");
          exchange.request.headers.append("Connection", "keep-alive");
          exchange.request.headers.append("X-Kept", "1");
          return "continue";
        },
      }),
    ]);
    await answerTo(plane, incoming({ upgrade: "h2c" }));
    const keys = [...(plane.sent[0]?.headers ?? [])].map(([name]) => name.toLowerCase());
    expect(keys).toContain("x-kept");
    expect(
      keys.filter((key) => /^(content-length|transfer-encoding|connection)$/.test(key)),
    ).toEqual([]);
    expect(plane.sent[0]?.upgrade).toBeUndefined();
    await answerTo(plane, incoming({ upgrade: "websocket" }));
    expect(plane.sent[1]?.upgrade).toBe("websocket");
  });

  test("calls a client that has gone by its name, and asks no response filter", async () => {
    const seen: unknown[] = [];
    const plane = gateway(
      (_, { cancellation }) =>
        new Promise((_resolve, reject) => {
          cancellation.listen({
            cancelled: (reason) => {
              seen.push((reason as GatewayError).code);
              reject(reason);
            },
          });
        }),
      [pluginOf("late", { onResponseHeaders: () => (seen.push("response"), "pause") })],
    );
    const request = incoming();
    const answering = answerTo(plane, request);
    while (plane.sent.length === 0) await Promise.resolve();
    request.cancellation.cancel("closed");
    const answer = await answering;
    answer.body?.cancel("closed");
    expect(seen).toEqual(["CLIENT_GONE"]);
    expect(plane.lives).toBe(0);
  });

  test("refuses a request line that a filter has broken", async () => {
    for (const change of [
      (host: FilterHost) => (host.exchange.request.target = "/x HTTP/1.1\r\nA: b"),
      (host: FilterHost) => (host.exchange.request.method = "GET /"),
      (host: FilterHost) => (host.exchange.request.method = "CONNECT"),
      (host: FilterHost) => (host.exchange.request.authority = "a b"),
    ]) {
      const plane = gateway(undefined, [
        pluginOf("bad", { onRequestHeaders: (host) => (change(host), "continue") }),
      ]);
      expect(await errorOf(await answerTo(plane, incoming()))).toBe("503 FILTER_FAILED");
      expect(plane.sent).toHaveLength(0);
    }
  });

  test("a body that breaks reaches the front as an error and ends the exchange", async () => {
    const broken: Body = {
      length: 10,
      trailers: undefined,
      read: () => Promise.reject(new GatewayError("UPSTREAM_RESET", "cut")),
      cancel: () => {},
    };
    const plane = gateway(async () => ({ body: broken }));
    const answer = await answerTo(plane, incoming());
    expect(Promise.resolve(answer.body?.read())).rejects.toThrow("cut");
    await Bun.sleep(0);
    expect(plane.lives).toBe(0);
  });
});
