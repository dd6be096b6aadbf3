/**
 * LEB128, the variable-length integers of the Wasm binary format: 7 bits a byte, low bits first,
 * the top bit says that another byte follows.
 *
 *   624485  =  0xE5 0x8E 0x26
 */

/** Bytes of the longest u32. */
export const U32_BYTES_MAX = 5;

export type U32 =
  | { readonly value: number; readonly end: number }
  | { readonly wrong: "truncated" | "too long" };

/**
 * Reads an unsigned 32-bit integer.
 * @param end first byte that does not belong to the input any more
 * @returns the value and the offset behind it, or what is wrong: no last byte before `end`, or more
 *   than 32 bits
 */
export function readU32(bytes: Uint8Array, offset: number, end: number): U32 {
  let value = 0;
  for (let at = 0; at < U32_BYTES_MAX; at++) {
    if (offset + at >= end) return { wrong: "truncated" };
    const byte = bytes[offset + at] as number;
    // The fifth byte holds the four bits that are left; anything above them does not fit.
    if (at === U32_BYTES_MAX - 1 && byte > 0x0f) return { wrong: "too long" };
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, end: offset + at + 1 };
  }
  return { wrong: "too long" };
}

/** The shortest encoding of an unsigned 32-bit integer. */
export function encodeU32(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** The shortest encoding of a signed integer of at most 32 bits. */
export function encodeI32(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  // Ends: the shift keeps the sign, so five turns leave 0 or -1.
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const signIsShown = (low & 0x40) !== 0;
    if ((rest === 0 && !signIsShown) || (rest === -1 && signIsShown)) {
      bytes.push(low);
      return Uint8Array.from(bytes);
    }
    bytes.push(low | 0x80);
  }
}
