import { assert } from "../base/assert.ts";
import { Cancellation } from "../base/cancellation.ts";
import { GatewayError, messageOf } from "../base/errors.ts";
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
import type { Body } from "../http/body.ts";
import type { HeaderList } from "../http/headers.ts";
import type { ResponseObserver, UpstreamResponse } from "../upstream/message.ts";
import { admit, type Admitted } from "./admit.ts";
import type { AnswerBody, Ended } from "./answer-body.ts";
import { logFailure } from "./failure-log.ts";
import { forward, isRewritten, normaliseRewritten } from "./forward.ts";
import type { Answer, Asker, Incoming } from "./front/front.ts";
import { getProperty } from "./properties.ts";
import { nextRequestId } from "./request-id.ts";
import { respond, respondToFailure } from "./respond.ts";
import type { DataPlane, ServedGeneration, ServedRoute } from "./served.ts";
import { SetProperties } from "./set-properties.ts";

/**
 * THE life of one request, top to bottom. It ends when the last byte has left or the client has
 * gone, not when it is answered: AnswerBody calls finish().
 */
export function handle(plane: DataPlane, incoming: Incoming, asker: Asker): void {
  const x = new Exchange(plane, incoming, asker);
  try {
    const { authority, target } = admit(x); //                     1. is it a request at all?
    x.openChain(findRoute(x, authority.host, target.path)); //     2. route            router/
    const pause = x.chain.requestHeaders(x.requestBody); //        3. filters →        filter/
    if (pause !== undefined || x.mayBeRerouted) void goOnAfter(x, pause);
    else sendUpstream(x);
  } catch (error) {
    x.failed(error); //                                            one exit for every failure
  }
}

async function goOnAfter(x: Exchange, pause: Promise<void> | undefined): Promise<void> {
  try {
    if (pause !== undefined) await pause; //                       filters may wait, and
    if (x.mayBeRerouted) await followRoute(x); //                  may change the route
    sendUpstream(x);
  } catch (error) {
    x.failed(error);
  }
}

function sendUpstream(x: Exchange): void {
  x.throwIfInterrupted();
  forward(x); //                                                   4. upstream         upstream/
} //                                                                  calls responded() or failed()

/** Why the upstream is not needed any more when a filter has replied in its place. */
const ANSWERED = new GatewayError("FILTER_RESET", "A filter has answered in the upstream's place");

/** State of one exchange; the steps above are its only writers. */
export class Exchange implements FilterExchange, ResponseObserver {
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
  readonly #asker: Asker;
  /** It has a response or a failure: another answer would be taken for the next request's. */
  #decided = false;
  #finished = false;

  constructor(plane: DataPlane, incoming: Incoming, asker: Asker) {
    this.plane = plane;
    this.#asker = asker;
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

  /** @internal ResponseObserver, and the last step: 5. filters ←, body streams */
  responded(response: UpstreamResponse): void {
    if (this.#decided) {
      response.body?.cancel("the request has been answered");
      response.tunnel?.close();
      return;
    }
    this.#decided = true;
    let answered: Answer | Promise<Answer>;
    try {
      answered = respond(this, response);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (answered instanceof Promise) {
      this.#answerWith(answered.catch((error: unknown) => respondToFailure(this, error)));
    } else {
      this.#tell(answered);
    }
  }

  /**
   * @internal ResponseObserver, and whatever else has failed on the way: what comes first counts.
   * Filters are told of it in a turn of their own: this may be called while one of them works.
   */
  failed(error: unknown): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#answerWith(Promise.resolve().then(() => respondToFailure(this, error)));
  }

  #answerWith(answered: Promise<Answer>): void {
    answered.then(
      (answer) => this.#tell(answer),
      (error: unknown) => this.#asker.onFailure(error),
    );
  }

  #tell(answer: Answer): void {
    try {
      this.#asker.onAnswer(answer);
    } catch (error) {
      // The front's fault, which who has told of the response would take for the node's.
      logFailure(error, this.logFields);
    }
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

  get logFields(): LogFields {
    return { request_id: this.id, route: this.route?.id, node: this.upstream?.node.address };
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
    const { filterBufferBytes } = this.generation.limits;
    this.#chain = new FilterChain(route.plugins, this, filterBufferBytes, this);
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
      logFailure(ended.error, this.logFields);
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
