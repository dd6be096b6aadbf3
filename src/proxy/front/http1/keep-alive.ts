import type { RequestBody } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";

/**
 * Whether another request may follow this one on its connection: only when it is certain where it
 * begins, and it is worth waiting for that.
 * @param continued "100 Continue" has been sent
 * @param unreadBytesMax bytes of a body without a reader that are worth reading
 */
export function allowsNext(
  head: RequestHead,
  body: RequestBody | undefined,
  continued: boolean,
  unreadBytesMax: number,
): boolean {
  if (!head.keepAlive) return false;
  // Behind a CONNECT the client may already have sent another protocol's bytes.
  if (head.method === "CONNECT") return false;
  if (body === undefined || body.ended) return true;
  // Without the 100 the client may send the body or not: nobody can tell what its next byte is.
  if (head.expectsContinue && !continued) return false;
  return !body.failed && !(body.abandoned && body.left > unreadBytesMax);
}
