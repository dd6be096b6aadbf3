import { GatewayError } from "../../../base/errors.ts";
import { requestFraming } from "../../../http/framing.ts";
import type { HttpVersion } from "../../../http/framing.ts";
import { ROLE } from "../../../http/header-name.ts";
import type { HeaderList } from "../../../http/headers.ts";
import { upgradeProtocol } from "../../../http/hop-by-hop.ts";
import type { RequestLine } from "./request-line.ts";

/** A request line and its header lines, as sent, and what they say about this connection. */
export interface RequestHead extends RequestLine {
  readonly headers: HeaderList;
  readonly framing: BodyFraming;
  /** The client can use the connection again. */
  readonly keepAlive: boolean;
  /** The client waits for "100 Continue" before it sends the body. */
  readonly expectsContinue: boolean;
  /** The client takes trailers: "TE: trailers". */
  readonly takesTrailers: boolean;
  /** Protocol to switch to, lower-case; undefined when the client asks for none. */
  readonly upgrade: string | undefined;
}

/** bytes of the body that follows; 0: none. */
export type BodyFraming = number | "chunked";

/**
 * @param seen bits of ROLE for the lines that `headers` has; Host and Content-Length at most once
 * @throws GatewayError when framing, Host or Expect are not what this version allows
 */
export function toRequestHead(line: RequestLine, headers: HeaderList, seen: number): RequestHead {
  const { method, target, version } = line;
  if (version === "1.1" && (seen & ROLE.host) === 0) {
    throw new GatewayError("REQUEST_MALFORMED", "Cannot take an HTTP/1.1 request without Host");
  }
  const framing = (seen & FRAMING) === 0 ? 0 : framingOf(headers, version);
  const modern = version === "1.1";
  const expects = modern && (seen & ROLE.expect) !== 0 && expectsContinue(headers);
  return {
    method,
    target,
    version,
    headers,
    framing,
    keepAlive: (seen & ROLE.connection) === 0 ? modern : keepsAlive(headers, modern),
    expectsContinue: expects && framing !== 0,
    takesTrailers: modern && (seen & ROLE.te) !== 0 && lists(headers, "te", "trailers"),
    // A body would lie between this head and the other protocol's bytes: nobody sends one.
    upgrade:
      modern && framing === 0 && (seen & ROLE.upgrade) !== 0 ? upgradeProtocol(headers) : undefined,
  };
}

const FRAMING = ROLE.contentLength | ROLE.transferEncoding;

function framingOf(headers: HeaderList, version: HttpVersion): BodyFraming {
  const framing = requestFraming(headers, version);
  if (framing.ok) return framing.kind === "length" ? framing.length : "chunked";
  const isCoding = version === "1.1" && !headers.has("content-length");
  throw new GatewayError(
    isCoding && hasUnknownCoding(headers) ? "REQUEST_CODING_UNSUPPORTED" : framing.fault,
    `Cannot find the end of the request: ${framing.problem}`,
  );
}

/**
 * True for other codings before one final "chunked": well formed, but not decoded here. Without
 * that "chunked" nobody can say where the body ends, whatever the codings mean.
 */
function hasUnknownCoding(headers: HeaderList): boolean {
  const codings = headers
    .getAll("transfer-encoding")
    .join(",")
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  return (
    codings.length > 1 &&
    codings.indexOf("chunked") === codings.length - 1 &&
    codings.every((coding) => coding !== "")
  );
}

function keepsAlive(headers: HeaderList, modern: boolean): boolean {
  const values = headers.getAll("connection");
  if (values.length === 1 && values[0] === "keep-alive") return true; // What browsers send.
  if (lists(headers, "connection", "close")) return false;
  return modern || lists(headers, "connection", "keep-alive");
}

function expectsContinue(headers: HeaderList): boolean {
  for (const value of headers.getAll("expect")) {
    if (value.toLowerCase() === "100-continue") continue;
    throw new GatewayError(
      "REQUEST_EXPECTATION_FAILED",
      `Cannot meet the expectation ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  return true;
}

/** @param token lower-case; a member of the comma-separated list over all lines of that name */
function lists(headers: HeaderList, key: string, token: string): boolean {
  for (const value of headers.getAll(key)) {
    // Not trim(): it drops 0xa0 too, which is no blank here.
    if (
      value
        .toLowerCase()
        .split(/[ \t]*,[ \t]*/)
        .includes(token)
    )
      return true;
  }
  return false;
}
