import { encodeU32 } from "./leb128.ts";

/** A section: id, size, body. */
export function encodeSection(id: number, body: Uint8Array): Uint8Array {
  return joinBytes([Uint8Array.of(id), encodeU32(body.byteLength), body]);
}

/** A UTF-8 name with its length before it. */
export function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  return joinBytes([encodeU32(bytes.byteLength), bytes]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
