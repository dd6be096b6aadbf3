import { GatewayError } from "../base/errors.ts";
import { ROLE } from "../http/header-name.ts";
import { checkMethod } from "../http/method.ts";
import { parseAuthority } from "../http/authority.ts";
import { quoted } from "../http/refusal.ts";
import { parseTarget } from "../http/target.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Sends the request to the route's upstream. The exchange is told of the response as it came, or of
 * the upstream's failure, a filter's in the request's body, or the client's.
 * @throws GatewayError FILTER_FAILED when filters have made what is no request
 */
export function forward(x: Exchange): void {
  const { request, incoming, chain, route } = x;
  if (route === undefined) throw new GatewayError("GATEWAY_INTERNAL", "forward() without a route");
  if (isRewritten(x)) normaliseRewritten(x);
  // Filters see the lines, but framing and the connection are the client's business: SDKs that
  // rewrite bodies set a Content-Length as a matter of course.
  request.headers.removeRoles(NOT_FOR_FILTERS);
  const body = chain.body("request");
  x.requestSent = true;
  route.upstream.send(
    {
      method: request.method,
      target: request.target,
      authority: request.authority,
      headers: request.headers,
      body,
      // Any other protocol would be a tunnel past every route and filter ("h2c smuggling").
      upgrade: incoming.upgrade === "websocket" ? "websocket" : undefined,
    },
    { timeout: route.timeout, cancellation: x.cancellation, startedMs: x.startedAt },
    x,
  );
}

const NOT_FOR_FILTERS =
  ROLE.host | ROLE.contentLength | ROLE.transferEncoding | ROLE.connection | ROLE.upgrade;

/** Filters have changed the request line. */
export function isRewritten({ request, admitted }: Exchange): boolean {
  return (
    admitted === undefined ||
    request.method !== admitted.method ||
    request.target !== admitted.target.target ||
    request.authority !== admitted.authority.authority
  );
}

/**
 * What filters have made of the request line must still be one, in the one spelling that everybody
 * reads alike: no second request in its lines, and no other host in its target.
 * @returns what routes are chosen by
 * @throws GatewayError FILTER_FAILED
 */
export function normaliseRewritten(x: Exchange): { host: string; path: string } {
  const { request, admitted } = x;
  const { method, target, authority } = request;
  let host = admitted?.authority.host ?? "";
  let path = admitted?.target.path ?? "";
  if (method !== admitted?.method && checkMethod(method) !== undefined) {
    throw notForwarded("method", method);
  }
  if (target !== admitted?.target.target) {
    const parsed = parseTarget(target);
    if (!parsed.ok) throw notForwarded("target", target);
    request.target = parsed.target;
    path = parsed.path;
  }
  if (authority !== admitted?.authority.authority) {
    const parsed = parseAuthority(authority);
    if (!parsed.ok) throw notForwarded("authority", authority);
    request.authority = parsed.authority;
    host = parsed.host;
  }
  return { host, path };
}

function notForwarded(part: string, text: string): GatewayError {
  return new GatewayError(
    "FILTER_FAILED",
    `Cannot forward ${part} ${quoted(text)}, which a filter has set`,
  );
}
