import { toGatewayError } from "../base/errors.ts";
import { MemoryBody } from "../http/body.ts";
import { logFailure } from "../proxy/failure-log.ts";
import type { Answer } from "../proxy/front/front.ts";
import { replyFor } from "../proxy/local-reply.ts";
import { nextRequestId } from "../proxy/request-id.ts";

/** The answer to what never became an exchange: a malformed request, or a front's own failure. */
export function refuse(thrown: unknown): Answer {
  const error = toGatewayError(thrown);
  const requestId = nextRequestId();
  logFailure(error, { request_id: requestId });
  const reply = replyFor(error, requestId);
  return {
    status: reply.status,
    headers: reply.headers,
    body: new MemoryBody(reply.body),
    tunnel: undefined,
    tunnelIdleMs: 0,
    close: true,
  };
}
