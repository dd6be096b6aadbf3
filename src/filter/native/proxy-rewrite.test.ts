import { describe, expect, test } from "bun:test";
import type { FilterHost } from "../filter.ts";
import { FakeExchange } from "../testing.ts";
import { proxyRewrite, type ProxyRewriteOptions } from "./proxy-rewrite.ts";
import { startFilter } from "../testing.ts";

function rewritten(options: ProxyRewriteOptions, target: string): FakeExchange {
  const exchange = new FakeExchange();
  exchange.request.target = target;
  exchange.request.headers.append("X-Old", "1");
  const host = { exchange } as unknown as FilterHost;
  const filter = startFilter(proxyRewrite(options), host);
  expect(filter.onRequestHeaders(true)).toBe("continue");
  return exchange;
}

describe("proxy-rewrite", () => {
  test.each([
    { name: "keeps the target without options", options: {}, from: "/a?b", to: "/a?b" },
    {
      name: "replaces the path and keeps the query",
      options: { uri: "/n" },
      from: "/a?b=1",
      to: "/n?b=1",
    },
    {
      name: "adds the query to that of uri",
      options: { uri: "/n?x=1" },
      from: "/a?b=1",
      to: "/n?x=1&b=1",
    },
    {
      name: "rewrites by pattern",
      options: { regex_uri: ["^/wasm/(.*)$", "/$1"] as const },
      from: "/wasm/headers?a=/wasm/",
      to: "/headers?a=/wasm/",
    },
    {
      name: "leaves a path that the pattern does not match",
      options: { regex_uri: ["^/wasm/(.*)$", "/$1"] as const },
      from: "/other?x",
      to: "/other?x",
    },
  ])("$name", ({ options, from, to }) => {
    expect(rewritten(options, from).request.target).toBe(to);
  });

  test("changes method, host and headers: remove, then set, then add", () => {
    const { request } = rewritten(
      {
        method: "POST",
        host: "inner.example",
        headers: { remove: ["X-OLD"], set: { "X-New": "1" }, add: { "X-New": "2" } },
      },
      "/",
    );
    expect(request.method).toBe("POST");
    expect(request.authority).toBe("inner.example");
    expect([...request.headers]).toEqual([
      ["X-New", "1"],
      ["X-New", "2"],
    ]);
  });
});
