import { headerName, ROLE } from "./header-name.ts";
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
  if ((headers.roles & ROLE.hopByHop) === 0) return;
  const keepTe = options.keepTrailersToken === true && asksForTrailers(headers);
  if ((headers.roles & ROLE.connection) !== 0) removeListed(headers);
  headers.removeRoles(ROLE.hopByHop);
  if (keepTe) headers.appendChecked(TE, "trailers");
}

const TE = headerName("TE");

/** Takes off what Connection lines name. */
function removeListed(headers: HeaderList): void {
  const line = headers.only("connection");
  // What nearly all of them say.
  if (line === "keep-alive" || line === "close") return;
  for (const key of connectionTokens(headers)) if (!isProtected(key)) headers.remove(key);
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
