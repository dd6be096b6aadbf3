import type { GatewayError } from "../base/errors.ts";
import { HeaderList } from "../http/headers.ts";

/** An answer of the gateway's own: head and whole body. */
export interface Reply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly trailers?: HeaderList | undefined;
}

const encoder = new TextEncoder();

/**
 * What a client is told of a failure: code, status and request id, and never a message that was
 * written for the operator, who finds it in the log under the same id.
 */
export function replyFor(error: GatewayError, requestId: string): Reply {
  const told = { error: error.code, status: error.status, request_id: requestId };
  return {
    status: error.status,
    headers: HeaderList.from([["Content-Type", "application/json"]]),
    body: encoder.encode(`${JSON.stringify(told)}\n`),
  };
}
