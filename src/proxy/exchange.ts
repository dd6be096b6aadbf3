import { assert } from "../base/assert.ts";
import { Cancellation } from "../base/cancellation.ts";
import { GatewayError, messageOf, toGatewayError } from "../base/errors.ts";
import type { LogFields } from "../base/log.ts";
import { LIMITS } from "../base/limits.ts";
import { FilterChain } from "../filter/chain.ts";
import type {
  Direction,
  FilterExchange,
  PropertyValue,
  RequestHead,
  ResponseHead,
} from "../filter/filter.ts";
import { type Body, MemoryBody } from "../http/body.ts";
import { ROLE } from "../http/header-name.ts";
import type { HeaderList } from "../http/headers.ts";
import { stripHopByHop } from "../http/hop-by-hop.ts";
import type { Tunnel, UpstreamResponse } from "../upstream/message.ts";
import { admit, type Admitted } from "./admit.ts";
import { AnswerBody, AnswerTunnel, type Ended } from "./answer-body.ts";
import { logFailure } from "./failure-log.ts";
import { forward, isRewritten, normaliseRewritten } from "./forward.ts";
import type { Answer, Incoming } from "./front/front.ts";
import { type Reply, replyFor } from "./local-reply.ts";
import { getProperty } from "./properties.ts";
import { SetProperties } from "./set-properties.ts";
import { nextRequestId } from "./request-id.ts";
import type { DataPlane, ServedGeneration, ServedRoute } from "./served.ts";

/**
 * THE life of one request, top to bottom. It ends when the last byte has left or the client has
 * gone, not when this function returns: AnswerBody calls finish().
 */
export async function handle(plane: DataPlane, incoming: Incoming): Promise<Answer> {
  const x = new Exchange(plane, incoming);
  try {
    const { authority, target } = admit(x); //                     1. is it a request at all?
    x.openChain(findRoute(x, authority.host, target.path)); //     2. route            router/
    const pause = x.chain.requestHeaders(x.requestBody); //        3. filters →        filter/
    if (pause !== undefined) await pause; //                          a promise only if one waits
    if (x.mayBeRerouted) await followRoute(x); //                     they may change the route
    x.throwIfInterrupted();
    const response = await forward(x); //                          4. upstream         upstream/
    const answered = respond(x, response); //                      5. filters ←, body streams
    return answered instanceof Promise ? await answered : answered;
  } catch (error) {
    return respondToFailure(x, error); //                          one exit for every failure
  }
}

/** State of one exchange; the steps above are its only writers. */
export class Exchange implements FilterExchange {
  readonly plane: DataPlane;
  readonly generation: ServedGeneration;
  readonly incoming: Incoming;
  /** ms of performance.now() */
  readonly startedAt = performance.now();
  /** Cancels what works for this exchange upstream. */
  readonly cancellation = new Cancellation();
  readonly request: RequestHead;
  /** As it came through the door; filters may change `request`. */
  admitted: Admitted | undefined;
  requestBody: Body | undefined;
  requestSent = false;
  response: ResponseHead | undefined;
  responseSent = false;
  route: ServedRoute | undefined;
  upstream: UpstreamResponse | undefined;
  /** Why the response is what it is, for logs and `response.code_details`. */
  details = "";
  answerBody: AnswerBody | undefined;
  /** A filter has asked for another choice of the route. */
  routeCleared = false;
  #properties: SetProperties | undefined;
  #id: string | undefined;
  #chain: FilterChain | undefined;
  #finished = false;

  constructor(plane: DataPlane, incoming: Incoming) {
    this.plane = plane;
    this.generation = plane.current;
    this.incoming = incoming;
    this.requestBody = incoming.body;
    this.request = {
      method: incoming.method,
      scheme: incoming.scheme,
      authority: "",
      target: incoming.target,
      headers: incoming.headers,
    };
    plane.inFlight++;
    this.generation.enter();
    incoming.cancellation.listen(this);
  }

  /** @internal CancellationListener: of the front, whose client has gone */
  cancelled(reason: unknown): void {
    const gone = new GatewayError("CLIENT_GONE", `The client has gone: ${messageOf(reason)}`);
    // First, so that the upstream's failure is this one and not the filters' interruption.
    this.cancellation.cancel(gone);
    this.#chain?.interrupt(gone);
  }

  /** A filter has asked for another choice, and what routes are chosen by is not what it was. */
  get mayBeRerouted(): boolean {
    return this.routeCleared && isRewritten(this);
  }

  /** Drawn when somebody asks: most exchanges are never spoken of. */
  get id(): string {
    this.#id ??= this.plane.nextRequestId?.() ?? nextRequestId();
    return this.#id;
  }

  /** ms of Date.now() when it began. */
  get startedMs(): number {
    return Math.round(Date.now() - (performance.now() - this.startedAt));
  }

  /** Made when somebody asks: most exchanges have none. */
  get properties(): SetProperties {
    this.#properties ??= new SetProperties();
    return this.#properties;
  }

