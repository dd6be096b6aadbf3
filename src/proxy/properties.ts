import { messageOf } from "../base/errors.ts";
import type { PropertyValue } from "../filter/filter.ts";
import { HeaderList } from "../http/headers.ts";
import type { Exchange } from "./exchange.ts";
import { grpcStatusOf } from "./grpc-status.ts";

/**
 * Properties of an exchange under Envoy's names and types: integers are bigint, times and durations
 * are nanoseconds. What a filter has set is found under every path that does not begin like one of
 * ours: nobody speaks for the gateway, not of what is not known either.
 */
export function getProperty(x: Exchange, path: readonly string[]): PropertyValue | undefined {
  const [root = "", name = "", ...rest] = path;
  if (!ROOTS.has(root)) return x.properties.get(path);
  const single = PROPERTIES.get(root);
  if (single !== undefined) return single(x, path.slice(1));
  return PROPERTIES.get(`${root}.${name}`)?.(x, rest);
}

/** @param rest segments below the property's own: undefined for all but maps and messages */
type Read = (x: Exchange, rest: readonly string[]) => PropertyValue | undefined;

/** A value that nothing is below. */
function plain(read: (x: Exchange) => PropertyValue | undefined): Read {
  return (x, rest) => (rest.length === 0 ? read(x) : undefined);
}

/** Lines by their names; the map alone has no pseudo headers, as it is what the list holds. */
function map(
  list: (x: Exchange) => HeaderList | undefined,
  pseudo: (x: Exchange, name: string) => string | undefined = () => undefined,
): Read {
  return (x, [name, ...rest]) => {
    if (rest.length > 0) return undefined;
    if (name === undefined) return list(x);
    return name.startsWith(":") ? pseudo(x, name) : list(x)?.get(name.toLowerCase());
  };
}

/**
 * Envoy's message Metadata. No word of the configuration fills one: it is there, and empty, as
 * Envoy's is without such words.
 */
function metadata(isKnown: (x: Exchange) => boolean): Read {
  return (x, [field, ...rest]) => {
    if (!isKnown(x) || rest.length > 0) return undefined;
    if (field === undefined) return NOTHING;
    return METADATA_FIELDS.has(field) ? new HeaderList() : undefined;
  };
}

const NOTHING = new Uint8Array(0);
const METADATA_FIELDS: ReadonlySet<string> = new Set(["filter_metadata", "typed_filter_metadata"]);

const ROUTE_NAME = plain((x) => x.route?.id);
const CLUSTER_NAME = plain((x) => x.route?.upstream.id);
const ROUTE_METADATA = metadata((x) => x.route !== undefined);
const CONNECTION_ID = plain((x) => x.incoming.connectionId);

