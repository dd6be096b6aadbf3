import type { GatewayError } from "../base/errors.ts";
import { isIdempotent } from "../http/method.ts";

/** How an attempt ended that got no response head. */
export class AttemptFailure {
  readonly error: GatewayError;
  /** Bytes of the request that the socket took; 0: the node cannot have seen any of it. */
  readonly sentBytes: number;
  /** Bytes of an unfinished or interim response. */
  readonly receivedBytes: number;
  /** The request body can be sent from its beginning, or there is none. */
  readonly bodyIsWhole: boolean;

  constructor(error: GatewayError, sentBytes: number, receivedBytes: number, bodyIsWhole: boolean) {
    this.error = error;
    this.sentBytes = sentBytes;
    this.receivedBytes = receivedBytes;
    this.bodyIsWhole = bodyIsWhole;
  }
}

/**
 * May the request be sent again, to this node or another?
 *
 *   nothing was sent                          any method
 *   something was sent, no response head yet  idempotent methods
 *   either way                                only if the body can still be sent as a whole
 */
export function maySendAgain(method: string, failure: AttemptFailure): boolean {
  if (!failure.error.retryable || !failure.bodyIsWhole) return false;
  return failure.sentBytes === 0 || isIdempotent(method);
}

/** True when an idle connection was probably closed by the node just before it was used. */
export function isStale(failure: AttemptFailure): boolean {
  return failure.error.code === "UPSTREAM_RESET" && failure.receivedBytes === 0;
}
