import { isIPv6 } from "../base/ip-address.ts";
import { parseAddress } from "./address.ts";

/**
 * Addresses that `allow.http_call` grants beside upstreams, as they are written and as they are
 * compared: one spelling for each, so that no second spelling slips through or misses.
 *
 *   10.1.2.3:8080   auth.example:443   [2001:db8::1]:*   *.internal.example:443
 */
export type CallPattern =
  | { readonly pattern: string }
  /** The end of a sentence that begins with the pattern. */
  | { readonly problem: string; readonly hint?: string };

const WILDCARD = "*.";
const ANY_PORT = "*";

export function parseCallPattern(written: string): CallPattern {
  const isWildcard = written.startsWith(WILDCARD);
  const rest = isWildcard ? written.slice(WILDCARD.length) : written;
  const port = /:(\*|\d+)$/.exec(rest)?.[1];
  const host = port === undefined ? rest : rest.slice(0, -port.length - 1);
  if (host.includes("*")) {
    const problem =
      'has a "*" in the wrong place: it stands for whole labels at the start, or a port';
    return { problem };
  }
  const address = parseAddress(port === undefined || port === ANY_PORT ? host : rest);
  if ("problem" in address) return address;
  if (port === undefined) {
    const hint = `write "${written}:443" for one port, "${written}:*" for every port`;
    return { problem: "has no port", hint };
  }
  if (address.port === 0) return { problem: "has the port 0, on which nobody listens" };
  const key = hostKey(address.host);
  if (isWildcard && (isIPv6(address.host) || /^[\d.]+$/.test(key))) {
    return { problem: 'has "*." before an IP address, which has no labels' };
  }
  return { pattern: `${isWildcard ? WILDCARD : ""}${key}:${address.port ?? ANY_PORT}` };
}

/**
 * @param pattern of parseCallPattern()
 * @param host of hostKey()
 */
export function matchesCallPattern(pattern: string, host: string, port: number): boolean {
  const at = pattern.lastIndexOf(":");
  const wantedPort = pattern.slice(at + 1);
  if (wantedPort !== ANY_PORT && wantedPort !== String(port)) return false;
  const wantedHost = pattern.slice(0, at);
  return wantedHost.startsWith(WILDCARD)
    ? host.endsWith(wantedHost.slice(1)) && host.length >= wantedHost.length
    : host === wantedHost;
}

/**
 * The one spelling in which hosts are compared: lower-case, without the dot of the root, IPv6 in
 * its shortest form and in brackets.
 * @param host of parseAddress()
 */
export function hostKey(host: string): string {
  if (isIPv6(host)) return new URL(`http://[${host}]`).hostname;
  const name = host.toLowerCase();
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