// A Map: a guest chooses the key, and must not reach what every object inherits.
export const PROPERTIES: ReadonlyMap<string, Read> = new Map<string, Read>(
  Object.entries({
    "request.path": plain((x) => x.request.target),
    "request.url_path": plain((x) => splitTarget(x.request.target).path),
    "request.query": plain((x) => splitTarget(x.request.target).query),
    "request.host": plain((x) => x.request.authority),
    "request.scheme": plain((x) => x.request.scheme),
    "request.method": plain((x) => x.request.method),
    "request.protocol": plain((x) => `HTTP/${x.incoming.version}`),
    "request.referer": plain((x) => x.request.headers.get("referer")),
    "request.useragent": plain((x) => x.request.headers.get("user-agent")),
    "request.id": plain((x) => x.request.headers.get("x-request-id") ?? x.id),
    "request.headers": map((x) => x.request.headers, requestPseudo),
    "request.trailers": map((x) => x.requestTrailers),
    "request.time": plain((x) => BigInt(x.startedMs) * NS_PER_MS),
    "request.duration": plain((x) => BigInt(Math.round((performance.now() - x.startedAt) * 1e6))),
    "request.size": plain((x) => BigInt(x.requestBody?.length ?? readBytes(x))),
    "request.total_size": plain((x) => BigInt(requestHeadBytes(x) + readBytes(x))),
    "response.code": plain((x) => x.response && BigInt(x.response.status)),
    "response.code_details": plain((x) => (x.details === "" ? undefined : x.details)),
    "response.flags": plain((x) => x.response && 0n),
    "response.grpc_status": plain(
      (x) => x.response && grpcStatusOf(x.response, x.responseTrailers),
    ),
    "response.headers": map((x) => x.response?.headers, responsePseudo),
    "response.trailers": map((x) => x.responseTrailers),
    "response.size": plain((x) => x.response && BigInt(sentBytes(x))),
    "response.total_size": plain((x) => x.response && BigInt(responseHeadBytes(x) + sentBytes(x))),
    "source.address": plain((x) => hostPort(x.incoming.remoteAddress, x.incoming.remotePort)),
    "source.port": plain((x) => BigInt(x.incoming.remotePort)),
    "destination.address": plain((x) => hostPort(x.incoming.localAddress, x.incoming.localPort)),
    "destination.port": plain((x) => BigInt(x.incoming.localPort)),
    "connection.id": CONNECTION_ID,
    connection_id: CONNECTION_ID,
    "connection.mtls": plain(() => false),
    "upstream.address": plain((x) => x.upstream?.node.address),
    "upstream.port": plain((x) =>
      x.upstream?.node.kind === "tcp" ? BigInt(x.upstream.node.port) : undefined,
    ),
    "upstream.transport_failure_reason": plain(failureReason),
    "upstream.request_attempt_count": plain(
      (x) => x.upstream && BigInt(x.upstream.failed.length + 1),
    ),
    route_name: ROUTE_NAME,
    cluster_name: CLUSTER_NAME,
    metadata: metadata(() => true),
    route_metadata: ROUTE_METADATA,
    cluster_metadata: ROUTE_METADATA,
    "xds.route_name": ROUTE_NAME,
    "xds.cluster_name": CLUSTER_NAME,
    "xds.route_metadata": ROUTE_METADATA,
    "xds.cluster_metadata": ROUTE_METADATA,
  } satisfies Record<string, Read>),
);

/** First segments under which nothing is found that a filter has set. */
const ROOTS: ReadonlySet<string> = new Set([
  ...Array.from(PROPERTIES.keys(), (path) => path.split(".")[0] ?? ""),
  "upstream_host_metadata",
]);

const NS_PER_MS = 1_000_000n;

function requestPseudo({ request }: Exchange, name: string): string | undefined {
  switch (name) {
    case ":method":
      return request.method;
    case ":path":
      return request.target;
    case ":authority":
      return request.authority;
    case ":scheme":
      return request.scheme;
    default:
      return undefined;
  }
}

function responsePseudo({ response }: Exchange, name: string): string | undefined {
  return name === ":status" && response !== undefined ? String(response.status) : undefined;
}

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  return at < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** Of the request's body, so far. */
function readBytes({ requestBody }: Exchange): number {
  return requestBody instanceof Object && "bytes" in requestBody ? Number(requestBody.bytes) : 0;
}

/** Of the response's body, so far. */
function sentBytes(x: Exchange): number {
  return x.answerBody?.bytes ?? 0;
}

/** Names and values, pseudo headers included, as Envoy counts them. */
function requestHeadBytes({ request }: Exchange): number {
  const { method, target, authority, scheme } = request;
  const values = method.length + target.length + authority.length + scheme.length;
  return ":method:path:authority:scheme".length + values + request.headers.byteLength;
}

/** The same, trailers included. */
function responseHeadBytes(x: Exchange): number {
  const headers = x.response?.headers.byteLength ?? 0;
  return ":status200".length + headers + (x.responseTrailers?.byteLength ?? 0);
}

/** Of the last attempt that failed; empty when none has. */
function failureReason({ upstream }: Exchange): string | undefined {
  if (upstream === undefined) return undefined;
  const last = upstream.failed.at(-1);
  return last === undefined ? "" : messageOf(last.error);
}

function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
