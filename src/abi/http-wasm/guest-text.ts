import { misuse } from "./misuse.ts";
import type { HttpWasmGuest } from "./guest.ts";

/**
 * The rule for every value of this ABI: what is longer than `limit` is not written, and the guest
 * learns its length to come back with a larger buffer.
 * @param text one byte per char, chars up to U+00FF
 * @returns bytes of the value
 * @throws GuestMisuse when it fits and the buffer lies outside of the memory
 */
export function giveText(guest: HttpWasmGuest, text: string, buf: number, limit: number): number {
  if (text.length > limit >>> 0) return text.length;
  if (text.length > 0 && !guest.memory.writeLatin1(buf, text)) outside(buf, text.length);
  return text.length;
}

/** As giveText(). */
export function giveBytes(
  guest: HttpWasmGuest,
  bytes: Uint8Array,
  buf: number,
  limit: number,
): number {
  const { byteLength } = bytes;
  if (byteLength > limit >>> 0) return byteLength;
  if (byteLength > 0 && !guest.memory.write(buf, bytes)) outside(buf, byteLength);
  return byteLength;
}

/**
 * Each text with a NUL behind it.
 * @returns count in the upper half, bytes in the lower
 */
export function giveTexts(
  guest: HttpWasmGuest,
  texts: readonly string[],
  buf: number,
  limit: number,
): bigint {
  const block = texts.map((text) => `${text}\0`).join("");
  const byteLength = giveText(guest, block, buf, limit);
  return (BigInt(texts.length) << 32n) | BigInt(byteLength);
}

/**
 * No bytes may lie anywhere: that is how empty slices look.
 * @param what for the message
 * @throws GuestMisuse when it lies outside of the memory or is longer than `lengthMax` bytes
 */
export function takeText(
  guest: HttpWasmGuest,
  what: string,
  ptr: number,
  byteLength: number,
  lengthMax: number,
): string {
  if (byteLength === 0) return "";
  const text = guest.memory.latin1(ptr, byteLength, lengthMax);
  if (text === undefined) outside(ptr, byteLength);
  if (text.length > lengthMax) {
    misuse(`Cannot take ${what} of ${byteLength >>> 0} bytes: the limit is ${lengthMax}`);
  }
  return text;
}

/** @throws GuestMisuse */
export function outside(ptr: number, byteLength: number): never {
  return misuse(
    `Cannot use ${byteLength >>> 0} bytes at ${ptr >>> 0}: they lie outside of the memory`,
  );
}
