import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { HeaderList } from "../http/headers.ts";
import type { Exchange } from "./exchange.ts";
import { getProperty, PROPERTIES } from "./properties.ts";
import { SetProperties } from "./set-properties.ts";

const document = await Bun.file(join(import.meta.dir, "../../docs/ABI.md")).text();

/** Everything is known of it. */
function answered(): Exchange {
  return {
    id: "ours",
    startedMs: 1_700_000_000_123,
    startedAt: performance.now() - 5,
    incoming: {
      version: "1.1",
      remoteAddress: "192.0.2.7",
      remotePort: 4711,
      localAddress: "2001:db8::1",
      localPort: 9080,
      connectionId: 12n,
    },
    request: {
      method: "GET",
      scheme: "http",
      authority: "a.test",
      target: "/a?b=c",
      headers: HeaderList.from([
        ["X-A", "1"],
        ["Referer", "r"],
        ["User-Agent", "u"],
      ]),
    },
    requestBody: { length: 40, bytes: 30 },
    requestTrailers: HeaderList.from([["X-T", "t"]]),
    response: { status: 404, headers: HeaderList.from([["X-R", "2"]]) },
    responseTrailers: HeaderList.from([["X-T", "t"]]),
    details: "via_upstream",
    answerBody: { bytes: 20 },
    route: { id: "route", upstream: { id: "cluster" } },
    upstream: {
      node: { kind: "tcp", address: "10.0.0.1:80", host: "10.0.0.1", port: 80 },
      failed: [{ error: new Error("first") }, { error: new Error("Cannot connect") }],
    },
    properties: new SetProperties(),
  } as unknown as Exchange;
}

/** Nothing is known of it but its head. */
function begun(): Exchange {
  const x = answered();
  const { headers: _, ...request } = x.request;
  const { connectionId: __, ...incoming } = x.incoming;
  return Object.assign(x, {
    incoming,
    request: { ...request, headers: new HeaderList() },
    requestBody: undefined,
    requestTrailers: undefined,
    response: undefined,
    responseTrailers: undefined,
    details: "",
    answerBody: undefined,
    route: undefined,
    upstream: undefined,
  });
}

