import type { FaultCode } from "../base/errors.ts";
import { ROLE } from "./header-name.ts";
import type { HeaderList } from "./headers.ts";
import { quoted, refuse, type Refusal } from "./refusal.ts";

/**
 * What may stand in the head of an HTTP/1 message, and where its body ends: for whoever reads or
 * writes one (fronts, the upstream client, ABIs).
 *
 * Whoever reads a message and whoever forwards it must agree on its end to the byte, else the rest
 * of one message is read as the next ("request smuggling"). So nothing here is guessed or repaired:
 * what can be read in two ways is refused. (RFC 9112 6.3; RFC 9110 5.1, 5.5, 5.6.2)
 */
export type Framing =
  | { readonly ok: true; readonly kind: "none" }
  | { readonly ok: true; readonly kind: "length"; readonly length: number }
  | { readonly ok: true; readonly kind: "chunked" }
  /** Responses only: the body ends with the connection. */
  | { readonly ok: true; readonly kind: "until-close" };

export type HttpVersion = "1.0" | "1.1";

/** Refusals are REQUEST_MALFORMED; the connection has to be closed behind them. */
export function requestFraming(headers: HeaderList, version: HttpVersion): Framing | Refusal {
  return declaredFraming(headers, version, "REQUEST_MALFORMED") ?? NONE;
}

/** Of a response that has a body: see hasNoBody(). Refusals are UPSTREAM_BAD_RESPONSE. */
export function bodyFraming(headers: HeaderList, version: HttpVersion): Framing | Refusal {
  return declaredFraming(headers, version, "UPSTREAM_BAD_RESPONSE") ?? UNTIL_CLOSE;
}

/** Whether a response ends with its head, whatever its header lines say. */
export function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status < 200 || status === 204 || status === 304;
}

/**
 * Blanks inside, any byte from 0x80 as one char; no control character but the tab, so that no value
 * can end its line; nothing above U+00FF, and no blanks around it. "" is a value.
 */
export function isFieldValue(value: string): boolean {
  return VALUE.test(value);
}

const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const FRAMES = ROLE.contentLength | ROLE.transferEncoding;
const NONE: Framing = { ok: true, kind: "none" };
const CHUNKED: Framing = { ok: true, kind: "chunked" };
const UNTIL_CLOSE: Framing = { ok: true, kind: "until-close" };

function declaredFraming(
  headers: HeaderList,
  version: HttpVersion,
  fault: FaultCode,
): Framing | Refusal | undefined {
  if ((headers.roles & FRAMES) === 0) return undefined;
  const codings = headers.getAll("transfer-encoding");
  const lengths = headers.getAll("content-length");
  if (codings.length === 0) {
    return lengths.length === 0 ? undefined : declaredLength(lengths, fault);
  }
  if (lengths.length > 0) {
    return refuse(fault, "both Content-Length and Transfer-Encoding are present");
  }
  if (version === "1.0") return refuse(fault, "HTTP/1.0 knows no Transfer-Encoding");
  const coding = codings.join(", ");
  if (coding.toLowerCase() === "chunked") return CHUNKED;
  return refuse(fault, `Transfer-Encoding ${quoted(coding)} is not "chunked"`);
}

/** Two equal lengths, as lines or as "5, 5", are refused like two different ones. */
function declaredLength(lengths: readonly string[], fault: FaultCode): Framing | Refusal {
  const text = lengths.join(", ");
  const length = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(length)) return { ok: true, kind: "length", length };
  return refuse(fault, `Content-Length ${quoted(text)} is not one decimal number below 2^53`);
}
