import type { PropertyValue } from "../filter/filter.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Properties of an exchange under Envoy's names and types: integers are bigint, times and durations
 * are nanoseconds. What an earlier filter has set wins over none, never over these.
 */
export function getProperty(x: Exchange, path: readonly string[]): PropertyValue | undefined {
  const [root = "", name = "", ...rest] = path;
  const known = PROPERTIES.get(`${root}.${name}`) ?? PROPERTIES.get(root);
  const value = known?.(x, rest);
  if (value !== undefined) return value;
  return x.properties.get(path);
}

type Read = (x: Exchange, rest: readonly string[]) => PropertyValue | undefined;

// A Map: a guest chooses the key, and must not reach what every object inherits.
const PROPERTIES: ReadonlyMap<string, Read> = new Map<string, Read>(
  Object.entries({
    "request.path": (x) => x.request.target,
    "request.url_path": (x) => splitTarget(x.request.target).path,
    "request.query": (x) => splitTarget(x.request.target).query,
    "request.host": (x) => x.request.authority,
    "request.scheme": (x) => x.request.scheme,
    "request.method": (x) => x.request.method,
    "request.protocol": (x) => `HTTP/${x.incoming.version}`,
    "request.referer": (x) => x.request.headers.get("referer"),
    "request.useragent": (x) => x.request.headers.get("user-agent"),
    "request.id": (x) => x.request.headers.get("x-request-id") ?? x.id,
    "request.headers": (x, [name]) =>
      name === undefined ? x.request.headers : x.request.headers.get(name.toLowerCase()),
    "request.time": (x) => BigInt(x.startedMs) * 1_000_000n,
    "request.duration": (x) => BigInt(Math.round((performance.now() - x.startedAt) * 1e6)),
    "request.size": (x) => BigInt(bodyBytes(x.requestBody)),
    "response.code": (x) => (x.response === undefined ? undefined : BigInt(x.response.status)),
    "response.code_details": (x) => (x.details === "" ? undefined : x.details),
    "response.flags": (x) => (x.response === undefined ? undefined : 0n),
    "response.headers": (x, [name]) =>
      name === undefined ? x.response?.headers : x.response?.headers.get(name.toLowerCase()),
    "response.trailers": (x, [name]) =>
      name === undefined ? x.responseTrailers : x.responseTrailers?.get(name.toLowerCase()),
    "response.size": (x) =>
      x.response === undefined ? undefined : BigInt(x.answerBody?.bytes ?? 0),
    "source.address": (x) => hostPort(x.incoming.remoteAddress, x.incoming.remotePort),
    "source.port": (x) => BigInt(x.incoming.remotePort),
    "destination.address": (x) => hostPort(x.incoming.localAddress, x.incoming.localPort),
    "destination.port": (x) => BigInt(x.incoming.localPort),
    "connection.mtls": () => false,
    "upstream.address": (x) => x.upstream?.node.address,
    "upstream.port": (x) =>
      x.upstream?.node.kind === "tcp" ? BigInt(x.upstream.node.port) : undefined,
    route_name: (x) => x.route?.id,
    cluster_name: (x) => x.route?.upstream.id,
    listener_direction: () => 1n, // Envoy's INBOUND.
  } satisfies Record<string, Read>),
);

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  return at < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
}

function bodyBytes(body: unknown): number {
  return body instanceof Object && "bytes" in body && typeof body.bytes === "number"
    ? body.bytes
    : 0;
}

function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
