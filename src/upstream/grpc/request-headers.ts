import type { OutgoingHttpHeaders } from "node:http2";
import type { HeaderList } from "../../http/headers.ts";

/** What HTTP/2 does not carry, what names the target, and what gRPC itself writes. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Head of a call. Lines of one name are joined by commas, which gRPC takes for the same; values
 * under names with `-bin` stand there as they are given, so whoever gives them encodes them.
 * @param timeoutMs 0: the node is told none
 */
export function requestHeaders(
  path: string,
  authority: string,
  metadata: HeaderList,
  timeoutMs: number,
): OutgoingHttpHeaders {
  // Names that are on Object.prototype are ordinary ones here.
  const headers = Object.create(null) as Record<string, string>;
  headers[":method"] = "POST";
  headers[":scheme"] = "http";
  headers[":path"] = path;
  headers[":authority"] = authority;
  headers["te"] = "trailers";
  headers["content-type"] = "application/grpc";
  headers["grpc-accept-encoding"] = "identity";
  if (timeoutMs > 0) headers["grpc-timeout"] = `${Math.ceil(timeoutMs)}m`;
  for (let at = 0; at < metadata.size; at++) {
    const key = metadata.keyAt(at);
    if (OWN.has(key) || key.startsWith(":")) continue;
    const value = metadata.valueAt(at);
    headers[key] = headers[key] === undefined ? value : `${headers[key]},${value}`;
  }
  return headers;
}
