import { GatewayError } from "../base/errors.ts";
import type { LimitsConfig } from "../config/config.ts";
import { parseAuthority } from "../http/authority.ts";
import { setForwarded } from "../http/forwarded.ts";
import type { HeaderList } from "../http/headers.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import { parseTarget } from "../http/target.ts";
import type { Exchange } from "./exchange.ts";
import { LimitedBody } from "./limited-body.ts";

/**
 * The door: turns what a front has read into a request that routes and filters can trust. The path
 * that it answers with is the one that is matched, and the target it sets is the one that is sent.
 * @throws GatewayError with the status for the client
 */
export function admit(x: Exchange): { host: string; path: string } {
  const { incoming, request, plane } = x;
  const { limits } = x.generation;
  checkOverload(plane.inFlight, limits);
  checkMethod(request.method);
  const authority = readAuthority(x);
  const target = readTarget(x, authority.host, limits);
  checkHeaders(request.headers, limits);
  request.authority = authority.authority;
  request.target = target.target;
  if (incoming.body !== undefined) {
    x.requestBody = new LimitedBody(incoming.body, limits.requestBodyBytes);
  }
  stripHopByHop(request.headers);
  for (const key of ["host", "content-length", "expect"]) request.headers.remove(key);
  setForwarded(request.headers, {
    remoteAddress: incoming.remoteAddress,
    scheme: incoming.scheme,
    authority: authority.authority,
    localPort: incoming.localPort,
  });
  return { host: authority.host, path: target.path };
}

function checkOverload(inFlight: number, limits: LimitsConfig): void {
  if (inFlight <= limits.exchangesInFlight) return;
  throw new GatewayError(
    "GATEWAY_OVERLOADED",
    `Cannot take one more exchange: ${limits.exchangesInFlight} are in flight (limits.exchanges_in_flight)`,
  );
}

/** CONNECT asks for a tunnel and TRACE for the request's own headers: a gateway offers neither. */
function checkMethod(method: string): void {
  if (method !== "CONNECT" && method !== "TRACE") return;
  throw new GatewayError("METHOD_NOT_ALLOWED", `Cannot serve method ${method}`);
}

function readAuthority(x: Exchange): { host: string; authority: string } {
  const { incoming } = x;
  const hosts = incoming.headers.getAll("host");
  // HTTP/1.0 knows no Host; the address that was called is the best name there is.
  const text =
    hosts.length === 0 && incoming.version === "1.0"
      ? `${incoming.localAddress}:${incoming.localPort}`
      : hosts.length === 1
        ? (hosts[0] ?? "")
        : undefined;
  if (text === undefined) throw malformed(`a request with ${hosts.length} Host lines`);
  const authority = parseAuthority(text);
  if (!authority.ok) throw malformed(`Host ${JSON.stringify(text)}: ${authority.problem}`);
  return { host: authority.host, authority: text };
}

function readTarget(
  x: Exchange,
  host: string,
  limits: LimitsConfig,
): { target: string; path: string } {
  const raw = x.incoming.target;
  if (raw.length > limits.requestTargetBytes) {
    throw new GatewayError(
      "REQUEST_URI_TOO_LONG",
      `Cannot take a target of ${raw.length} bytes: the limit is ${limits.requestTargetBytes} (limits.request_target)`,
    );
  }
  const target = parseTarget(raw);
  if (!target.ok) throw malformed(`target ${JSON.stringify(raw.slice(0, 200))}: ${target.problem}`);
  return target;
}

function checkHeaders(headers: HeaderList, limits: LimitsConfig): void {
  let bytes = 0;
  for (let at = 0; at < headers.size; at++) {
    bytes += headers.keyAt(at).length + headers.valueAt(at).length + 4; // ": " and CRLF
  }
  if (bytes <= limits.requestHeaderBytes) return;
  throw new GatewayError(
    "REQUEST_HEADERS_TOO_LARGE",
    `Cannot take ${bytes} bytes of headers: the limit is ${limits.requestHeaderBytes} (limits.request_headers)`,
  );
}

function malformed(what: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot serve ${what}`);
}
