/**
 * Writing side of RFC 6455's framing, in the role of the client.
 *
 *    0                   1
 *    0 1 2 3 4 5 6 7     0 1 2 3 4 5 6 7    0, 2 or 8 bytes   4 bytes   payload, each byte
 *   ├F─R─R─R─ opcode ─┤ ├M─ length ───────┤├─ longer length ─┤├─ mask ─┤├─ XOR mask[at % 4] ───▶
 *
 * Messages are never fragmented: Bun.serve hands them over whole.
 */
export const OPCODE = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** Close codes of this project's own making, and those that never stand in a frame. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** There was a Close frame without a code. */
  none: 1005,
  /** There was no Close frame. */
  abnormal: 1006,
  invalidText: 1007,
  tooLarge: 1009,
  internalError: 1011,
  tryAgainLater: 1013,
  /** The gateway got something from the node that is no WebSocket. */
  badGateway: 1014,
} as const;

/** bytes; payload of a control frame (section 5.5). */
export const CONTROL_BYTES_MAX = 125;

/** Codes that a Close frame may carry: section 7.4 and the registry that it opened. */
export function isSendableCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

/** bytes; several small frames share one chunk of this size, and one write to the socket. */
const CHUNK_BYTES = 64 * 1024;

/** bytes; header with an 8-byte length, and the mask. */
const HEADER_BYTES_MAX = 14;

interface Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  used: number;
}

/** Frames that wait to be written, in order, joined into chunks. */
export class FrameQueue {
  #chunks: Chunk[] = [];
  #bytes = 0;

  /** Bytes that wait, frame headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  pushText(text: string): void {
    const length = Buffer.byteLength(text);
    this.#push(OPCODE.text, length, (target) => void encoder.encodeInto(text, target));
  }

  /** @param bytes copied; at most CONTROL_BYTES_MAX for a ping or pong */
  pushBytes(kind: "binary" | "ping" | "pong", bytes: Uint8Array): void {
    this.#push(OPCODE[kind], bytes.byteLength, (target) => target.set(bytes));
  }

  /** @param code one that isSendableCode(), or CLOSE.none for a frame without one */
  pushClose(code: number, reason: string): void {
    if (code === CLOSE.none) {
      this.#push(OPCODE.close, 0, () => {});
      return;
    }
    const text = cutText(reason, CONTROL_BYTES_MAX - 2);
    this.#push(OPCODE.close, 2 + text.byteLength, (target) => {
      target[0] = code >>> 8;
      target[1] = code & 0xff;
      target.set(text, 2);
    });
  }

  /** The oldest chunk, whole frames only, or undefined. The caller owns it. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.used;
    return chunk.bytes.subarray(0, chunk.used);
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  #push(opcode: number, length: number, fill: (target: Uint8Array<ArrayBuffer>) => void): void {
    const chunk = this.#room(HEADER_BYTES_MAX + length);
    const { bytes } = chunk;
    const start = chunk.used;
    let at = start;
    bytes[at++] = 0x80 | opcode;
    if (length < 126) {
      bytes[at++] = 0x80 | length;
    } else if (length <= 0xffff) {
      bytes[at++] = 0x80 | 126;
      bytes[at++] = length >>> 8;
      bytes[at++] = length & 0xff;
    } else {
      bytes[at++] = 0x80 | 127;
      new DataView(bytes.buffer).setBigUint64(at, BigInt(length));
      at += 8;
    }
    const mask = nextMask();
    bytes.set(mask, at);
    at += 4;
    fill(bytes.subarray(at, at + length));
    applyMask(bytes, at, length, mask);
    chunk.used = at + length;
    this.#bytes += chunk.used - start;
  }

  /** A lone message gets a chunk of its size; only a queue that grows gets whole chunks. */
  #room(needed: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= needed) return last;
    // A multiple of 4, so that the mask can be applied by words up to the end.
    const size = (last === undefined ? needed : Math.max(needed, CHUNK_BYTES)) + 3;
    const chunk = { bytes: new Uint8Array(size - (size % 4)), used: 0 };
    this.#chunks.push(chunk);
    return chunk;
  }
}

const encoder = new TextEncoder();

/** Cut at a character's end, as UTF-8. */
function cutText(text: string, bytesMax: number): Uint8Array {
  const target = new Uint8Array(bytesMax);
  return target.subarray(0, encoder.encodeInto(text, target).written);
}

/** bytes; random ones are drawn in bulk: a call for each frame would cost more than the frame. */
const MASK_POOL_BYTES = 4096;
const maskPool = new Uint8Array(MASK_POOL_BYTES);
let maskPoolAt = MASK_POOL_BYTES;

/** Unpredictable, so that a page cannot choose the bytes on the wire (section 10.3). */
function nextMask(): Uint8Array {
  if (maskPoolAt === MASK_POOL_BYTES) {
    crypto.getRandomValues(maskPool);
    maskPoolAt = 0;
  }
  maskPoolAt += 4;
  return maskPool.subarray(maskPoolAt - 4, maskPoolAt);
}

/** XORs in place: single bytes up to a word's start, then words, then the rest. */
function applyMask(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  length: number,
  mask: Uint8Array,
): void {
  const end = start + length;
  const maskAt = (at: number) => mask[(at - start) & 3] as number;
  const firstWord = Math.min(end, Math.ceil(start / 4) * 4);
  for (let at = start; at < firstWord; at++) bytes[at]! ^= maskAt(at);
  if (end - firstWord >= 4) {
    const rotated = Uint8Array.of(0, 1, 2, 3).map((step) => maskAt(firstWord + step));
    const word = new Uint32Array(rotated.buffer)[0] as number;
    const words = new Uint32Array(bytes.buffer, firstWord, (end - firstWord) >>> 2);
    for (let at = 0; at < words.length; at++) words[at]! ^= word;
  }
  const rest = firstWord + ((end - firstWord) & ~3);
  for (let at = rest; at < end; at++) bytes[at]! ^= maskAt(at);
}
