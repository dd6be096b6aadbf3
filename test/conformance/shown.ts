/** chars of a text that a transcript shows. */
const SHOWN_MAX = 256;

/** A text of one char, repeated, as a transcript shows it: cut, with its length in bytes. */
export function shownLong(char: string, byteLength: number): string {
  const shown = char.repeat(Math.min(SHOWN_MAX, byteLength));
  return byteLength > SHOWN_MAX ? `"${shown}"… (${byteLength} bytes)` : `"${shown}"`;
}

/** The body that a client gets when its exchange fails. */
export function shownFailure(error: string, status: number): string {
  const body = `${JSON.stringify({ error, status, request_id: "plugin-run" })}\n`;
  return `=> client body ${JSON.stringify(body)}`;
}
