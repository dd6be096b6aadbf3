import { GatewayError } from "../../../base/errors.ts";
import { headerNameIn } from "../../../http/header-name.ts";
import type { HeaderList } from "../../../http/headers.ts";
import type { Input } from "./input.ts";

/**
 * Appends a header or trailer line to `headers` after strict checks: a token, the colon right
 * behind it, a value without controls, no folding.
 * @param input stands on the line
 * @returns the name's bits of ROLE
 * @throws GatewayError REQUEST_MALFORMED
 * @see RFC 9112 section 5
 */
export function appendHeaderLine(input: Input, headers: HeaderList): number {
  const { text, lineStart, lineEnd } = input;
  const colon = text.indexOf(":", lineStart);
  // Without a colon in the line the name is empty, which is no name.
  const nameEnd = colon < 0 || colon >= lineEnd ? lineStart : colon;
  const name = headerNameIn(text, lineStart, nameEnd);
  if (!name.isValid) {
    const shown = JSON.stringify(input.line.slice(0, 40));
    throw malformed(`header line ${shown}: it has no name and colon`);
  }
  let start = colon + 1;
  let end = lineEnd;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  if (!input.isLineClean && CONTROL.test(text.slice(start, end))) {
    throw malformed(`the value of header ${name.text}: it has a control character`);
  }
  const isPlain = end === lineEnd && start === colon + 2 && text.charCodeAt(colon + 1) === SPACE;
  if (isPlain) headers.appendFrom(name, text, lineStart, lineEnd);
  else headers.appendChecked(name, text.slice(start, end));
  return name.roles;
}

const SPACE = 0x20;

/** What a value must not have: all controls but HTAB. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

function malformed(what: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot read ${what}`);
}
