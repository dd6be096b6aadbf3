/**
 * Latin-1 text in byte buffers: one char is one byte.
 *
 * Buffer has a method for each encoding beside those that are told its name, which is read anew
 * with each call: for the length of a head that costs as much as the copying. They are borrowed
 * here, since bytes that a socket hands out are no Buffers.
 */
interface Latin1Methods {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly latin1Write: (this: Uint8Array, text: string, at: number) => number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as Latin1Methods;

/** @param end exclusive, bytes */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/**
 * Of a char above U+00FF the low byte is written: whoever makes the text lets none in.
 * @param into has room for it: what does not fit is left out
 * @returns where it ends in `into`
 */
export function writeLatin1(into: Uint8Array, text: string, at: number): number {
  return text === "" ? at : at + latin1Write.call(into, text, at);
}
