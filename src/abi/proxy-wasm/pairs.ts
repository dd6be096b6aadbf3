import { LIMITS } from "../../base/limits.ts";

/**
 * Header maps as bytes.
 *
 *   u32le count │ (u32le nameLen, u32le valueLen) × count │ (name NUL value NUL) × count
 *
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#serialization
 */
export interface Pairs {
  /** In wire order; a name may repeat. Latin-1. */
  readonly names: string[];
  readonly values: string[];
}

const COUNT_BYTES = 4;
const LENGTHS_BYTES = 8;

/** Up to here a loop over the chars beats a call into the runtime (measured). */
const LOOP_LENGTH_MAX = 24;

/**
 * Serializes pairs the way `proxy_get_header_map_pairs` hands them to the guest. No pairs are zero
 * bytes: the specification also allows a single 0x00, but the Rust SDK panics on it.
 * @returns undefined above LIMITS.pairsBytesMax
 */
export function encodePairs(
  names: readonly string[],
  values: readonly string[],
): Uint8Array | undefined {
  const count = names.length;
  if (count === 0) return new Uint8Array(0);
  let total = COUNT_BYTES + LENGTHS_BYTES * count;
  for (let index = 0; index < count; index++) {
    total += (names[index] as string).length + (values[index] as string).length + 2;
  }
  if (total > LIMITS.pairsBytesMax) return undefined;
  const bytes = Buffer.alloc(total); // Zeroed: the NULs need not be written.
  bytes.writeUInt32LE(count, 0);
  let lengthsAt = COUNT_BYTES;
  let at = COUNT_BYTES + LENGTHS_BYTES * count;
  for (let index = 0; index < count; index++) {
    const name = names[index] as string;
    const value = values[index] as string;
    bytes.writeUInt32LE(name.length, lengthsAt);
    bytes.writeUInt32LE(value.length, lengthsAt + 4);
    lengthsAt += LENGTHS_BYTES;
    writeText(bytes, at, name);
    at += name.length + 1;
    writeText(bytes, at, value);
    at += value.length + 1;
  }
  return bytes;
}

/**
 * Reads what a guest hands over. Zero bytes, a count of zero and a single 0x00 are no pairs.
 * @returns undefined when it is malformed (a length too long or too short, a NUL missing), above
 *   LIMITS.pairsBytesMax or above LIMITS.pairsCountMax
 */
export function decodePairs(bytes: Uint8Array): Pairs | undefined {
  const pairs: Pairs = { names: [], values: [] };
  const { byteLength } = bytes;
  if (byteLength === 0 || (byteLength === 1 && bytes[0] === 0)) return pairs;
  if (byteLength < COUNT_BYTES || byteLength > LIMITS.pairsBytesMax) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, byteLength);
  const count = text.readUInt32LE(0);
  let at = COUNT_BYTES + LENGTHS_BYTES * count;
  if (count > LIMITS.pairsCountMax || at > byteLength) return undefined;
  const take = (lengthAt: number): string | undefined => {
    const end = at + text.readUInt32LE(lengthAt);
    if (end >= byteLength || text[end] !== 0) return undefined;
    const taken = text.toString("latin1", at, end);
    at = end + 1;
    return taken;
  };
  for (let index = 0; index < count; index++) {
    const lengthsAt = COUNT_BYTES + LENGTHS_BYTES * index;
    const name = take(lengthsAt);
    const value = take(lengthsAt + 4);
    if (name === undefined || value === undefined) return undefined;
    pairs.names.push(name);
    pairs.values.push(value);
  }
  return at === byteLength ? pairs : undefined;
}

function writeText(bytes: Buffer, at: number, text: string): void {
  if (text.length > LOOP_LENGTH_MAX) {
    bytes.write(text, at, "latin1");
    return;
  }
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}
