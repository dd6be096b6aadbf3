/**
 * What a guest may write into a header map. A line break in a value, or a space in a name, would
 * let it write lines of its own into the message, or a second message behind it.
 */

/** RFC 9110's token. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** No control characters but tab; bytes from 0x80 up pass, and nothing that is no byte. */
export function isFieldValue(text: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(text);
}

/** Path and query as they stand in a request line. */
export function isTarget(text: string): boolean {
  return text === "*" || /^\/[\x21-\x7e\x80-\xff]*$/.test(text);
}

/** Host and port, without user information. */
export function isAuthority(text: string): boolean {
  return /^[A-Za-z0-9._~!$&'()*+,;=:%[\]-]+$/.test(text);
}

export function isScheme(text: string): boolean {
  return text === "http" || text === "https";
}

/** A final status as a number, undefined when it is none. */
export function parseStatus(text: string): number | undefined {
  const status = Number(text);
  return /^[2-5]\d\d$/.test(text) ? status : undefined;
}

/** Without spaces and tabs at both ends, which do not belong to a value. */
export function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value, start)) start++;
  while (end > start && isBlank(value, end - 1)) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}
