import { LIMITS } from "../../base/limits.ts";
import { bodyFraming, type Framing, type HttpVersion } from "../../http/framing.ts";
import { ROLE } from "../../http/header-name.ts";
import type { HeaderLines } from "../../http/header-lines.ts";
import { HeaderList } from "../../http/headers.ts";
import { readLatin1 } from "../../http/latin1.ts";
import { RecentTexts } from "../../http/recent-texts.ts";
import { quoted, type Refusal } from "../../http/refusal.ts";
import { badResponse, hasControls, parseFieldLines } from "./syntax.ts";

/** Status line and header lines of one response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  readonly version: HttpVersion;
  /** The node is willing to serve another request on this connection. */
  readonly keepAlive: boolean;
  /** Where the body ends, if there is one. */
  readonly framing: Framing | Refusal;
}

const CR = 0x0d;
const LF = 0x0a;

/** What every response begins with; the rest of the version is checked with the whole line. */
const PREFIX = [...Buffer.from("HTTP/1.")];

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/;

/** A head that has been read. */
interface KnownHead {
  /** The empty line included. */
  readonly bytes: Uint8Array;
  readonly lines: HeaderLines;
  /** Without the list of the first one, which its exchange has changed. */
  readonly head: Omit<ResponseHead, "headers">;
}

/** Many heads of a node are the one before to the byte: their only clock is that of Date. */
const RECENT = new RecentTexts<KnownHead>();

/**
 * Response heads out of received bytes, which may be cut anywhere.
 *
 *   push("HTTP/1.1 2") → undefined    push("00 OK\r\n\r\nhello") → head, consumed = 9
 *
 * A head that comes in one piece (nearly all do) is not copied.
 */
export class ResponseHeadParser {
  /** Bytes of the pushed chunk that belong to the head, when push() has answered one. */
  consumed = 0;
  /** The head so far, when it came in pieces; longer than #heldBytes. */
  #held: Uint8Array = new Uint8Array(0);
  #heldBytes = 0;
  /** Where RECENT may have the last head. */
  #slot = -1;

  /**
   * Takes the bytes of `chunk` from `start` on; the next head begins with the next push.
   * @returns undefined when more bytes are needed
   * @throws GatewayError UPSTREAM_BAD_RESPONSE
   */
  push(chunk: Uint8Array, start: number): ResponseHead | undefined {
    const held = this.#heldBytes;
    if (held > 0) return this.#pushMore(chunk, start, held);
    const known = RECENT.at(this.#slot);
    if (known !== undefined && beginsWith(chunk, start, known.bytes)) {
      this.consumed = known.bytes.byteLength;
      return fromKnown(known);
    }
    checkPrefix(chunk, start, chunk.byteLength);
    const end = findEnd(chunk, start, start);
    checkSize((end < 0 ? chunk.byteLength : end) - start);
    if (end < 0) {
      this.#hold(chunk, start, chunk.byteLength);
      return undefined;
    }
    this.consumed = end - start;
    const text = readLatin1(chunk, start, end - 2);
    const head = parseHead(text);
    this.#slot = RECENT.claim(text, 0, text.length);
    if (this.#slot >= 0 && RECENT.at(this.#slot) === undefined) {
      const { status, version, keepAlive, framing } = head;
      RECENT.put(this.#slot, {
        bytes: chunk.slice(start, end),
        lines: head.headers.share(),
        head: { status, version, keepAlive, framing },
      });
    }
    return head;
  }

  #pushMore(chunk: Uint8Array, start: number, held: number): ResponseHead | undefined {
    // One byte above the limit is enough to see that it is exceeded.
    const room = LIMITS.responseHeaderBytesMax + 1 - held;
    this.#hold(chunk, start, Math.min(chunk.byteLength, start + room));
    checkPrefix(this.#held, 0, this.#heldBytes);
    const end = findEnd(this.#held.subarray(0, this.#heldBytes), 0, held);
    checkSize(end < 0 ? this.#heldBytes : end);
    if (end < 0) return undefined;
    this.#heldBytes = 0;
    this.consumed = end - held;
    return parseHead(readLatin1(this.#held, 0, end - 2));
  }

  #hold(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.byteLength) {
      const grown = new Uint8Array(Math.max(512, 2 * needed));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }
}

function fromKnown({ head, lines }: KnownHead): ResponseHead {
  const { status, version, keepAlive, framing } = head;
  return { status, version, headers: new HeaderList(lines), keepAlive, framing };
}

function beginsWith(chunk: Uint8Array, start: number, bytes: Uint8Array): boolean {
  const length = bytes.byteLength;
  const end = start + length;
  if (end > chunk.byteLength) return false;
  // Borrowed, as in http/latin1.ts: it compares ranges, and makes no views of them.
  return Buffer.prototype.compare.call(chunk, bytes, 0, length, start, end) === 0;
}

/** Garbage is refused with its first byte, not when a deadline has passed. */
function checkPrefix(bytes: Uint8Array, start: number, end: number): void {
  const length = Math.min(PREFIX.length, end - start);
  for (let at = 0; at < length; at++) {
    if (bytes[start + at] === PREFIX[at]) continue;
    const seen = readLatin1(bytes, start, Math.min(end, start + 40));
    throw badResponse(`it begins with ${quoted(seen)} instead of an HTTP/1.x status line`);
  }
}

/** Index after the empty line that ends the head, or -1. Line ends before `from` were checked. */
function findEnd(bytes: Uint8Array, start: number, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (at === start || bytes[at - 1] !== CR)
      throw badResponse("a head line ends in LF without CR");
    if (at - 2 > start && bytes[at - 2] === LF) return at + 1;
  }
  return -1;
}

function checkSize(bytes: number): void {
  const bytesMax = LIMITS.responseHeaderBytesMax;
  if (bytes > bytesMax) throw badResponse(`its head is longer than ${bytesMax} bytes`);
}

/** @param text status line and header lines, each with its CR LF */
function parseHead(text: string): ResponseHead {
  const lineEnd = text.indexOf("\r\n");
  const status = statusOf(text, lineEnd);
  const version = text.charCodeAt(PREFIX.length) === ONE ? "1.1" : "1.0";
  const headers = new HeaderList();
  parseFieldLines(text, lineEnd + 2, headers, LIMITS.responseHeadersMax);
  const framing = bodyFraming(headers, version);
  return { status, version, headers, keepAlive: isKeptAlive(headers, version), framing };
}

const ONE = 0x31;
/** The commonest status line. */
const OK = "HTTP/1.1 200 OK\r\n";

/** @throws GatewayError UPSTREAM_BAD_RESPONSE */
function statusOf(text: string, lineEnd: number): number {
  if (text.startsWith(OK)) return 200;
  const line = text.slice(0, lineEnd);
  const match = STATUS_LINE.exec(line);
  if (match === null || hasControls(line)) {
    throw badResponse(
      `its status line is ${quoted(line)}; HTTP/1.0 or 1.1 and 100 to 599 are known`,
    );
  }
  return Number(match[2]);
}

function isKeptAlive(headers: HeaderList, version: HttpVersion): boolean {
  if ((headers.roles & ROLE.connection) === 0) return version === "1.1";
  const lines = headers.getAll("connection");
  if (lines.length === 1 && lines[0] === "keep-alive") return true; // What nearly all say.
  const options = lines.join(",").toLowerCase().split(",");
  const named = (option: string): boolean => options.some((text) => text.trim() === option);
  return !named("close") && (version === "1.1" || named("keep-alive"));
}
