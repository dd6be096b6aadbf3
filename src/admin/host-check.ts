import { parseHostLines } from "../http/authority.ts";
import type { HeaderList } from "../http/headers.ts";

/**
 * Why a request is refused for its Host. A page in a browser can have its own name resolve to
 * 127.0.0.1 and would then read this port as its own; but the browser still sends the name. Clients
 * of HTTP/1.0 may send none: no browser is among them.
 */
export function hostProblem(headers: HeaderList, version: "1.0" | "1.1"): string | undefined {
  const lines = headers.getAll("host");
  if (version === "1.0" && lines.length === 0) return undefined;
  const authority = parseHostLines(lines);
  if (authority.ok && isLoopback(authority.host)) return undefined;
  return "Host has to be localhost or a loopback address";
}

/** @param host as parseAuthority() has it */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
