import { GatewayError } from "../../../base/errors.ts";
import { isFieldName } from "../../../http/framing.ts";
import type { HeaderList } from "../../../http/headers.ts";
import type { Input } from "./input.ts";

/** Names that mean something to the connection itself, as bits; every other name is 0. */
export const HEADER = {
  host: 1,
  contentLength: 2,
  transferEncoding: 4,
  connection: 8,
  expect: 16,
  te: 32,
  upgrade: 64,
} as const;

/**
 * Appends a header or trailer line to `headers` after strict checks: a token, the colon right
 * behind it, a value without controls, no folding.
 * @param input stands on the line
 * @returns the name's bit of HEADER, or 0
 * @throws GatewayError REQUEST_MALFORMED
 * @see RFC 9112 section 5
 */
export function appendHeaderLine(input: Input, headers: HeaderList): number {
  const { text, lineStart, lineEnd } = input;
  const colon = text.indexOf(":", lineStart);
  // Without a colon in the line the name is empty, which is no name.
  const name = colon < 0 || colon >= lineEnd ? "" : text.slice(lineStart, colon);
  const bit = BITS.get(name) ?? classify(name, input);
  let start = colon + 1;
  let end = lineEnd;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  const value = text.slice(start, end);
  if (!input.isLineClean && CONTROL.test(value)) {
    throw malformed(`the value of header ${name}: it has a control character`);
  }
  headers.append(name, value);
  return bit;
}

/** What a value must not have: all controls but HTAB. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["host", HEADER.host],
  ["content-length", HEADER.contentLength],
  ["transfer-encoding", HEADER.transferEncoding],
  ["connection", HEADER.connection],
  ["expect", HEADER.expect],
  ["te", HEADER.te],
  ["upgrade", HEADER.upgrade],
]);

/** Spellings that have been checked, and their bits; bounded because clients choose them. */
const BITS_MAX = 1024;
const BITS = new Map<string, number>();

function classify(name: string, input: Input): number {
  if (!isFieldName(name)) {
    throw malformed(
      `header line ${JSON.stringify(input.line.slice(0, 40))}: it has no name and colon`,
    );
  }
  const bit = SPECIAL.get(name.toLowerCase()) ?? 0;
  if (BITS.size < BITS_MAX && name.length <= 64) BITS.set(name, bit);
  return bit;
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

function malformed(what: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot read ${what}`);
}
