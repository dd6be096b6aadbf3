import { isIPv6 } from "../base/ip-address.ts";
import { isHostName } from "./address.ts";
import { messageOf } from "../base/errors.ts";
import type { DiagnosticCode } from "./codes.ts";

/** What is wrong with a uri, a host or a pattern, as the end of a sentence. */
export interface Problem {
  readonly code: DiagnosticCode;
  readonly problem: string;
  readonly hint?: string | undefined;
}

/**
 * A route's uri: exact, a prefix that ends in slash and star, with :parameters, or `~` and a
 * regular expression. It is compared with a request's path in its one spelling (escapes of letters
 * decoded, slashes merged, dots resolved), so a uri in another spelling could never match: it is
 * refused.
 */
export function checkUri(uri: string): Problem | undefined {
  if (uri.startsWith("~")) return checkPattern(uri.slice(1));
  if (!uri.startsWith("/")) {
    return bad("does not start with /", uri.startsWith("^") ? `~${uri}` : `/${uri}`);
  }
  const query = uri.indexOf("?");
  if (query >= 0) {
    return bad("holds a query, only the path is matched", uri.slice(0, query));
  }
  return checkCharacters(uri) ?? checkSegments(uri);
}

function checkCharacters(uri: string): Problem | undefined {
  const found = /[^!-~]|["#<>[\\\]^`{|}]|%(?![0-9A-F]{2})/.exec(uri)?.[0];
  if (found !== undefined) {
    if (found === "{" || found === "}") {
      const parameters = uri.replaceAll(/\{(\w+)\}/g, ":$1");
      return bad(`holds ${found}, which no path does`, parameters);
    }
    if (found === "%") {
      const suggestion = upper(uri) === uri ? undefined : upper(uri);
      return bad("holds a % that is not followed by two of 0-9A-F", suggestion);
    }
    return bad(`holds ${JSON.stringify(found)}, which a path has only percent-encoded`);
  }
  const decoded = uri.replaceAll(/%[0-9A-F]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escape;
  });
  return decoded === uri
    ? undefined
    : bad("holds an escape that is decoded before matching", decoded);
}

function upper(uri: string): string {
  return uri.replaceAll(/%[0-9a-fA-F]{2}/g, (escape) => escape.toUpperCase());
}

function checkSegments(uri: string): Problem | undefined {
  if (uri.includes("//")) {
    return bad("holds //, which is merged before matching", uri.replaceAll(/\/{2,}/g, "/"));
  }
  const segments = uri.slice(1).split("/");
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    if (segment === "." || segment === "..") {
      return bad(`holds the segment ${segment}, which is resolved before matching`);
    }
    if (segment.includes("*") && (segment !== "*" || index < segments.length - 1)) {
      const prefix = `/${segments.slice(0, index).join("/")}`;
      const before = segment.slice(0, segment.indexOf("*"));
      return bad(
        "holds a * that is not a last segment of its own",
        `${prefix}/${before}/*`.replaceAll(/\/{2,}/g, "/"),
      );
    }
    if (!segment.startsWith(":")) continue;
    const name = segment.slice(1);
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      return bad(
        `has a parameter ${JSON.stringify(segment)}, whose name is not of letters, digits and _`,
      );
    }
    if (names.has(name)) return bad(`has two parameters :${name}`);
    names.add(name);
  }
  return undefined;
}

function bad(problem: string, suggestion?: string): Problem {
  const hint = suggestion === undefined ? undefined : `did you mean ${JSON.stringify(suggestion)}?`;
  return { code: "CONFIG_BAD_URI", problem, hint };
}

/** @param pattern a JavaScript regular expression, no flags */
export function checkPattern(pattern: string): Problem | undefined {
  try {
    void new RegExp(pattern);
    return undefined;
  } catch (error) {
    const why = messageOf(error).replace(/^Invalid regular expression:\s*/, "");
    return { code: "CONFIG_BAD_REGEX", problem: `is no regular expression: ${why}` };
  }
}

/**
 * A route's host in the spelling that requests are compared with: lower case, IPv6 in brackets.
 * @returns the host, or what is wrong
 */
export function readHost(written: string): { host: string } | Problem {
  const host = written.toLowerCase();
  if (host === "*") {
    return { ...wrong("is no wildcard"), hint: "leave the host out to match every host" };
  }
  if (host.includes("://")) return wrong("is a URL, not a host", /:\/\/([^/:]*)/.exec(host)?.[1]);
  const bracketed = /^\[([^\]]*)\](:\d+)?$/.exec(host);
  const address = bracketed?.[1] ?? host;
  if (isIPv6(address) && bracketed?.[2] === undefined) {
    return { host: new URL(`http://[${address}]/`).hostname };
  }
  const port = /:\d+$/.exec(host);
  if (port !== null)
    return wrong("has a port, routes match the host alone", host.slice(0, port.index));
  if (host.endsWith(".")) return wrong("ends with a dot", host.slice(0, -1));
  const name = host.startsWith("*.") ? host.slice(2) : host;
  if (name.includes("*")) {
    const suffix = /^\*([^*.].*)$/.exec(name)?.[1];
    const suggestion = suffix === undefined ? undefined : `*.${suffix}`;
    return wrong("has a * that does not stand for the labels at its start", suggestion);
  }
  if (/\P{ASCII}/u.test(name)) {
    return { ...wrong("is not ASCII"), hint: "write an international name as its xn--… form" };
  }
  return isHostName(name) ? { host } : wrong("is neither a name nor an IP address");
}

function wrong(problem: string, suggestion?: string): Problem {
  return { ...bad(problem, suggestion), code: "CONFIG_BAD_HOST" };
}
