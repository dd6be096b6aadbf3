/**
 * Where a gRPC call goes to, as a guest names it: by a plain name, or by a serialized message of
 * Envoy, of which the name is read and everything else is passed over.
 *
 *   GrpcService { 1 envoy_grpc  { 1 cluster_name } }
 *   GrpcService { 2 google_grpc { 1 target_uri   } }
 */

/** @returns undefined when it is such a message and is malformed, or names nothing */
export function grpcUpstreamOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Every tag of those two fields is a control character, and no name contains one.
  if (!bytes.some((byte) => byte < 0x20)) return text.toString("latin1");
  const target = lastOf(text, [1, 2]);
  const name = target === undefined ? undefined : lastOf(target.bytes, [1])?.bytes;
  if (target === undefined || name === undefined || name.byteLength === 0) return undefined;
  const shown = name.toString("latin1");
  return target.field === 2 ? shown.replace(/^dns:(?:\/\/\/)?/, "") : shown;
}

/**
 * The last one of these fields, both of which hold bytes: as for protobuf the last one counts.
 * @returns undefined when there is none, or the message is malformed
 */
function lastOf(
  message: Buffer,
  fields: readonly number[],
): { field: number; bytes: Buffer } | undefined {
  let found: { field: number; bytes: Buffer } | undefined;
  for (let at = 0; at < message.byteLength;) {
    const tag = varint(message, at);
    if (tag === undefined) return undefined;
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    const value = wireType === 2 || wireType === 0 ? varint(message, tag.end) : undefined;
    const fixed = FIXED_BYTES[wireType];
    let end = fixed === undefined ? undefined : tag.end + fixed;
    if (value !== undefined) end = wireType === 0 ? value.end : value.end + value.value;
    if (field === 0 || end === undefined || end > message.byteLength) return undefined;
    if (wireType === 2 && value !== undefined && fields.includes(field)) {
      found = { field, bytes: message.subarray(value.end, end) };
    }
    at = end;
  }
  return found;
}

/** Wire types whose values have a fixed length. Groups (3, 4) are of an age before Envoy. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** @returns undefined when it is cut off or longer than ten bytes */
function varint(bytes: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: from + index + 1 };
  }
  return undefined;
}
