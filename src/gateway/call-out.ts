import { Cancellation } from "../base/cancellation.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { TimeoutConfig } from "../config/config.ts";
import type { CallOut, CallOutOutcome, CallOutRequest } from "../filter/filter.ts";
import { collect, MemoryBody } from "../http/body.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import type { Upstream } from "../upstream/upstream.ts";

/**
 * Sends one call-out of a plugin through an upstream, with its balancing, retries and pools.
 * @param mayKeep asked for each piece of the answer: is there room for so many bytes?
 * @param done called once, later: the outcome, or undefined after cancel()
 */
export function sendCallOut(
  upstream: Upstream,
  request: CallOutRequest,
  mayKeep: (bytes: number) => boolean,
  done: (outcome: CallOutOutcome | undefined) => void,
): CallOut {
  const cancellation = new Cancellation();
  exchange(upstream, request, mayKeep, cancellation).then(
    (outcome) => done(cancellation.cancelled ? undefined : outcome),
    (error: unknown) => done(cancellation.cancelled ? undefined : { error: messageOf(error) }),
  );
  return { cancel: () => cancellation.cancel("the plugin has cancelled its call") };
}

async function exchange(
  upstream: Upstream,
  request: CallOutRequest,
  mayKeep: (bytes: number) => boolean,
  cancellation: Cancellation,
): Promise<CallOutOutcome> {
  const { method, target, authority, headers, trailers } = request;
  // What frames a message has no place behind its body either.
  for (const lines of [headers, trailers]) {
    stripHopByHop(lines);
    for (const key of ["host", "content-length"]) lines.remove(key);
  }
  const hasBody = request.body.byteLength > 0 || trailers.size > 0;
  const sent = hasBody ? new MemoryBody(request.body, trailers) : undefined;
  const response = await upstream.forward(
    { method, target, authority, headers, body: sent, upgrade: undefined },
    { timeout: timeouts(upstream, request.timeoutMs), cancellation },
  );
  stripHopByHop(response.headers);
  response.headers.remove("content-length");
  const { status, body } = response;
  let isFull = false;
  const fits = (more: number): boolean => !(isFull = !mayKeep(more));
  const bytes =
    body === undefined ? new Uint8Array(0) : await collect(body, LIMITS.callOutBodyBytesMax, fits);
  if (bytes === undefined) return { error: isFull ? FULL : TOO_LONG };
  return { status, headers: response.headers, body: bytes, trailers: body?.trailers };
}

/** A call-out always has a total deadline: a filter that waits for it holds an exchange. */
function timeouts(upstream: Upstream, timeoutMs: number): TimeoutConfig {
  const totalMs = Math.min(timeoutMs === 0 ? LIMITS.callOutMsMax : timeoutMs, LIMITS.callOutMsMax);
  return { ...upstream.timeout, totalMs };
}

const TOO_LONG = `the answer is longer than ${LIMITS.callOutBodyBytesMax} bytes`;
const FULL = `the plugin's calls keep ${LIMITS.callOutBytesInFlightMax} bytes, no more fit`;
