import { type CelValue, isCelList, isCelMap, isCelUint } from "@bufbuild/cel";
import { isMessage } from "@bufbuild/protobuf";
import { isReflectMessage } from "@bufbuild/protobuf/reflect";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { encodePairs } from "./pairs.ts";
import { encodeNumber } from "./property-encoding.ts";

/**
 * A value of CEL in the encoding of properties; times and durations are nanoseconds, a list is a
 * map of its elements to nothing.
 * @returns undefined for what has no encoding: null, a type, more than LIMITS.pairsBytesMax
 */
export function encodeCelValue(value: CelValue): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "bigint" || typeof value === "number") return encodeNumber(value);
  if (value === null) return undefined;
  if (isCelUint(value)) return encodeNumber(BigInt.asIntN(64, value.value));
  if (isCelList(value)) return encodeEntries([...value].map((element) => [element, ""]));
  if (isCelMap(value)) return encodeEntries([...value]);
  return encodeTime(value);
}

function encodeEntries(entries: readonly (readonly [CelValue, CelValue])[]) {
  const names: string[] = [];
  const values: string[] = [];
  for (const [key, value] of entries) {
    const name = encodeCelValue(key);
    const bytes = encodeCelValue(value);
    if (name === undefined || bytes === undefined) return undefined;
    names.push(Buffer.from(name).toString("latin1"));
    values.push(Buffer.from(bytes).toString("latin1"));
  }
  return encodePairs(names, values);
}

const NS_PER_S = 1_000_000_000n;

function encodeTime(value: CelValue): Uint8Array | undefined {
  if (!isReflectMessage(value)) return undefined;
  const { message } = value;
  if (!isMessage(message, TimestampSchema) && !isMessage(message, DurationSchema)) return undefined;
  return encodeNumber(BigInt.asIntN(64, message.seconds * NS_PER_S + BigInt(message.nanos)));
}
