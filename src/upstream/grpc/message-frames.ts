import { LIMITS } from "../../base/limits.ts";

/**
 * gRPC's messages in a stream of bytes.
 *
 *   0        1                    5
 *   │ flag   │ length, u32be      │ message …    flag 1: compressed, which nobody here asks for
 */
const PREFIX_BYTES = 5;

/** Why a peer's bytes are no messages that can be handed on. */
export type FrameProblem = "compressed" | "too long" | "malformed";

export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
  frame[0] = 0;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Takes chunks as they arrive and gives messages; keeps no more than one that is incomplete. */
export class MessageReader {
  #chunks: Uint8Array[] = [];
  #byteLength = 0;

  /** True between two messages. */
  get isEmpty(): boolean {
    return this.#byteLength === 0;
  }

  /** The reader owns the bytes. */
  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    this.#byteLength += chunk.byteLength;
  }

  /**
   * The next message, undefined when it is not whole yet. After a problem there is nothing more to
   * be read: the borders of messages are lost.
   */
  next(): Uint8Array | FrameProblem | undefined {
    if (this.#byteLength < PREFIX_BYTES) return undefined;
    const prefix = this.#front(PREFIX_BYTES);
    const flag = prefix[0] as number;
    if (flag !== 0) return flag === 1 ? "compressed" : "malformed";
    const length = Buffer.from(prefix.buffer, prefix.byteOffset, PREFIX_BYTES).readUInt32BE(1);
    if (length > LIMITS.grpcMessageBytesMax) return "too long";
    if (this.#byteLength < PREFIX_BYTES + length) return undefined;
    const front = this.#front(PREFIX_BYTES + length);
    const message = front.slice(PREFIX_BYTES, PREFIX_BYTES + length);
    this.#drop(PREFIX_BYTES + length);
    return message;
  }

  /** The first chunk, made at least that long. */
  #front(byteLength: number): Uint8Array {
    const first = this.#chunks[0] as Uint8Array;
    if (first.byteLength >= byteLength) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(byteLength: number): void {
    const first = this.#chunks[0] as Uint8Array;
    if (first.byteLength === byteLength) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(byteLength);
    this.#byteLength -= byteLength;
  }
}
