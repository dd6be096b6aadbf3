import { freeBuffer } from "../../../base/free-buffer.ts";
import type { ByteRange } from "../../../http/body.ts";
import { type HeadText, NO_HEAD } from "../../../http/head-text.ts";
import { writeLatin1 } from "../../../http/latin1.ts";

/** The part of a socket that is written to. */
export interface Sink {
  /** @returns bytes that the system has taken, -1 when the connection is gone */
  write(bytes: Uint8Array, byteOffset?: number, byteLength?: number): number;
}

/**
 *   scratch  everybody's: what waits is copied
 *   kept     the output's until it is sent; there may be other views of its buffer
 *   owned    its buffer is the output's, which frees it when it is sent
 */
type Keeping = "scratch" | "kept" | "owned";

interface Piece {
  readonly bytes: Uint8Array;
  readonly isOwned: boolean;
}

/**
 * What is sent to one client: as few writes as possible, and what the system does not take at once
 * waits here for drain(). Its owner produces no more while something waits, so that is its bound:
 * one piece of a body.
 */
export class Output {
  readonly #sink: Sink;
  readonly #onGone: () => void;
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** Bytes that the system has taken. */
  sentBytes = 0;

  /** @param onGone a write has shown that the connection is gone; called from inside write() */
  constructor(sink: Sink, onGone: () => void = () => {}) {
    this.#sink = sink;
    this.#onGone = onGone;
  }

  /** bytes that the system has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   *   head │ before (latin-1) │ bytes │ after (latin-1)      in one write up to 64 KiB
   *
   * @param bytes kept until they are sent, so they are the output's from now on
   * @param isOwned their buffer is the output's as a whole: what is in front of them may be
   *   overwritten, and it is freed when they are sent
   */
  write(
    head: HeadText,
    before: string,
    bytes: Uint8Array | undefined,
    after: string,
    isOwned = false,
  ): void {
    const front = head.length + before.length;
    const byteLength = bytes?.length ?? 0;
    const isShort = front + byteLength + after.length <= SCRATCH_BYTES;
    const isCopied = byteLength <= COPY_BYTES_MAX || (isShort && after !== "");
    if (bytes !== undefined && !isCopied && this.#hasRoom(front, bytes, isOwned)) {
      const whole = front === 0 ? bytes : writtenBefore(bytes, front, head, before);
      this.#writeLarge("", whole, after, isOwned);
    } else if (isShort) {
      let at = writeLatin1(SCRATCH, before, head.writeTo(SCRATCH, 0));
      if (bytes !== undefined) {
        SCRATCH.set(bytes, at);
        if (isOwned && !this.#hasOfBuffer(bytes)) freeBuffer(bytes);
      }
      at = writeLatin1(SCRATCH, after, at + byteLength);
      this.#send(SCRATCH, at);
    } else {
      this.#writeLarge(String(head) + before, bytes, after, isOwned);
    }
  }

  /** The same for a body that lies in a buffer which is the output's. */
  writeInPlace(head: HeadText, { buffer, start, end }: ByteRange): void {
    const { length } = head;
    const byteLength = end - start;
    if (byteLength > COPY_BYTES_MAX && length <= start) {
      head.writeTo(buffer, start - length);
      this.#sendRange(buffer, start - length, end, "owned");
    } else if (length + byteLength <= SCRATCH_BYTES) {
      const at = head.writeTo(SCRATCH, 0);
      // Borrowed, as in http/latin1.ts: it copies a range, and makes no view of it.
      Buffer.prototype.copy.call(buffer, SCRATCH, at, start, end);
      this.#send(SCRATCH, at + byteLength);
    } else {
      this.write(head, "", buffer.subarray(start, end), "", true);
    }
  }

  /** Sends what waits, as far as the system takes it. */
  drain(): void {
    let piece = this.#waiting[0];
    while (piece !== undefined) {
      const { bytes, isOwned } = piece;
      const sent = this.#sink.write(bytes);
      if (sent < 0) this.#onGone();
      if (sent <= 0) return;
      this.sentBytes += sent;
      this.#waitingBytes -= sent;
      if (sent < bytes.length) {
        this.#waiting[0] = { bytes: bytes.subarray(sent), isOwned };
        return;
      }
      if (isOwned) freeBuffer(bytes);
      this.#waiting.shift();
      piece = this.#waiting[0];
    }
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  /** What does not fit into one piece. */
  #writeLarge(
    before: string,
    bytes: Uint8Array | undefined,
    after: string,
    isOwned: boolean,
  ): void {
    if (after.length > TAIL_BYTES) {
      this.write(NO_HEAD, before, bytes, "", isOwned);
      this.#send(Buffer.from(after, "latin1"));
    } else if (bytes === undefined || before.length >= SCRATCH_BYTES) {
      this.#send(Buffer.from(before, "latin1"));
      if (bytes !== undefined || after !== "") this.write(NO_HEAD, "", bytes, after, isOwned);
    } else {
      this.#writeLong(before, bytes, after, isOwned);
    }
  }

  /** The text in front goes with the body's first bytes, the text behind with its last ones. */
  #writeLong(before: string, bytes: Uint8Array, after: string, isOwned: boolean): void {
    let start = 0;
    if (before !== "") {
      const at = writeLatin1(SCRATCH, before, 0);
      start = Math.min(SCRATCH_BYTES - at, bytes.length);
      SCRATCH.set(bytes.subarray(0, start), at);
      this.#send(SCRATCH, at + start);
    }
    const keeping = isOwned ? "owned" : "kept";
    if (after === "") {
      this.#sendRange(bytes, start, bytes.length, keeping);
    } else if (bytes.length - start <= SCRATCH_BYTES - after.length) {
      this.write(NO_HEAD, "", bytes.subarray(start), after, isOwned);
    } else {
      const end = bytes.length - TAIL_BYTES;
      const tail = Uint8Array.from(bytes.subarray(end)); // Before what it lies in is freed.
      this.#sendRange(bytes, start, end, keeping);
      this.write(NO_HEAD, "", tail, after);
    }
  }

