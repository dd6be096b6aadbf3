import { GatewayError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { ROLE } from "../../../http/header-name.ts";
import type { HeaderLines } from "../../../http/header-lines.ts";
import { HeaderList } from "../../../http/headers.ts";
import { RecentTexts } from "../../../http/recent-texts.ts";
import type { Http1Bounds } from "./bounds.ts";
import { appendHeaderLine } from "./header-line.ts";
import type { Input } from "./input.ts";
import { cannotBegin, requestLineBytesMax, requestLineIn } from "./request-line.ts";
import type { RequestLine } from "./request-line.ts";
import { toRequestHead } from "./request-head.ts";
import type { RequestHead } from "./request-head.ts";

/** Header lines that have been read, the empty line included. */
interface KnownLines {
  readonly text: string;
  readonly lines: HeaderLines;
  /** Bits of ROLE. */
  readonly seen: number;
  /** As it is counted against requestHeaderBytesMax. */
  readonly bytes: number;
}

/** Most requests of a client have the header lines of the one before. */
const RECENT = new RecentTexts<KnownLines>();

/**
 * Reads request heads off an Input, line by line and as far as bytes are there:
 *
 *   empty lines ─▶ request line ─▶ header line* ─▶ empty line = a head
 *
 * Every check looks at one whole line or at sums over whole lines, so that the verdict never
 * depends on how the bytes were split on their way.
 */
export class RequestParser {
  readonly #bounds: Http1Bounds;
  readonly #requestLineBytesMax: number;
  #emptyLines = 0;
  #line: RequestLine | undefined;
  #headers: HeaderList | undefined;
  #headerBytes = 0;
  /** Bits of ROLE. */
  #seen = 0;
  /** Where RECENT may have the header lines of the last request. */
  #slot = -1;
  /** The first header line of this request. */
  #firstText = "";
  #firstStart = 0;

  constructor(bounds: Http1Bounds) {
    this.#bounds = bounds;
    this.#requestLineBytesMax = requestLineBytesMax(bounds.requestTargetBytesMax);
  }

  /**
   * The next head, or undefined when its end has not arrived.
   * @throws GatewayError once the bytes cannot become a request; the parser is of no use after it
   */
  parse(input: Input): RequestHead | undefined {
    this.#line ??= this.#requestLine(input);
    if (this.#line === undefined) return undefined;
    if (this.#headerBytes === 0 && this.#takesKnown(input)) return this.#finish(this.#line);
    for (;;) {
      const left = this.#bounds.requestHeaderBytesMax - this.#headerBytes - CRLF_BYTES;
      if (!input.nextLine(Math.max(left, 0))) return undefined;
      if (input.lineLength === 0) {
        this.#keep(input);
        return this.#finish(this.#line);
      }
      if (input.lineLength > left) {
        throw this.#tooLarge("bytes", this.#bounds.requestHeaderBytesMax);
      }
      this.#headerLine(input);
    }
  }

  #requestLine(input: Input): RequestLine | undefined {
    for (;;) {
      if (!input.nextLine(this.#requestLineBytesMax)) {
        if (cannotBegin(input.partial)) throw malformed("bytes that begin no request line");
        return undefined;
      }
      if (input.lineLength > 0) {
        const { text, lineStart, lineEnd } = input;
        return requestLineIn(text, lineStart, lineEnd, this.#bounds.requestTargetBytesMax);
      }
      this.#emptyLines++;
      if (this.#emptyLines > LIMITS.requestEmptyLinesMax) {
        throw malformed(`more than ${LIMITS.requestEmptyLinesMax} empty lines before a request`);
      }
    }
  }

  #headerLine(input: Input): void {
    const headers = (this.#headers ??= new HeaderList());
    if (headers.size === this.#bounds.requestHeadersMax) {
      throw this.#tooLarge("lines", this.#bounds.requestHeadersMax);
    }
    if (this.#headerBytes === 0) {
      this.#firstText = input.text;
      this.#firstStart = input.lineStart;
    }
    this.#headerBytes += input.lineLength + CRLF_BYTES;
    const roles = appendHeaderLine(input, headers);
    if ((this.#seen & roles & ONLY_ONCE) !== 0) {
      throw malformed(`a request with a second ${headers.nameAt(headers.size - 1)} line`);
    }
    this.#seen |= roles;
  }

  /** The same lines as lately need not be read. */
  #takesKnown(input: Input): boolean {
    const known = RECENT.at(this.#slot);
    if (known === undefined) return false;
    const { requestHeaderBytesMax, requestHeadersMax } = this.#bounds;
    const isAllowed =
      known.bytes + CRLF_BYTES <= requestHeaderBytesMax &&
      known.lines.lines.length <= requestHeadersMax;
    if (!isAllowed || !input.skip(known.text)) return false;
    this.#headers = new HeaderList(known.lines);
    this.#seen = known.seen;
    return true;
  }

  /** @param input stands on the empty line */
  #keep(input: Input): void {
    const text = this.#firstText;
    const end = input.lineEnd + CRLF_BYTES;
    // Lines of several chunks lie in several texts.
    if (this.#headers === undefined || input.text !== text) return;
    if (end - this.#firstStart !== this.#headerBytes + CRLF_BYTES) return;
    this.#slot = RECENT.claim(text, this.#firstStart, end);
    if (this.#slot < 0 || RECENT.at(this.#slot) !== undefined) return;
    RECENT.put(this.#slot, {
      text: text.slice(this.#firstStart, end),
      lines: this.#headers.share(),
      seen: this.#seen,
      bytes: this.#headerBytes,
    });
  }

  #finish(line: RequestLine): RequestHead {
    const head = toRequestHead(line, this.#headers ?? new HeaderList(), this.#seen);
    this.#emptyLines = 0;
    this.#line = undefined;
    this.#headers = undefined;
    this.#headerBytes = 0;
    this.#seen = 0;
    return head;
  }

  #tooLarge(unit: "bytes" | "lines", limit: number): GatewayError {
    return new GatewayError(
      "REQUEST_HEADERS_TOO_LARGE",
      `Cannot take more than ${limit} ${unit} of request headers`,
    );
  }
}

const CRLF_BYTES = 2;
/** Two of them, even equal ones, are how requests are smuggled past each other. */
const ONLY_ONCE = ROLE.host | ROLE.contentLength;

function malformed(what: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot read ${what}`);
}
