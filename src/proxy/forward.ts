import { GatewayError } from "../base/errors.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import { isToken } from "../http/framing.ts";
import { parseAuthority } from "../http/authority.ts";
import { quoted } from "../http/refusal.ts";
import { parseTarget } from "../http/target.ts";
import type { UpstreamResponse } from "../upstream/message.ts";
import type { Exchange } from "./exchange.ts";

/**
 * Sends the request to the route's upstream.
 * @returns the response, hop-by-hop lines removed
 * @throws GatewayError of the upstream, of a filter in the request's body, or of the client's body
 */
export async function forward(x: Exchange): Promise<UpstreamResponse> {
  const { request, incoming, chain, route } = x;
  if (route === undefined) throw new GatewayError("GATEWAY_INTERNAL", "forward() without a route");
  checkRewritten(x);
  const body = x.requestBody === undefined ? undefined : chain.requestBody(x.requestBody);
  x.requestSent = true;
  const response = await route.upstream.forward(
    {
      method: request.method,
      target: request.target,
      authority: request.authority,
      headers: request.headers,
      body,
      upgrade: incoming.upgrade,
    },
    { timeout: route.timeout, cancellation: x.cancellation },
  );
  stripHopByHop(response.headers);
  return response;
}

/** What filters have made of the request line must still be one: no second request in its lines. */
function checkRewritten(x: Exchange): void {
  const { method, target, authority } = x.request;
  const { admitted } = x;
  const wrong =
    method !== admitted?.method && !isToken(method)
      ? `method ${quoted(method)}`
      : target !== admitted?.target && !parseTarget(target).ok
        ? `target ${quoted(target)}`
        : authority !== admitted?.authority && !parseAuthority(authority).ok
          ? `authority ${quoted(authority)}`
          : undefined;
  if (wrong === undefined) return;
  throw new GatewayError("FILTER_FAILED", `Cannot forward ${wrong}, which a filter has set`);
}
