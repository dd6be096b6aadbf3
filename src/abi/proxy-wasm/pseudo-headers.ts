import type { RequestHead, ResponseHead } from "../../filter/filter.ts";
import { isAuthority, isScheme, isTarget, isToken, parseStatus } from "./header-rules.ts";

/** The lines that HTTP/2 keeps in front of the headers; here they are fields of the head. */
export interface PseudoHeaders {
  /** In the order in which guests see them. */
  readonly names: readonly string[];
  /** The name under which a key is kept here, undefined when it is an ordinary header. */
  nameOf(key: string): string | undefined;
  read(name: string): string;
  /** @returns false when the value, or the name, would make no message; nothing has changed then */
  write(name: string, value: string): boolean;
}

const REQUEST_NAMES = [":method", ":path", ":authority", ":scheme"];

export class RequestPseudoHeaders implements PseudoHeaders {
  readonly names = REQUEST_NAMES;
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  /** `host` is another word for `:authority`, and never stands beside it. */
  nameOf(key: string): string | undefined {
    if (key === "host") return ":authority";
    return key.startsWith(":") ? key : undefined;
  }

  read(name: string): string {
    switch (name) {
      case ":method":
        return this.#head.method;
      case ":path":
        return this.#head.target;
      case ":authority":
        return this.#head.authority;
      default:
        return this.#head.scheme;
    }
  }

  write(name: string, value: string): boolean {
    switch (name) {
      case ":method":
        if (!isToken(value)) return false;
        this.#head.method = value;
        return true;
      case ":path":
        if (!isTarget(value)) return false;
        this.#head.target = value;
        return true;
      case ":authority":
        if (!isAuthority(value)) return false;
        this.#head.authority = value;
        return true;
      case ":scheme":
        if (!isScheme(value)) return false;
        this.#head.scheme = value;
        return true;
      default:
        return false;
    }
  }
}

const RESPONSE_NAMES = [":status"];

export class ResponsePseudoHeaders implements PseudoHeaders {
  readonly names = RESPONSE_NAMES;
  readonly #head: ResponseHead;

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  nameOf(key: string): string | undefined {
    return key.startsWith(":") ? key : undefined;
  }

  read(): string {
    return String(this.#head.status);
  }

  write(name: string, value: string): boolean {
    const status = name === ":status" ? parseStatus(value) : undefined;
    if (status === undefined) return false;
    this.#head.status = status;
    return true;
  }
}

/** There are none, and whatever looks like one is refused. */
export const NO_PSEUDO_HEADERS: PseudoHeaders = {
  names: [],
  nameOf: (key) => (key.startsWith(":") ? key : undefined),
  read: () => "",
  write: () => false,
};

/** Trailers have none either, and no lines that say where a message ends or whose it is. */
export const TRAILER_PSEUDO_HEADERS: PseudoHeaders = {
  ...NO_PSEUDO_HEADERS,
  nameOf: (key) => (key.startsWith(":") || NOT_IN_TRAILERS.has(key) ? key : undefined),
};

/** RFC 9110 6.5.1: framing and routing. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
]);
