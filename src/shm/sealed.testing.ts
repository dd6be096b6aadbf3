import type { SeededRandom } from "../base/random.testing.ts";

/** Values of which a test can see that they are whole. */

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Random bytes, and in front of them four with their checksum. */
export function sealed(random: SeededRandom, byteLength: number): Uint8Array {
  const value = new Uint8Array(4 + byteLength);
  let word = random.below(2 ** 32);
  for (let at = 4; at < value.byteLength; at++) {
    word = Math.imul(word, 1_664_525) + 1_013_904_223;
    value[at] = word >>> 24;
  }
  new DataView(value.buffer).setUint32(0, Bun.hash.crc32(value.subarray(4)));
  return value;
}

export function isWhole(value: Uint8Array): boolean {
  if (value.byteLength < 4) return false;
  const stored = new DataView(value.buffer, value.byteOffset).getUint32(0);
  return stored === Bun.hash.crc32(value.subarray(4));
}
