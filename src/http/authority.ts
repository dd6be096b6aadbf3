import { isIPv6 } from "../base/ip-address.ts";
import { RecentTexts } from "./recent-texts.ts";
import { quoted, refuse, type Refusal } from "./refusal.ts";

/**
 * The value of a Host line, of `:authority`, or of an absolute-form target:
 *
 *   name | IPv4 | "[" IPv6 "]"   [ ":" port ]
 *
 * Stricter than RFC 3986, because routes are chosen by it and two readers must not differ: no
 * userinfo, no escapes, no list ("a, b" is two Host lines that a front has joined), no empty port.
 * One spelling: lower case, without the root's dot ("a.b." names the same host as "a.b" and would
 * dodge its routes), IPv6 addresses in their shortest form.
 */
export interface Authority {
  readonly ok: true;
  /** What routes are matched by: lower-case, no port, IPv6 in brackets. */
  readonly host: string;
  /** 1 to 65535; undefined when none is written. */
  readonly port: number | undefined;
  /** `host[:port]` in the same spelling: what the upstream is to be shown. */
  readonly authority: string;
}

/** @param text of one line, blanks around it already removed */
export function parseAuthority(text: string): Authority | Refusal {
  const known = RECENT.get(text);
  if (known !== undefined) return known;
  const parsed = readAuthority(text);
  if (!parsed.ok) return parsed;
  const slot = RECENT.claim(text, 0, text.length);
  if (slot >= 0) RECENT.put(slot, parsed);
  return parsed;
}

/** Clients name few hosts, and each over and over. */
const RECENT = new RecentTexts<Authority>();

function readAuthority(text: string): Authority | Refusal {
  if (text === "") return malformed("it is empty");
  if (text.length > AUTHORITY_CHARS_MAX) {
    return malformed(`${text.length} characters, the limit is ${AUTHORITY_CHARS_MAX}`);
  }
  const match = AUTHORITY.exec(text);
  if (match === null) return malformed(`${quoted(text)} is not of the form name[:port]`);
  const [, name = "", portText] = match;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65535) return malformed(`port ${port} is above 65535`);
  const host = name.startsWith("[") ? ipv6(name) : nameOrIpv4(name);
  if (host === undefined) return malformed(`${quoted(name)} is no host name and no address`);
  return { ok: true, host, port, authority: port === undefined ? host : `${host}:${port}` };
}

/**
 * The authority of a request from all its Host lines: RFC 9112 3.2 wants exactly one.
 * @param lines values in order, as HeaderList.getAll("host") gives them
 */
export function parseHostLines(lines: readonly string[]): Authority | Refusal {
  const [line] = lines;
  if (line === undefined) return malformed("no Host line");
  if (lines.length > 1) return malformed(`${lines.length} Host lines, one is allowed`);
  return parseAuthority(line);
}

/** Whether both name the same host and port; a port that is not written is the scheme's own. */
export function sameAuthority(a: Authority, b: Authority, scheme: "http" | "https"): boolean {
  const portOfScheme = scheme === "http" ? 80 : 443;
  return a.host === b.host && (a.port ?? portOfScheme) === (b.port ?? portOfScheme);
}

/** A DNS name has at most 253 characters; the rest is brackets, root's dot and port. */
const AUTHORITY_CHARS_MAX = 262;
/** Underscores are no host name characters by the letter, but container names have them. */
const AUTHORITY = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?$/;
const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;

function nameOrIpv4(text: string): string | undefined {
  const lower = text.toLowerCase();
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  if (name.length > 253 || !NAME.test(name)) return undefined;
  // Resolvers read "0x7f.1" or "127.1" as addresses; only the four-part decimal form is clear.
  const isNumeric = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name);
  return isNumeric && !IPV4.test(name) ? undefined : name;
}

function ipv6(bracketed: string): string | undefined {
  if (!isIPv6(bracketed.slice(1, -1))) return undefined;
  return new URL(`http://${bracketed}/`).hostname;
}

function malformed(problem: string): Refusal {
  return refuse("REQUEST_MALFORMED", problem);
}
