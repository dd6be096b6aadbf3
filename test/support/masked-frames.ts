import type { RawPeer } from "./raw-node.ts";

/** A frame of a client, unmasked. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** What a node understands of the masked frames that have come. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = view.getUint8(at + 1) & 0x7f;
    const size = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + size + 4 > bytes.length) break;
    const length =
      short < 126 ? short : size === 4 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const start = at + size + 4;
    if (start + length > bytes.length) break;
    const mask = bytes.slice(start - 4, start);
    const payload = Buffer.from(bytes.slice(start, start + length));
    for (let n = 0; n < length; n++) payload[n] = (payload[n] ?? 0) ^ (mask[n & 3] ?? 0);
    frames.push({ opcode: view.getUint8(at) & 0x0f, payload });
    at = start + length;
  }
  return frames;
}

/** Waits for a frame with that opcode. @returns the latest of them */
export async function lastFrame(peer: RawPeer, opcode: number): Promise<Frame> {
  await peer.until(() => framesOf(peer.received).some((frame) => frame.opcode === opcode));
  return framesOf(peer.received).findLast((frame) => frame.opcode === opcode) as Frame;
}
