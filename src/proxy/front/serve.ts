import { Cancellation } from "../../base/cancellation.ts";
import { GatewayError } from "../../base/errors.ts";
import { isFieldValue } from "../../http/framing.ts";
import { HeaderList } from "../../http/headers.ts";
import { upgradeProtocol } from "../../http/hop-by-hop.ts";
import { webSocketHandlers } from "../websocket/handlers.ts";
import { acceptHandshake, type NodeHandshake, openHandshake } from "../websocket/handshake.ts";
import { WebSocketRelay } from "../websocket/relay.ts";
import { quoted } from "../../http/refusal.ts";
import type { Tunnel } from "../../upstream/message.ts";
import { type Answer, answerOf, type Front, type FrontOptions, type Incoming } from "./front.ts";
import { toResponse } from "./serve-response.ts";
import { StreamBody } from "./stream-body.ts";

/**
 * The front on Bun.serve. What it loses, since Bun hides the raw request: header order and repeats
 * (lines of one name arrive joined), bodies of GET and HEAD, request trailers, Content-Length of
 * streamed responses, and pipelined requests while one is pending. TLS with certificates chosen by
 * the client's SNI; it answers no ALPN, and it closes handshakes after some 10 s, both Bun's doing.
 */
export function startServeFront(options: FrontOptions): Front {
  return new ServeFront(options);
}

type Server = Bun.Server<WebSocketRelay>;

class ServeFront implements Front {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #options: FrontOptions;
  readonly #scheme: Incoming["scheme"];
  #inFlight = 0;
  #draining = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#scheme = options.tls === undefined ? "http" : "https";
    this.#server = Bun.serve({
      hostname: options.host,
      port: options.port,
      reusePort: options.reusePort,
      ...tlsOf(options.tls),
      // Deadlines are the gateway's own; this is the longest that Bun allows.
      idleTimeout: 255,
      // Counted by the exchange, whose limit a reload may change.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: (request, server) => this.#fetch(request, server),
      error: (error) => this.#refusal(error),
      websocket: webSocketHandlers,
    });
    this.host = options.host;
    this.port = this.#server.port ?? options.port;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  drain(): void {
    this.#draining = true;
  }

  /** Bun closes connections without a request at once. */
  retire(): Promise<void> {
    return this.#server.stop();
  }

  async stop(): Promise<void> {
    this.drain();
    // Resolves when every connection is closed; in flight is what we wait for, and what we count.
    void this.#server.stop();
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  close(): void {
    void this.#server.stop(true);
  }

  async #fetch(request: Request, server: Server): Promise<Response | undefined> {
    server.timeout(request, 0);
    this.#inFlight++;
    let ended = false;
    const onEnd = (): void => {
      if (ended) return;
      ended = true;
      this.#inFlight--;
      if (this.#inFlight === 0) this.#whenIdle?.();
    };
    let answer: Answer | undefined;
    try {
      const { incoming, handshake, forgetAbort } = toIncoming(request, server, this.#scheme);
      answer = await answerOf(this.#options.handle, incoming);
      if (answer.tunnel === undefined || handshake === undefined) {
        return await toResponse(answer, answer.close || this.#draining, onEnd);
      }
      // Bun.serve aborts the request when its WebSocket closes, with messages still on their way.
      forgetAbort();
      upgrade(request, server, { answer, tunnel: answer.tunnel, handshake, onEnd });
      return undefined;
    } catch (error) {
      onEnd();
      answer?.body?.cancel(error);
      answer?.tunnel?.close();
      return this.#refusal(error);
    }
  }

  /** Whole and small, so that nothing can fail on its way. */
  async #refusal(error: unknown): Promise<Response> {
    return toResponse(this.#options.refuse(error), true, () => {});
  }
}

/** An entry for each name; the first is for those that ask for another one, or for none. */
function tlsOf(certificates: FrontOptions["tls"]): { tls?: Bun.TLSOptions[] } {
  if (certificates === undefined) return {};
  const tls = certificates.flatMap(({ snis, cert, key }) =>
    snis.map((serverName) => ({ serverName, cert, key, minVersion: TLS_1_2 })),
  );
  return { tls };
}

/** In the types it is a name, but only the number is obeyed: measured on Bun 1.4.5. */
const TLS_1_2 = 0x0303;

/** @throws GatewayError when the node's handshake is wrong, or Bun refuses the client's */
function upgrade(
  request: Request,
  server: Server,
  to: { answer: Answer; tunnel: Tunnel; handshake: NodeHandshake; onEnd: () => void },
): void {
  const { answer, tunnel, handshake, onEnd } = to;
  const headers = acceptHandshake(handshake, answer.headers);
  const relay = new WebSocketRelay({ tunnel, idleMs: answer.tunnelIdleMs, onEnd });
  if (server.upgrade(request, { data: relay, headers })) return;
  throw new GatewayError("REQUEST_MALFORMED", "Cannot upgrade: Bun.serve refuses the handshake");
}

/** @throws GatewayError when Bun has let through what is no request */
function toIncoming(
  request: Request,
  server: Server,
  scheme: Incoming["scheme"],
): { incoming: Incoming; handshake: NodeHandshake | undefined; forgetAbort: () => void } {
  const headers = toHeaders(request);
  const cancellation = new Cancellation();
  const onAbort = (): void => cancellation.cancel("the connection was closed");
  request.signal.addEventListener("abort", onAbort, { once: true });
  const protocol = upgradeProtocol(headers) === "websocket" ? "websocket" : undefined;
  const handshake = protocol === undefined ? undefined : openHandshake(request.method, headers);
  const peer = server.requestIP(request);
  const incoming: Incoming = {
    method: request.method,
    target: rawTarget(request.url),
    version: "1.1",
    scheme,
    headers,
    body: toBody(request, headers),
    remoteAddress: peer?.address ?? "",
    remotePort: peer?.port ?? 0,
    localAddress: server.hostname ?? "",
    localPort: server.port ?? 0,
    upgrade: protocol,
    cancellation,
  };
  const forgetAbort = (): void => request.signal.removeEventListener("abort", onAbort);
  return { incoming, handshake, forgetAbort };
}

/** Bun lets DEL pass in values, which no field value may hold. */
function toHeaders(request: Request): HeaderList {
  const headers = HeaderList.from(request.headers);
  for (let at = 0; at < headers.size; at++) {
    if (isFieldValue(headers.valueAt(at))) continue;
    const line = `${quoted(headers.nameAt(at))}: ${quoted(headers.valueAt(at))}`;
    throw new GatewayError("REQUEST_MALFORMED", `Cannot serve header line ${line}`);
  }
  return headers;
}

/**
 * Bun builds an absolute URL from the Host line; a Host that it cannot use leaves only the path.
 */
function rawTarget(url: string): string {
  const authorityAt = url.indexOf("://");
  const pathAt = authorityAt < 0 ? -1 : url.indexOf("/", authorityAt + 3);
  return pathAt < 0 ? url : url.slice(pathAt);
}

function toBody(request: Request, headers: HeaderList): StreamBody | undefined {
  const declared = headers.get("content-length");
  if (declared !== undefined && !/^\d{1,15}$/.test(declared)) {
    throw new GatewayError(
      "REQUEST_MALFORMED",
      `Cannot frame a body by Content-Length ${JSON.stringify(declared)}`,
    );
  }
  if (request.body === null) return undefined;
  return new StreamBody(request.body, declared === undefined ? undefined : Number(declared));
}
