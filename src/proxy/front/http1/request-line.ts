import { GatewayError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { RecentTexts } from "../../../http/recent-texts.ts";
import { isToken } from "../../../http/token.ts";
import type { HttpVersion } from "../../../http/framing.ts";

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: HttpVersion;
}

/** bytes; a longer line is wrong whatever it holds: parseRequestLine() may be given it cut. */
export function requestLineBytesMax(targetBytesMax: number): number {
  return LIMITS.requestMethodBytesMax + 1 + targetBytesMax + 1 + "HTTP/1.1".length;
}

/** Clients ask for the same over and over. */
const RECENT = new RecentTexts<RequestLine>();

/**
 * parseRequestLine() of `text.slice(start, end)`, or what it has answered lately.
 * @throws as parseRequestLine()
 */
export function requestLineIn(
  text: string,
  start: number,
  end: number,
  targetBytesMax: number,
): RequestLine {
  const known = RECENT.find(text, start, end);
  if (known !== undefined && known.target.length <= targetBytesMax) return known;
  const line = parseRequestLine(text.slice(start, end), targetBytesMax);
  const slot = RECENT.claim(text, start, end);
  if (slot >= 0) RECENT.put(slot, line);
  return line;
}

/**
 *   GET SP /a?b SP HTTP/1.1        exactly two spaces, no control characters
 *
 * @param line without its CRLF; longer than requestLineBytesMax() it may be cut anywhere behind
 * @throws GatewayError for a malformed line (400), a long target (414), a long method (501), a
 *   version other than HTTP/1.0 and 1.1 (505)
 * @see RFC 9112 section 3
 */
export function parseRequestLine(line: string, targetBytesMax: number): RequestLine {
  const methodEnd = line.indexOf(" ");
  const method = line.slice(0, methodEnd < 0 ? line.length : methodEnd);
  checkMethod(method);
  if (methodEnd < 0) throw malformed(line, "it has no target");
  const targetStart = methodEnd + 1;
  const nextSpace = line.indexOf(" ", targetStart);
  const targetEnd = nextSpace < 0 ? line.length : nextSpace;
  const length = targetEnd - targetStart;
  if (length > targetBytesMax) {
    throw new GatewayError(
      "REQUEST_URI_TOO_LONG",
      `Cannot take a target of ${length} bytes or more: the limit is ${targetBytesMax}`,
    );
  }
  const target = line.slice(targetStart, targetEnd);
  // The version first: what follows from other versions is not ours to judge.
  const version = parseVersion(line, targetEnd + 1);
  if (!isTarget(target, method)) throw malformed(line, "its target has none of the four forms");
  return { method, target, version };
}

/** True when no request line begins like this; an early answer to TLS on the wrong port. */
export function cannotBegin(partial: string): boolean {
  return partial !== "" && partial !== "\r" && !isToken(partial.charAt(0));
}

function checkMethod(method: string): void {
  // Not the whole of it: a cut line must get the same answer.
  const checked = method.slice(0, LIMITS.requestMethodBytesMax + 1);
  if (!KNOWN_METHODS.has(checked) && !isToken(checked)) {
    throw malformed(checked, "its method is no token");
  }
  if (method.length > LIMITS.requestMethodBytesMax) {
    throw new GatewayError(
      "REQUEST_METHOD_UNSUPPORTED",
      `Cannot take a method of more than ${LIMITS.requestMethodBytesMax} bytes`,
    );
  }
}

const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

function parseVersion(line: string, start: number): HttpVersion {
  const version = line.slice(start);
  if (version === "HTTP/1.1") return "1.1";
  if (version === "HTTP/1.0") return "1.0";
  if (/^HTTP\/\d\.\d$/.test(version)) {
    throw new GatewayError("REQUEST_VERSION_UNSUPPORTED", `Cannot speak ${version}`);
  }
  throw malformed(line, "it does not end with a version");
}

/** Origin-form, absolute-form, "*" of OPTIONS, or anything for CONNECT. */
function isTarget(target: string, method: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f]/.test(target)) return false;
  if (target.charCodeAt(0) === 0x2f) return true;
  if (method === "CONNECT") return target !== "";
  if (target === "*") return method === "OPTIONS";
  return /^[A-Za-z][A-Za-z0-9+\-.]*:\/\//.test(target);
}

function malformed(line: string, why: string): GatewayError {
  const shown = JSON.stringify(line.slice(0, 80));
  return new GatewayError("REQUEST_MALFORMED", `Cannot read request line ${shown}: ${why}`);
}
