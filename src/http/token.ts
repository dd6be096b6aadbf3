/** A method, a header name or a protocol name: one or more of the 77 token characters. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
