import type { PropertyValue } from "../../filter/filter.ts";
import { HeaderList } from "../../http/headers.ts";
import { HeaderMap } from "./header-map.ts";
import { NO_PSEUDO_HEADERS } from "./pseudo-headers.ts";

const NUMBER_BYTES = 8;

/**
 * Text and bytes as they are, integers as 8 bytes, times and durations as 8 bytes of nanoseconds,
 * doubles as 8 bytes, booleans as 1 byte, maps as pairs; all little-endian.
 * @returns undefined above LIMITS.pairsBytesMax
 */
export function encodeProperty(value: Exclude<PropertyValue, string>): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof HeaderList) return new HeaderMap(value, NO_PSEUDO_HEADERS).encoded();
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  return encodeNumber(value);
}

/** @param value bigint: 64 bits with a sign; number: a double */
export function encodeNumber(value: bigint | number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(NUMBER_BYTES));
  if (typeof value === "bigint") bytes.setBigInt64(0, value, true);
  else bytes.setFloat64(0, value, true);
  return new Uint8Array(bytes.buffer);
}
