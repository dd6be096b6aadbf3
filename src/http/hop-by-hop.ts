import type { HeaderList } from "./headers.ts";

/**
 * Removes, in place, what concerns one connection only and must not pass a gateway, in either
 * direction (RFC 9110 7.6.1): Connection, every name that it lists, and the names below.
 * Content-Length stays: it is framing, and who writes the next message decides about it.
 *
 * A Connection line is written by the other side, so it may take away only what that side could
 * have left out without harm. Names that frame or address the message, or that carry what earlier
 * proxies, this gateway or its filters decide by, are kept although they are listed: else
 * "Connection: x-forwarded-for" would erase the trace that a proxy before us has left. Call this
 * on a head as it was received, before anything is added to it.
 */
export function stripHopByHop(
  headers: HeaderList,
  options: {
    /** The trailers of the answer can be relayed: `TE: trailers` stays when it was asked for. */
    readonly keepTrailersToken?: boolean;
  } = {},
): void {
  const keepTe = options.keepTrailersToken === true && asksForTrailers(headers);
  const listed = connectionTokens(headers);
  for (let at = headers.size - 1; at >= 0; at--) {
    const key = headers.keyAt(at);
    if (!HOP_BY_HOP.has(key) && !(listed.has(key) && !isProtected(key))) continue;
    headers.remove(key);
    at = Math.min(at, headers.size); // Lines of that name before this one are gone as well.
  }
  if (keepTe) headers.append("TE", "trailers");
}

/**
 * The protocol that a client asks to switch to, lower-case ("websocket"): one Upgrade line with one
 * protocol, confirmed by Connection. Look before stripHopByHop() takes both away.
 */
export function upgradeProtocol(headers: HeaderList): string | undefined {
  const lines = headers.getAll("upgrade");
  const [line] = lines;
  if (line === undefined || lines.length > 1 || !PROTOCOL.test(line)) {
    return undefined;
  }
  return connectionTokens(headers).has("upgrade") ? line.toLowerCase() : undefined;
}

/** token [ "/" token ] */
const PROTOCOL = /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?$/;

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  // For the nearest proxy alone (RFC 9110 11.7). To its clients this gateway is the server, so a
  // credential for a proxy is not the upstream's business, nor is an upstream's challenge theirs.
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  // CGI turns it into HTTP_PROXY, which many programs obey ("httpoxy", CVE-2016-5385).
  "proxy",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  // Not hop-by-hop by its definition, but a front that answers 100 has used it up.
  "expect",
]);

const PROTECTED: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "cookie",
  "set-cookie",
  "cache-control",
  "date",
  "location",
  "origin",
  "traceparent",
  "tracestate",
  "vary",
  "via",
  "www-authenticate",
  "x-real-ip",
  "x-request-id",
]);

function isProtected(key: string): boolean {
  return PROTECTED.has(key) || key.startsWith("content-") || key.startsWith("x-forwarded-");
}

const NONE: ReadonlySet<string> = new Set();

function connectionTokens(headers: HeaderList): ReadonlySet<string> {
  if (!headers.has("connection")) return NONE;
  return new Set(listMembers(headers, "connection"));
}

function asksForTrailers(headers: HeaderList): boolean {
  return headers.has("te") && listMembers(headers, "te").includes("trailers");
}

/** Lower-case members of a comma-separated list over all lines of that name. */
function listMembers(headers: HeaderList, key: string): string[] {
  const members = headers.getAll(key).join(",").toLowerCase().split(",");
  return members.map((member) => member.trim());
}