  /** There is room for that in front of these bytes, which nobody needs. */
  #hasRoom(front: number, bytes: Uint8Array, isOwned: boolean): boolean {
    return front === 0 || (isOwned && front <= bytes.byteOffset && !this.#hasOfBuffer(bytes));
  }

  /** Earlier bytes of the same buffer wait. */
  #hasOfBuffer(bytes: Uint8Array): boolean {
    if (this.#waiting.length === 0) return false; // To ask short ones for their buffer costs more.
    return this.#waiting.some((piece) => piece.bytes.buffer === bytes.buffer);
  }

  /** @param length of SCRATCH; without it `bytes` are kept and not copied */
  #send(bytes: Uint8Array, length?: number): void {
    const keeping = length === undefined ? "kept" : "scratch";
    this.#sendRange(bytes, 0, length ?? bytes.length, keeping);
  }

  #sendRange(bytes: Uint8Array, start: number, end: number, keeping: Keeping): void {
    if (start === end) return;
    let at = start;
    if (this.#waiting.length === 0) {
      const written = this.#sink.write(bytes, start, end - start);
      if (written < 0) this.#onGone();
      at += Math.max(written, 0);
      this.sentBytes += at - start;
      if (at === end) {
        if (keeping === "owned") freeBuffer(bytes);
        return;
      }
    }
    const rest = bytes.subarray(at, end);
    const kept = keeping === "scratch" ? Uint8Array.from(rest) : rest;
    this.#waiting.push({ bytes: kept, isOwned: keeping === "owned" });
    this.#waitingBytes += end - at;
  }
}

const SCRATCH_BYTES = 64 * 1024;
/** bytes; up to this a copy costs less than another view of the buffer. */
const COPY_BYTES_MAX = 4 * 1024;
/** bytes; end of a long piece that is copied to go in one write with the text behind it. */
const TAIL_BYTES = 1024;

/** One for all connections: it is sent, or copied, before anybody else can write. */
const SCRATCH = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** The text in the buffer of the bytes, in front of them, together with them. */
function writtenBefore(
  bytes: Uint8Array,
  length: number,
  head: HeadText,
  before: string,
): Uint8Array {
  const start = bytes.byteOffset - length;
  const whole = new Uint8Array(bytes.buffer, start, length + bytes.length);
  writeLatin1(whole, before, head.writeTo(whole, 0));
  return whole;
}
