import { CLOSE, CONTROL_BYTES_MAX, isSendableCode, OPCODE } from "./frames.ts";

/** A whole message or control frame from the node. */
export type Received =
  | { readonly kind: "text"; readonly text: string }
  /** Borrowed: dead after the next push(). */
  | { readonly kind: "binary" | "ping" | "pong"; readonly bytes: Uint8Array }
  /** `code` is CLOSE.none when the frame has none. */
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

/** The node has broken RFC 6455, or a limit. The decoder that threw it cannot go on. */
export class FrameFault extends Error {
  override readonly name = "FrameFault";
  /** What the node is told in a Close frame. */
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

/**
 * Reading side of RFC 6455's framing, in the role of the client: unmasked frames, cut anywhere.
 *
 *   push(chunk) … next() next() next() → undefined: all of the chunk is used, push the next one
 *
 * Control frames may stand between the fragments of a message. A message that lies in one frame and
 * one chunk is not copied; others are gathered in a buffer that grows with what has arrived, never
 * with what a header announces.
 */
export class FrameDecoder {
  readonly #messageBytesMax: number;
  #chunk = EMPTY;
  #at = 0;
  /** Header bytes of the frame that is being read; `#headLength` counts them. */
  readonly #head = new Uint8Array(10);
  #headLength = 0;
  /** What is left of the payload; undefined while the header is incomplete. */
  #payloadLeft: number | undefined;
  readonly #control = new Gathered(CONTROL_BYTES_MAX);
  readonly #message: Gathered;
  /** Opcode of the message whose fragments are being gathered. */
  #messageOpcode: number | undefined;

  /** @param messageBytesMax over all fragments; more is answered with close code 1009 */
  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
    this.#message = new Gathered(messageBytesMax);
  }

  /** Only when next() has answered undefined. @param chunk borrowed until then */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next message or control frame, undefined when it takes more bytes. @throws FrameFault */
  next(): Received | undefined {
    for (;;) {
      if (this.#payloadLeft === undefined) {
        if (!this.#readHead()) return undefined;
        continue;
      }
      const received = this.#readPayload(this.#payloadLeft);
      if (received !== undefined) return received;
      if (this.#payloadLeft !== undefined) return undefined;
    }
  }

  /** @returns false when the chunk has ended before the header */
  #readHead(): boolean {
    for (;;) {
      const needed = headBytes(this.#head, this.#headLength);
      if (this.#headLength === needed) break;
      const byte = this.#chunk[this.#at];
      if (byte === undefined) return false;
      this.#at++;
      this.#head[this.#headLength++] = byte;
      // At the first two bytes already: what follows a bad one is not a length.
      if (this.#headLength === 2) this.#checkHead(this.#head[0] as number, byte);
    }
    this.#payloadLeft = this.#payloadLength();
    this.#headLength = 0;
    return true;
  }

  #checkHead(first: number, second: number): void {
    const opcode = first & 0x0f;
    const isControl = opcode >= 8;
    if ((first & 0x70) !== 0) throw protocolError("a reserved bit is set");
    if (!KNOWN_OPCODES.has(opcode)) throw protocolError(`opcode ${opcode} is reserved`);
    if ((second & 0x80) !== 0) throw protocolError("a server's frame is masked");
    if (isControl) {
      if ((first & 0x80) === 0) throw protocolError("a control frame is fragmented");
      if ((second & 0x7f) > CONTROL_BYTES_MAX) throw protocolError("a control frame is too long");
    } else if (opcode === OPCODE.continuation) {
      if (this.#messageOpcode === undefined) throw protocolError("nothing is there to continue");
    } else if (this.#messageOpcode !== undefined) {
      throw protocolError("a message starts inside another one");
    }
  }

  #payloadLength(): number {
    const view = new DataView(this.#head.buffer);
    const short = view.getUint8(1) & 0x7f;
    let length = short;
    if (short === 126) length = view.getUint16(2);
    if (short === 127) {
      if (view.getUint8(2) >= 0x80) throw protocolError("a length is negative");
      length = view.getUint32(2) * 2 ** 32 + view.getUint32(6);
    }
    if ((short === 126 && length < 126) || (short === 127 && length <= 0xffff)) {
      throw protocolError(`a length of ${length} is not in its shortest form`);
    }
    if (!this.#isControl && this.#message.length + length > this.#messageBytesMax) {
      const message = `a message is longer than ${this.#messageBytesMax} bytes`;
      throw new FrameFault(CLOSE.tooLarge, message);
    }
    return length;
  }

  get #isControl(): boolean {
    return ((this.#head[0] as number) & 0x0f) >= 8;
  }

  /** @returns undefined when the frame is incomplete, or only a fragment */
  #readPayload(left: number): Received | undefined {
    const available = this.#chunk.subarray(this.#at, this.#at + left);
    this.#at += available.byteLength;
    const isComplete = available.byteLength === left;
    this.#payloadLeft = isComplete ? undefined : left - available.byteLength;

    const first = this.#head[0] as number;
    const opcode = first & 0x0f;
    const gathered = this.#isControl ? this.#control : this.#message;
    if (!this.#isControl && opcode !== OPCODE.continuation) this.#messageOpcode = opcode;
    const isLast = isComplete && (first & 0x80) !== 0;
    if (!isLast || gathered.length > 0) gathered.append(available);
    if (!isLast) return undefined;

    const bytes = gathered.length > 0 ? gathered.take() : available;
    if (this.#isControl) return controlFrame(opcode, bytes);
    const isText = this.#messageOpcode === OPCODE.text;
    this.#messageOpcode = undefined;
    return isText ? { kind: "text", text: decodeText(bytes) } : { kind: "binary", bytes };
  }
}

/** Bytes of one message, from several frames or chunks. */
class Gathered {
  readonly #bytesMax: number;
  #bytes = EMPTY;
  length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  append(bytes: Uint8Array): void {
    const length = this.length + bytes.byteLength;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.min(Math.max(2 * this.#bytes.length, length), this.#bytesMax),
      );
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
  }

  /** Lets go of the buffer: an idle connection must not hold its largest message. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.length);
    this.#bytes = EMPTY;
    this.length = 0;
    return bytes;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
const KNOWN_OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How long the header is, as far as its first bytes tell. */
function headBytes(head: Uint8Array, known: number): number {
  if (known < 2) return 2;
  const short = (head[1] as number) & 0x7f;
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

function controlFrame(opcode: number, bytes: Uint8Array): Received {
  if (opcode === OPCODE.ping) return { kind: "ping", bytes };
  if (opcode === OPCODE.pong) return { kind: "pong", bytes };
  if (bytes.byteLength === 0) return { kind: "close", code: CLOSE.none, reason: "" };
  const [high = 0, low] = bytes;
  if (low === undefined) throw protocolError("a Close frame holds half a code");
  const code = high * 256 + low;
  if (!isSendableCode(code)) throw protocolError(`close code ${code} is reserved`);
  return { kind: "close", code, reason: decodeText(bytes.subarray(2)) };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FrameFault(CLOSE.invalidText, "a text is not UTF-8");
  }
}

function protocolError(problem: string): FrameFault {
  return new FrameFault(CLOSE.protocolError, problem);
}
