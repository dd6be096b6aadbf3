import { assert } from "../base/assert.ts";
import { toGatewayError } from "../base/errors.ts";
import { type Body, MemoryBody } from "../http/body.ts";
import { ROLE } from "../http/header-name.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import type { Tunnel, UpstreamResponse } from "../upstream/message.ts";
import { AnswerBody, AnswerTunnel } from "./answer-body.ts";
import type { Exchange } from "./exchange.ts";
import { logFailure } from "./failure-log.ts";
import type { Answer } from "./front/front.ts";
import { type Reply, replyFor } from "./local-reply.ts";
import type { ResponseHead } from "../filter/filter.ts";

/** The second half of an exchange: from a response, or what has failed, to the front's answer. */

export function respond(x: Exchange, upstream: UpstreamResponse): Answer | Promise<Answer> {
  stripHopByHop(upstream.headers);
  x.upstream = upstream;
  x.details = "via_upstream";
  x.response = { status: upstream.status, headers: upstream.headers };
  return filterResponse(x, upstream.body);
}

/** The gateway, or a filter, answers in the upstream's place. */
export function respondToFailure(x: Exchange, error: unknown): Answer | Promise<Answer> {
  if (!x.hasChain) return answer(x, useReply(x, failureReply(x, error)));
  const { reply } = x.chain;
  if (reply === undefined) return filterResponse(x, useReply(x, failureReply(x, error)));
  x.details = reply.details;
  return filterResponse(x, useReply(x, reply));
}

/** Runs the response through the filters; replies and failures on the way replace it. */
function filterResponse(x: Exchange, source: Body | undefined): Answer | Promise<Answer> {
  const applied = x.chain.reply;
  const passed = passResponse(x, source);
  if (passed === undefined && x.chain.reply === applied) return send(x);
  return replaceResponse(x, applied, passed);
}

interface Failed {
  readonly error: unknown;
}

/** @returns why the response has to be another one, if it has; a promise while a filter pauses */
function passResponse(
  x: Exchange,
  body: Body | undefined,
): Failed | undefined | Promise<Failed | undefined> {
  try {
    const pause = x.chain.responseHeaders(body);
    if (pause === undefined) return newFailure(x);
    return pause.then(
      () => newFailure(x),
      (error: unknown) => ({ error }),
    );
  } catch (error) {
    return { error };
  }
}

function newFailure(x: Exchange): Failed | undefined {
  const { failure } = x.chain;
  return failure === undefined || x.details === failure.code ? undefined : { error: failure };
}

async function replaceResponse(
  x: Exchange,
  first: Reply | undefined,
  firstPassed: ReturnType<typeof passResponse>,
): Promise<Answer> {
  let applied = first;
  let passed = firstPassed;
  for (;;) {
    const failed = await passed;
    const { reply } = x.chain;
    let body: Body;
    if (failed !== undefined) {
      // Terminates: the filter that failed is dead, and the others are not asked again.
      x.chain.dropBody("response", failed.error);
      body = useReply(x, failureReply(x, failed.error));
    } else if (reply === undefined || reply === applied) {
      return send(x);
    } else {
      applied = reply;
      x.chain.dropBody("response", "a filter has replied");
      x.details = reply.details;
      body = useReply(x, reply);
    }
    passed = passResponse(x, body);
  }
}

function send(x: Exchange): Answer {
  x.chain.markResponseSent();
  return answer(x, x.chain.body("response"));
}

/** What the front writes. */
function answer(x: Exchange, source: Body | undefined): Answer {
  const { response, upstream, incoming } = x;
  assert(response !== undefined, "Cannot answer without a response");
  x.responseSent = true;
  if (response.status === 101 && upstream?.tunnel !== undefined) {
    return toAnswer(x, response, undefined, new AnswerTunnel(upstream.tunnel, x));
  }
  upstream?.tunnel?.close();
  const body = withoutForbiddenBody(incoming.method, response, source);
  if (body === undefined) {
    x.finish("complete");
    return toAnswer(x, response, undefined, undefined);
  }
  response.headers.removeRoles(ROLE.contentLength);
  x.answerBody = new AnswerBody(body, x);
  return toAnswer(x, response, x.answerBody, undefined);
}

function toAnswer(
  x: Exchange,
  { status, headers }: ResponseHead,
  body: Body | undefined,
  tunnel: Tunnel | undefined,
): Answer {
  return {
    status,
    headers,
    body,
    tunnel,
    tunnelIdleMs: x.route?.timeout.idleMs ?? 0,
    close: x.plane.draining || mustClose(x),
  };
}

/** HEAD, 204 and 304 have no body; HEAD and 304 may tell the length that a GET would have had. */
function withoutForbiddenBody(
  method: string,
  response: ResponseHead,
  body: Body | undefined,
): Body | undefined {
  if (method !== "HEAD" && response.status !== 204 && response.status !== 304) {
    return body ?? EMPTY;
  }
  if (method === "HEAD" && body?.length !== undefined) {
    response.headers.set("Content-Length", String(body.length));
  }
  // Nobody else writes one here: what filters have added must not break the head.
  const lengths = response.headers.getAll("content-length");
  if (response.status === 204 || !LENGTH.test(lengths.join())) {
    response.headers.remove("content-length");
  }
  body?.cancel("no body is sent");
  return undefined;
}

const LENGTH = /^\d{1,15}$/;

const EMPTY: Body = new MemoryBody(new Uint8Array(0));

function useReply(x: Exchange, reply: Reply): Body {
  x.response = { status: reply.status, headers: reply.headers };
  return new MemoryBody(reply.body, reply.trailers);
}

function failureReply(x: Exchange, thrown: unknown): Reply {
  const error = toGatewayError(thrown);
  x.details = error.code;
  x.cancellation.cancel(error);
  logFailure(error, x.logFields);
  return replyFor(error, x.id);
}

/** The client's connection cannot be used again after these: its state is unknown. */
function mustClose(x: Exchange): boolean {
  // What follows a CONNECT is meant for the tunnel that there is not.
  if (x.incoming.method === "CONNECT") return true;
  return x.details === "REQUEST_MALFORMED" || x.details === "REQUEST_BODY_TOO_LARGE";
}