  get chain(): FilterChain {
    assert(this.#chain !== undefined, "Cannot use the filters before the route is known");
    return this.#chain;
  }

  get hasChain(): boolean {
    return this.#chain !== undefined;
  }

  openChain(route: ServedRoute): void {
    this.route = route;
    this.#chain = new FilterChain({
      plugins: route.plugins,
      exchange: this,
      bufferBytesMax: this.generation.limits.filterBufferBytes,
      onInterrupt: this,
    });
  }

  /** @internal for the chain */
  interrupted(): void {
    this.cancellation.cancel(this.#chain?.failure ?? ANSWERED);
  }

  /** @throws GatewayError when the request must not go on: respondToFailure() knows the reply */
  throwIfInterrupted(): void {
    if (this.chain.failure !== undefined) throw this.chain.failure;
    if (this.chain.reply !== undefined) throw ANSWERED;
  }

  get requestTrailers(): HeaderList | undefined {
    return this.#chain?.trailers("request");
  }

  get responseTrailers(): HeaderList | undefined {
    return this.#chain?.trailers("response");
  }

  isHeadMutable(direction: "request" | "response"): boolean {
    if (direction === "request") return !this.requestSent;
    return this.response !== undefined && !this.responseSent;
  }

  getProperty(path: readonly string[]): PropertyValue | undefined {
    return getProperty(this, path);
  }

  setProperty(path: readonly string[], value: string | Uint8Array, readOnly = false): boolean {
    return this.properties.set(path, value, readOnly);
  }

  clearRoute(): void {
    this.routeCleared = true;
  }

  addTrailers(direction: Direction): HeaderList {
    return this.chain.addTrailers(direction);
  }

  /** Ends the exchange; the first call counts, since a body may end and be cancelled. */
  finish(ended: Ended): void {
    if (this.#finished) return;
    this.#finished = true;
    if (ended !== "complete") {
      logFailure(ended.error, logFields(this));
      this.cancellation.cancel(ended.error);
    }
    this.incoming.body?.cancel("the exchange is over");
    this.#chain?.end();
    this.plane.inFlight--;
    this.generation.leave();
  }
}

function findRoute(x: Exchange, host: string, path: string): ServedRoute {
  const match = x.generation.router.match(x.request.method, host, path);
  if (match !== undefined) return match.rule.value;
  throw new GatewayError("ROUTE_NOT_FOUND", `No route matches ${x.request.method} ${host}${path}`);
}

/**
 * Filters may have changed what a route is chosen by. The last route that matches decides where the
 * request goes; the filters that it has more than the ones before have their say as well.
 */
async function followRoute(x: Exchange): Promise<void> {
  for (let changes = 0; x.routeCleared && !x.chain.interrupted; changes++) {
    x.routeCleared = false;
    const { host, path } = normaliseRewritten(x);
    const route = x.generation.router.match(x.request.method, host, path)?.rule.value;
    if (route === undefined || route === x.route) return;
    if (changes === LIMITS.routeChangesMax) throw routeChangedTooOften(x, changes);
    x.route = route;
    const pause = x.chain.continueWith(route.plugins);
    if (pause !== undefined) await pause;
  }
}

function routeChangedTooOften(x: Exchange, changes: number): GatewayError {
  const what = `Cannot follow filters from route to route more than ${changes} times`;
  return new GatewayError("FILTER_FAILED", `${what}: the last one was "${x.route?.id}"`);
}

function respond(x: Exchange, upstream: UpstreamResponse): Answer | Promise<Answer> {
  stripHopByHop(upstream.headers);
  x.upstream = upstream;
  x.details = "via_upstream";
  x.response = { status: upstream.status, headers: upstream.headers };
  return filterResponse(x, upstream.body);
}

/** The gateway, or a filter, answers in the upstream's place. */
function respondToFailure(x: Exchange, error: unknown): Answer | Promise<Answer> {
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
    return answerOf(x, response, undefined, new AnswerTunnel(upstream.tunnel, x));
  }
  upstream?.tunnel?.close();
  const body = withoutForbiddenBody(incoming.method, response, source);
  if (body === undefined) {
    x.finish("complete");
    return answerOf(x, response, undefined, undefined);
  }
  response.headers.removeRoles(ROLE.contentLength);
  x.answerBody = new AnswerBody(body, x);
  return answerOf(x, response, x.answerBody, undefined);
}

function answerOf(
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

/** Why the upstream is not needed any more when a filter has replied in its place. */
const ANSWERED = new GatewayError("FILTER_RESET", "A filter has answered in the upstream's place");

const EMPTY: Body = new MemoryBody(new Uint8Array(0));

function useReply(x: Exchange, reply: Reply): Body {
  x.response = { status: reply.status, headers: reply.headers };
  return new MemoryBody(reply.body, reply.trailers);
}

function failureReply(x: Exchange, thrown: unknown): Reply {
  const error = toGatewayError(thrown);
  x.details = error.code;
  x.cancellation.cancel(error);
  logFailure(error, logFields(x));
  return replyFor(error, x.id);
}

/** The client's connection cannot be used again after these: its state is unknown. */
function mustClose(x: Exchange): boolean {
  // What follows a CONNECT is meant for the tunnel that there is not.
  if (x.incoming.method === "CONNECT") return true;
  return x.details === "REQUEST_MALFORMED" || x.details === "REQUEST_BODY_TOO_LARGE";
}

function logFields(x: Exchange): LogFields {
  return { request_id: x.id, route: x.route?.id, node: x.upstream?.node.address };
}
