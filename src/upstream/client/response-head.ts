import { LIMITS } from "../../base/limits.ts";
import { HeaderList } from "../../http/headers.ts";
import { badResponse, hasControls, latin1, parseFieldLines, quote } from "./syntax.ts";

/** Status line and header lines of one response, and what they say about its body. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** Of Content-Length, in bytes. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  /** The node is willing to serve another request on this connection. */
  readonly keepAlive: boolean;
}

const CR = 0x0d;
const LF = 0x0a;

/** What every response begins with; the rest of the version is checked with the whole line. */
const PREFIX = [...Buffer.from("HTTP/1.")];

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/;

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

  /** Bytes of a head that is not complete yet. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Takes the bytes of `chunk` from `start` on; the next head begins with the next push.
   * @returns undefined when more bytes are needed
   * @throws GatewayError UPSTREAM_BAD_RESPONSE
   */
  push(chunk: Uint8Array, start: number): ResponseHead | undefined {
    const held = this.#heldBytes;
    if (held > 0) return this.#pushMore(chunk, start, held);
    checkPrefix(chunk, start, chunk.byteLength);
    const end = findEnd(chunk, start, start);
    checkSize((end < 0 ? chunk.byteLength : end) - start);
    if (end < 0) {
      this.#hold(chunk, start, chunk.byteLength);
      return undefined;
    }
    this.consumed = end - start;
    return parseHead(latin1(chunk, start, end - 2));
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
    return parseHead(latin1(this.#held, 0, end - 2));
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

/** Garbage is refused with its first byte, not when a deadline has passed. */
function checkPrefix(bytes: Uint8Array, start: number, end: number): void {
  const length = Math.min(PREFIX.length, end - start);
  for (let at = 0; at < length; at++) {
    if (bytes[start + at] === PREFIX[at]) continue;
    const seen = latin1(bytes, start, Math.min(end, start + 40));
    throw badResponse(`it begins with ${quote(seen)} instead of an HTTP/1.x status line`);
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
  const line = text.slice(0, lineEnd);
  const match = STATUS_LINE.exec(line);
  if (match === null || hasControls(line)) {
    throw badResponse(
      `its status line is ${quote(line)}; HTTP/1.0 or 1.1 and 100 to 599 are known`,
    );
  }
  const headers = new HeaderList();
  parseFieldLines(text, lineEnd + 2, headers, LIMITS.responseHeadersMax);
  const persistent = match[1] === "1";
  const chunked = isChunked(headers, persistent);
  const contentLength = contentLengthOf(headers);
  if (chunked && contentLength !== undefined) {
    throw badResponse("it has both Content-Length and Transfer-Encoding");
  }
  const keepAlive = isKeptAlive(headers, persistent);
  return { status: Number(match[2]), headers, contentLength, chunked, keepAlive };
}

function isChunked(headers: HeaderList, persistent: boolean): boolean {
  const coding = headers.get("transfer-encoding");
  if (coding === undefined) return false;
  // Any other coding would have to be undone here, and none was asked for.
  if (headers.getAll("transfer-encoding").length > 1 || coding.toLowerCase() !== "chunked") {
    const codings = headers.getAll("transfer-encoding").join(", ");
    throw badResponse(`its Transfer-Encoding is ${quote(codings)}; only "chunked" is known`);
  }
  if (!persistent) throw badResponse("it has Transfer-Encoding in an HTTP/1.0 response");
  return true;
}

function contentLengthOf(headers: HeaderList): number | undefined {
  const text = headers.get("content-length");
  if (text === undefined) return undefined;
  const length = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(length)) {
    throw badResponse(`its Content-Length is ${quote(text)}, not a number of bytes`);
  }
  for (const other of headers.getAll("content-length")) {
    if (other !== text) {
      throw badResponse(`its Content-Length lines differ: ${quote(text)} and ${quote(other)}`);
    }
  }
  return length;
}

function isKeptAlive(headers: HeaderList, persistent: boolean): boolean {
  if (!headers.has("connection")) return persistent;
  const options = headers.getAll("connection").join(",").toLowerCase().split(",");
  const named = (option: string): boolean => options.some((text) => text.trim() === option);
  return !named("close") && (persistent || named("keep-alive"));
}
