/** The part of a socket that is written to. */
export interface Sink {
  /** @returns bytes that the system has taken, -1 when the connection is gone */
  write(bytes: Uint8Array, byteOffset?: number, byteLength?: number): number;
}

/**
 * What is sent to one client: as few writes as possible, and what the system does not take at once
 * waits here for drain(). Its owner produces no more while something waits, so that is its bound:
 * one piece of a body.
 */
export class Output {
  readonly #sink: Sink;
  readonly #onGone: () => void;
  readonly #waiting: Uint8Array[] = [];
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
   *   before (latin-1) │ bytes │ after (latin-1)      in one write up to 64 KiB
   *
   * @param bytes kept until they are sent, so they are the output's from now on
   * @param headroom bytes in front of them, in their buffer, that are the output's as well
   */
  write(before: string, bytes: Uint8Array | undefined, after: string, headroom = 0): void {
    const byteLength = bytes?.length ?? 0;
    const fits = after === "" && before.length <= headroom && byteLength > COPY_BYTES_MAX;
    if (bytes !== undefined && fits) {
      this.#send(before === "" ? bytes : writtenBefore(bytes, before));
      return;
    }
    const total = before.length + byteLength + after.length;
    if (total <= SCRATCH_BYTES) {
      let at = before === "" ? 0 : SCRATCH.write(before, 0, "latin1");
      if (bytes !== undefined) SCRATCH.set(bytes, at);
      at += byteLength;
      if (after !== "") at += SCRATCH.write(after, at, "latin1");
      this.#send(SCRATCH, at);
      return;
    }
    if (after.length > TAIL_BYTES) {
      this.write(before, bytes, "");
      this.#send(Buffer.from(after, "latin1"));
      return;
    }
    if (bytes === undefined || before.length >= SCRATCH_BYTES) {
      this.#send(Buffer.from(before, "latin1"));
      if (bytes !== undefined || after !== "") this.write("", bytes, after);
      return;
    }
    this.#writeLong(before, bytes, after);
  }

  /** Sends what waits, as far as the system takes it. */
  drain(): void {
    let piece = this.#waiting[0];
    while (piece !== undefined) {
      const sent = this.#sink.write(piece);
      if (sent < 0) this.#onGone();
      if (sent <= 0) return;
      this.sentBytes += sent;
      this.#waitingBytes -= sent;
      if (sent < piece.length) {
        this.#waiting[0] = piece.subarray(sent);
        return;
      }
      this.#waiting.shift();
      piece = this.#waiting[0];
    }
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  /** The text in front goes with the body's first bytes, the text behind with its last ones. */
  #writeLong(before: string, bytes: Uint8Array, after: string): void {
    let start = 0;
    if (before !== "") {
      const at = SCRATCH.write(before, 0, "latin1");
      start = Math.min(SCRATCH_BYTES - at, bytes.length);
      SCRATCH.set(bytes.subarray(0, start), at);
      this.#send(SCRATCH, at + start);
    }
    if (after !== "" && bytes.length - start > SCRATCH_BYTES - after.length) {
      const end = bytes.length - TAIL_BYTES;
      this.#send(bytes.subarray(start, end));
      start = end;
    }
    const rest = start === 0 ? bytes : bytes.subarray(start);
    if (after === "") this.#send(rest);
    else this.write("", rest, after);
  }

  /** @param length of SCRATCH; without it `bytes` are kept and not copied */
  #send(bytes: Uint8Array, length?: number): void {
    const total = length ?? bytes.length;
    if (total === 0) return;
    let sent = 0;
    if (this.#waiting.length === 0) {
      const written = this.#sink.write(bytes, 0, total);
      if (written < 0) this.#onGone();
      sent = Math.max(written, 0);
      this.sentBytes += sent;
      if (sent === total) return;
    }
    const rest = bytes.subarray(sent, total);
    this.#waiting.push(length === undefined ? rest : Uint8Array.from(rest));
    this.#waitingBytes += total - sent;
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
function writtenBefore(bytes: Uint8Array, text: string): Uint8Array {
  const { length } = text;
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset - length, length + bytes.length);
  whole.write(text, 0, "latin1");
  return whole;
}
