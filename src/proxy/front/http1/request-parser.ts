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
  /** A head with these lines that came twice in a row. */
  repeated: RepeatedHead | undefined;
}

interface RepeatedHead {
  readonly line: RequestLine;
  /** As it is sent. */
  readonly bytes: Uint8Array;
}

/**
 * Most requests of a client have the header lines of the one before, and many, of those that poll
 * or report, are the one before to the byte.
 */
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
  /** Of the last request whose header lines were known. */
  #lastLine: RequestLine | undefined;
  /** The last two heads were the same: only then it is worth comparing the next one. */
  #isRepeating = false;
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
    if (this.#isRepeating) {
      const line = this.#takeRepeated(input);
      if (line !== undefined) return this.#finish(line);
      this.#isRepeating = false;
    }
    this.#line ??= this.#requestLine(input);
    if (this.#line === undefined) return undefined;
    if (this.#headerBytes === 0 && this.#takesKnown(input, this.#line)) {
      return this.#finish(this.#line);
    }
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
  #takesKnown(input: Input, line: RequestLine): boolean {
    const known = this.#known();
    if (known === undefined || !input.skip(known.text)) return false;
    this.#take(known);
    this.#isRepeating = line === this.#lastLine;
    this.#lastLine = line;
    if (this.#isRepeating && known.repeated?.line !== line) {
      const head = `${line.method} ${line.target} HTTP/${line.version}\r\n${known.text}`;
      known.repeated = { line, bytes: Buffer.from(head, "latin1") };
    }
    return true;
  }

  /** The same head as lately need not even be decoded. */
  #takeRepeated(input: Input): RequestLine | undefined {
    const known = this.#known();
    const repeated = known?.repeated;
    if (known === undefined || repeated === undefined) return undefined;
    const { line, bytes } = repeated;
    if (line.target.length > this.#bounds.requestTargetBytesMax) return undefined;
    if (!input.skipBytes(bytes)) return undefined;
    this.#take(known);
    this.#lastLine = line;
    return line;
  }

  /** Where the last header lines were kept; undefined for more than this listener takes. */
  #known(): KnownLines | undefined {
    const known = RECENT.at(this.#slot);
    const { requestHeaderBytesMax, requestHeadersMax } = this.#bounds;
    const isAllowed =
      known !== undefined &&
      known.bytes + CRLF_BYTES <= requestHeaderBytesMax &&
      known.lines.lines.length <= requestHeadersMax;
    return isAllowed ? known : undefined;
  }

  #take({ lines, seen }: KnownLines): void {
    this.#headers = new HeaderList(lines);
    this.#seen = seen;
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
      repeated: undefined,
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
