import { GatewayError } from "../../base/errors.ts";
import { headerNameIn } from "../../http/header-name.ts";
import type { HeaderList } from "../../http/headers.ts";
import { quoted } from "../../http/refusal.ts";

/**
 * The grammar of HTTP/1.1 header lines, as strict as RFC 9112 allows a recipient to be.
 *
 *   Name ":" OWS value OWS CR LF        text is latin-1: one char is one byte
 *
 * Why strict: two parsers that disagree about one byte are how requests and responses get smuggled.
 */

/** Not a visible character, a space or a tab; above U+00FF is not latin-1. */
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** True when `text` holds a control character (tab excepted). */
export function hasControls(text: string): boolean {
  return NOT_A_VALUE.test(text);
}

/** The node broke the protocol. The exchange adds whose response it was. */
export function badResponse(what: string): GatewayError {
  return new GatewayError("UPSTREAM_BAD_RESPONSE", what);
}

/**
 * Appends the header lines of `text` from `start` on to `list`.
 * @param text every line ends in CR LF, the last one included
 * @throws GatewayError UPSTREAM_BAD_RESPONSE
 */
export function parseFieldLines(
  text: string,
  start: number,
  list: HeaderList,
  linesMax: number,
): void {
  // One look at all lines is cheaper than one at each; what it finds is named by line below.
  const isClean = !NOT_IN_LINES.test(text);
  let at = start;
  while (at < text.length) {
    const lineEnd = text.indexOf("\r\n", at);
    // One CR and one LF, and nothing that another server could take for a line's end.
    const isLine = isClean && text.indexOf("\r", at) === lineEnd;
    if (list.size === linesMax) throw badResponse(`more than ${linesMax} header lines`);
    const colon = text.indexOf(":", at);
    if (colon < 0 || colon > lineEnd) {
      throw badResponse(`the header line ${quoted(text.slice(at, lineEnd))} has no colon`);
    }
    const name = headerNameIn(text, at, colon);
    // No name holds a blank: neither a folded line nor a space before the colon gets through.
    if (!name.isValid) throw badResponse(`${quoted(name.text)} is not a header name`);
    if (isLine && isPlain(text, colon, lineEnd)) {
      list.appendFrom(name, text, at, lineEnd);
    } else {
      const value = trimmed(text, colon + 1, lineEnd);
      if (NOT_A_VALUE.test(value)) throw badResponse(controlIn(name.text, value));
      list.appendChecked(name, value);
    }
    at = lineEnd + 2;
  }
}

/** What no head has: like NOT_A_VALUE, but for CR LF; a LF that stands alone was refused before. */
const NOT_IN_LINES = /[^\t\r\n\x20-\x7e\x80-\xff]/;

/** One space behind the colon, and none at the end: as this gateway would write it. */
function isPlain(text: string, colon: number, lineEnd: number): boolean {
  return (
    text.charCodeAt(colon + 1) === 0x20 &&
    lineEnd > colon + 2 &&
    !isBlank(text.charCodeAt(colon + 2)) &&
    !isBlank(text.charCodeAt(lineEnd - 1))
  );
}

function controlIn(name: string, value: string): string {
  return `the value of header "${name}" holds a control character: ${quoted(value)}`;
}

function trimmed(text: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < last && isBlank(text.charCodeAt(first))) first++;
  while (last > first && isBlank(text.charCodeAt(last - 1))) last--;
  return text.slice(first, last);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
