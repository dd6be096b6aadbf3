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

/**
 * Takes chunks as they arrive and gives messages; keeps no more than one that is incomplete.
 *
 *   #bytes   │ given away │ unread … │ room │     a chunk that comes when nothing is unread
 *                      #start      #end           becomes #bytes itself
 *
 * Why not a list of chunks: a node may send its messages byte by byte, each byte then an object.
 */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** True between two messages. */
  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** The reader owns the bytes. */
  push(chunk: Uint8Array): void {
    if (this.isEmpty) {
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#start = 0;
      this.#end = chunk.byteLength;
      return;
    }
    const unread = this.#end - this.#start;
    if (this.#end + chunk.byteLength > this.#bytes.byteLength) this.#makeRoom(chunk.byteLength);
    this.#bytes.set(chunk, this.#end);
    this.#end = this.#start + unread + chunk.byteLength;
  }

  /**
   * The next message, undefined when it is not whole yet. After a problem there is nothing more to
   * be read: the borders of messages are lost.
   */
  next(): Uint8Array | FrameProblem | undefined {
    if (this.#end - this.#start < PREFIX_BYTES) return undefined;
    const flag = this.#bytes[this.#start] as number;
    if (flag !== 0) return flag === 1 ? "compressed" : "malformed";
    const length = this.#bytes.readUInt32BE(this.#start + 1);
    if (length > LIMITS.grpcMessageBytesMax) return "too long";
    const from = this.#start + PREFIX_BYTES;
    if (this.#end < from + length) return undefined;
    const message = new Uint8Array(this.#bytes.subarray(from, from + length));
    this.#start = from + length;
    return message;
  }

  /** Twice as much, so that each byte is moved a few times at most, however it arrives. */
  #makeRoom(byteLength: number): void {
    const unread = this.#bytes.subarray(this.#start, this.#end);
    const larger = Buffer.allocUnsafe(2 * (unread.byteLength + byteLength));
    larger.set(unread);
    this.#bytes = larger;
    this.#start = 0;
    this.#end = unread.byteLength;
  }
}
