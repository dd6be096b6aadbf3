import { GatewayError } from "../../base/errors.ts";
import type { Body } from "../../http/body.ts";
import { isToken } from "../../http/token.ts";
import { HeadText } from "../../http/head-text.ts";
import { ROLE } from "../../http/header-name.ts";
import type { HeaderList } from "../../http/headers.ts";
import { RecentTexts } from "../../http/recent-texts.ts";
import { quoted } from "../../http/refusal.ts";
import type { UpstreamRequest } from "../message.ts";
import { hasControls } from "./syntax.ts";

/** Lines that the client writes itself: a second one would let two parsers disagree. */
const OWN_LINES =
  ROLE.host | ROLE.contentLength | ROLE.transferEncoding | ROLE.connection | ROLE.upgrade;

/** Blanks and controls would end a part of the request line; above U+00FF is not latin-1. */
const NOT_IN_REQUEST_LINE = /[^\x21-\x7e\x80-\xff]/;

/**
 * Request line and header lines, the empty line included.
 *
 *   GET /path HTTP/1.1 │ Host │ headers in order │ framing │ Upgrade
 *
 * @throws GatewayError GATEWAY_INTERNAL when a part could be read as more than it is
 */
export function requestHead(request: UpstreamRequest): HeadText {
  const opening = openingOf(request);
  checkLines(request.headers);
  return new HeadText(opening, request.headers.toText(0), endOf(request));
}

/** The lines that are the client's own, and the empty one. */
function endOf({ method, body, upgrade }: UpstreamRequest): string {
  let text = "";
  if (body !== undefined) {
    const length = sentLength(body);
    text =
      length === undefined ? "\r\nTransfer-Encoding: chunked" : `\r\nContent-Length: ${length}`;
  } else if (EXPECTS_BODY.has(method)) {
    text = "\r\nContent-Length: 0";
  }
  if (upgrade !== undefined) {
    if (hasControls(upgrade)) throw refused(`the upgrade to ${quoted(upgrade)}`);
    text += `\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}`;
  }
  return text === "" ? "\r\n\r\n" : `${text}\r\n\r\n`;
}

/** Request line and Host line, checked. */
interface Opening {
  readonly method: string;
  readonly authority: string;
  readonly text: string;
}

/** By target. */
const RECENT = new RecentTexts<Opening>();

function openingOf({ method, target, authority }: UpstreamRequest): string {
  const known = RECENT.get(target);
  if (known?.method === method && known.authority === authority) return known.text;
  if (!isToken(method)) throw refused(`the method ${quoted(method)}`);
  if (target === "" || NOT_IN_REQUEST_LINE.test(target))
    throw refused(`the target ${quoted(target)}`);
  if (NOT_IN_REQUEST_LINE.test(authority)) throw refused(`the authority ${quoted(authority)}`);
  const text = `${method} ${target} HTTP/1.1\r\nHost: ${authority}`;
  const slot = RECENT.claim(target, 0, target.length);
  if (slot >= 0) RECENT.put(slot, { method, authority, text });
  return text;
}

/** bytes; undefined for a body that is sent in chunks: trailers travel behind chunks only. */
export function sentLength(body: Body): number | undefined {
  return (body.trailers?.size ?? 0) > 0 ? undefined : body.length;
}

/** Methods whose empty body has to be told (RFC 9110 8.6): without it servers answer 411. */
const EXPECTS_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * Trailer lines, each with its CR LF.
 * @throws GatewayError GATEWAY_INTERNAL
 */
export function trailerLines(trailers: HeaderList): string {
  checkLines(trailers);
  const text = trailers.toText(0);
  return text === "" ? "" : `${text.slice(2)}\r\n`;
}

/** @throws GatewayError GATEWAY_INTERNAL */
function checkLines(headers: HeaderList): void {
  if (headers.isChecked && (headers.roles & OWN_LINES) === 0) return;
  for (let at = 0; at < headers.size; at++) {
    const name = headers.nameAt(at);
    const value = headers.valueAt(at);
    if (!headers.isNameAtValid(at)) throw refused(`the header name ${quoted(name)}`);
    if (hasControls(value)) throw refused(`the value ${quoted(value)} of header "${name}"`);
    if ((headers.rolesAt(at) & OWN_LINES) !== 0) throw refused(`a second "${name}" line`);
  }
}

function refused(what: string): GatewayError {
  return new GatewayError("GATEWAY_INTERNAL", `Cannot write ${what} into an upstream request`);
}
