import { isToken } from "./token.ts";
import { quoted, refuse, type Refusal } from "./refusal.ts";

/** RFC 9110, PATCH (5789), QUERY, WebDAV (4918, 3253, 5323, 3744) and the PURGE of caches. */
const KNOWN: ReadonlySet<string> = new Set([
  ..."GET HEAD POST PUT DELETE OPTIONS PATCH QUERY PURGE".split(" "),
  ..."PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH ACL".split(" "),
  ..."CHECKOUT MERGE MKACTIVITY MKCALENDAR BIND REBIND UNBIND LINK UNLINK".split(" "),
  ..."SUBSCRIBE UNSUBSCRIBE NOTIFY M-SEARCH".split(" "),
]);

/** RFC 9110 9.2.2 and the registry's column "idempotent", of the methods above. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ..."GET HEAD PUT DELETE OPTIONS QUERY".split(" "),
  ..."PROPFIND PROPPATCH MKCOL COPY MOVE UNLOCK REPORT SEARCH ACL".split(" "),
  ..."CHECKOUT MERGE MKACTIVITY MKCALENDAR BIND REBIND UNBIND LINK UNLINK".split(" "),
]);

/**
 * undefined when a gateway can serve the method. Methods are case-sensitive: "get" is unknown.
 * CONNECT asks for a tunnel and TRACE for an echo of the request's own headers, credentials
 * included: known, but not offered (405). Others are 501, as RFC 9110 9.1 wants.
 */
export function checkMethod(method: string): Refusal | undefined {
  if (KNOWN.has(method)) return undefined;
  if (!isToken(method)) return refuse("REQUEST_MALFORMED", `${quoted(method)} is no token`);
  if (method === "CONNECT" || method === "TRACE") {
    return refuse("METHOD_NOT_ALLOWED", `${method} is not offered by a gateway`);
  }
  return refuse("REQUEST_METHOD_UNSUPPORTED", `${quoted(method)} is not known`);
}

/** Sent twice it does no more than once: may be tried again on another node. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
