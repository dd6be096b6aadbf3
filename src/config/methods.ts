/**
 * What a route may be limited to, and what proxy-rewrite may change a method into: the methods that
 * the gateway serves (src/http/method.ts), the usual ones first.
 */
export const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
  "PURGE",
  "PROPFIND",
  "PROPPATCH",
  "MKCOL",
  "COPY",
  "MOVE",
  "LOCK",
  "UNLOCK",
  "REPORT",
  "SEARCH",
  "ACL",
  "CHECKOUT",
  "MERGE",
  "MKACTIVITY",
  "MKCALENDAR",
  "BIND",
  "REBIND",
  "UNBIND",
  "LINK",
  "UNLINK",
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "NOTIFY",
  "M-SEARCH",
] as const;

/** For diagnostics: all of them would hide the one that was meant. */
export const METHOD_NOTES = {
  expected: "a method in capitals, such as GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
};