describe("getProperty()", () => {
  test.each([
    ["request.path", "/a?b=c"],
    ["request.url_path", "/a"],
    ["request.query", "b=c"],
    ["request.host", "a.test"],
    ["request.scheme", "http"],
    ["request.method", "GET"],
    ["request.protocol", "HTTP/1.1"],
    ["request.referer", "r"],
    ["request.useragent", "u"],
    ["request.id", "ours"],
    ["request.headers.x-a", "1"],
    ["request.headers.X-A", "1"],
    ["request.headers.:path", "/a?b=c"],
    ["request.headers.:method", "GET"],
    ["request.headers.:authority", "a.test"],
    ["request.headers.:scheme", "http"],
    ["request.trailers.x-t", "t"],
    ["request.time", 1_700_000_000_123_000_000n],
    ["request.size", 40n],
    // :method GET :path /a?b=c :authority a.test :scheme http, three lines, and what was read.
    ["request.total_size", 10n + 11n + 16n + 11n + 4n + 8n + 11n + 30n],
    ["response.code", 404n],
    ["response.code_details", "via_upstream"],
    ["response.flags", 0n],
    ["response.grpc_status", 12n],
    ["response.headers.x-r", "2"],
    ["response.headers.:status", "404"],
    ["response.trailers.x-t", "t"],
    ["response.size", 20n],
    ["response.total_size", 10n + 4n + 20n + 4n],
    ["source.address", "192.0.2.7:4711"],
    ["source.port", 4711n],
    ["destination.address", "[2001:db8::1]:9080"],
    ["destination.port", 9080n],
    ["connection.id", 12n],
    ["connection_id", 12n],
    ["connection.mtls", false],
    ["upstream.address", "10.0.0.1:80"],
    ["upstream.port", 80n],
    ["upstream.transport_failure_reason", "Cannot connect"],
    ["upstream.request_attempt_count", 3n],
    ["route_name", "route"],
    ["cluster_name", "cluster"],
    ["xds.route_name", "route"],
    ["xds.cluster_name", "cluster"],
    ["metadata", new Uint8Array()],
    ["metadata.filter_metadata", new HeaderList()],
    ["metadata.typed_filter_metadata", new HeaderList()],
    ["route_metadata", new Uint8Array()],
    ["cluster_metadata.filter_metadata", new HeaderList()],
    ["xds.route_metadata.filter_metadata", new HeaderList()],
    ["xds.cluster_metadata", new Uint8Array()],
  ] as const)("reads %s", (path, value) => {
    expect(getProperty(answered(), path.split("."))).toEqual(value);
  });

  test.each([
    "request.referer",
    "request.useragent",
    "request.headers.x-a",
    "request.headers.:nope",
    "request.trailers",
    "request.trailers.x-t",
    "response.code",
    "response.code_details",
    "response.flags",
    "response.grpc_status",
    "response.headers",
    "response.headers.:status",
    "response.trailers",
    "response.size",
    "response.total_size",
    "connection.id",
    "connection_id",
    "connection.tls_version",
    "connection.requested_server_name",
    "connection.termination_details",
    "upstream.address",
    "upstream.port",
    "upstream.local_address",
    "upstream.transport_failure_reason",
    "upstream.request_attempt_count",
    "route_name",
    "cluster_name",
    "route_metadata",
    "cluster_metadata.filter_metadata",
    "upstream_host_metadata",
    "metadata.filter_metadata.namespace.key",
    "metadata.nope",
    "request",
    "request.nope",
    "request.path.more",
    "request.headers.x-a.more",
    "route_name.more",
    "",
    "__proto__",
    "constructor.name",
    "request.__proto__",
  ])("knows no %s when a request has just come in, whoever sets it", (path) => {
    const x = begun();
    const segments = path.split(".");
    expect(getProperty(x, segments)).toBeUndefined();
    x.properties.set(segments, "forged", false);
    const isFree = ["", "__proto__", "constructor"].includes(segments[0] ?? "");
    expect(getProperty(x, segments)).toBe(isFree ? "forged" : undefined);
  });

  test("tells the size of a body whose length nobody has told by what was read", () => {
    const x = Object.assign(answered(), { requestBody: { length: undefined, bytes: 30 } });
    expect(getProperty(x, ["request", "size"])).toBe(30n);
    expect(getProperty(begun(), ["request", "size"])).toBe(0n);
  });

  test("has a time that passes", () => {
    const duration = getProperty(answered(), ["request", "duration"]) as bigint;
    expect(duration).toBeGreaterThanOrEqual(5_000_000n);
    expect(duration).toBeLessThan(60_000_000_000n);
  });

  test("names the last failure only where one was", () => {
    const x = answered();
    const upstream = { ...x.upstream, failed: [] };
    const path = ["upstream", "transport_failure_reason"];
    expect(getProperty(Object.assign(x, { upstream }), path)).toBe("");
  });

  test("finds what was set under the bare path, and in the filter state", () => {
    const x = answered();
    x.properties.set(["own", "key"], "v", false);
    x.properties.set(["filter_state", "envoy.string"], "s", false);
    expect(getProperty(x, ["own", "key"])).toBe("v");
    expect(getProperty(x, ["filter_state", "wasm.own", "key"])).toBe("v");
    expect(getProperty(x, ["filter_state", "own", "key"])).toBeUndefined();
    expect(getProperty(x, ["filter_state", "envoy.string"])).toBe("s");
    expect(getProperty(x, ["filter_state"])).toBeUndefined();
    expect(getProperty(x, ["filter_state", "wasm.nope"])).toBeUndefined();
    expect(getProperty(x, ["own"])).toBeUndefined();
  });

  test("keeps the first value of what is read-only", () => {
    const { properties } = answered();
    expect(properties.set(["a"], "1", true)).toBe(true);
    expect(properties.set(["a"], "2", false)).toBe(false);
    expect(properties.get(["a"])).toBe("1");
  });
});

describe("response.grpc_status", () => {
  test.each([
    { status: 200, headers: [], trailers: [["grpc-status", "5"]], value: 5n },
    { status: 200, headers: [["grpc-status", "7"]], trailers: [], value: 7n },
    { status: 200, headers: [["grpc-status", "x"]], trailers: [], value: -1n },
    { status: 200, headers: [["grpc-status", "99999999999"]], trailers: [], value: -1n },
    { status: 200, headers: [], trailers: [], value: 2n },
    { status: 401, headers: [], trailers: [], value: 16n },
    { status: 503, headers: [], trailers: [], value: 14n },
  ] satisfies {
    status: number;
    headers: [string, string][];
    trailers: [string, string][];
    value: bigint;
  }[])("is $value for $status, $headers, $trailers", ({ status, headers, trailers, value }) => {
    const x = Object.assign(answered(), {
      response: { status, headers: HeaderList.from(headers) },
      responseTrailers: HeaderList.from(trailers),
    });
    expect(getProperty(x, ["response", "grpc_status"])).toBe(value);
  });
});

describe("docs/ABI.md", () => {
  test("has one row for each property of an exchange, with its type, and no others", () => {
    const rows = (document.split("### Of an exchange\n")[1]?.split("\n#")[0] ?? "")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim()));
    const documented = rows.map(([, path = "", type = ""]) => `${path} ${KINDS[type]}`);
    const x = answered();
    const real = Array.from(PROPERTIES.keys(), (path) => {
      return `\`${path}\` ${typeOf(getProperty(x, path.split(".")))}`;
    });
    expect(documented.toSorted()).toEqual(real.toSorted());
  });
});

/** What a type of the document is in the code. */
const KINDS: Readonly<Record<string, string>> = {
  string: "string",
  int: "bigint",
  uint: "bigint",
  timestamp: "bigint",
  duration: "bigint",
  bool: "boolean",
  map: "map",
  message: "bytes",
};

function typeOf(value: unknown): string {
  if (value instanceof HeaderList) return "map";
  return value instanceof Uint8Array ? "bytes" : typeof value;
}
