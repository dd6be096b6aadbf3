import type * as Http2 from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type * as Net from "node:net";
import { type Deadline, deadlines } from "../../base/deadlines.ts";
import { GatewayError, messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { ConnectTarget } from "../client/connection.ts";

/** Loaded with the first session: what a worker holds decides how much garbage it lets lie. */
function http2(): typeof Http2 {
  // eslint-disable-next-line typescript/no-require-imports -- nothing else loads at once, and late
  return require("node:http2") as typeof Http2;
}

/** Whoever holds a session. */
export interface SessionOwner {
  /** A stream can be opened now that could not before. */
  hasRoom(session: GrpcSession): void;
  /** It opens no more streams; those that are open end by themselves. Once. */
  gone(session: GrpcSession, error: GatewayError): void;
}

/**
 * One HTTP/2 connection to a node, begun in clear text without an upgrade.
 *
 *   connecting ──the node's SETTINGS──▶ open ──GOAWAY, retire()──▶ closing ──▶ closed
 *        └────────── deadline, error ─────┴────────── error ──────────────────▶
 *
 * Streams wait for the node's SETTINGS: only then it is known that it speaks HTTP/2, and how many
 * streams it takes. What would make this TLS is the socket alone, see socketTo().
 */
export class GrpcSession {
  readonly #address: string;
  readonly #owner: SessionOwner;
  readonly #session: ClientHttp2Session;
  #connecting: Deadline | undefined;
  #isOpen = false;
  #streamsMax = 0;
  #streams = 0;
  #wasUsed = false;
  #isGone = false;
  #pong: Deadline | undefined;
  /** When it may be asked whether it lives, on the clock of performance.now(). */
  #nextPingMs = 0;

  /** @param connectMs 0: no deadline */
  constructor(target: ConnectTarget, address: string, connectMs: number, owner: SessionOwner) {
    this.#address = address;
    this.#owner = owner;
    this.#session = http2().connect("http://node", {
      createConnection: () => socketTo(target),
      settings: { enablePush: false, maxHeaderListSize: LIMITS.grpcMetadataBytesMax },
      maxSessionMemory: LIMITS.grpcSessionMibMax,
    });
    if (connectMs > 0) {
      this.#connecting = deadlines.arm(connectMs, () => {
        const what = `Cannot begin HTTP/2 with ${address} within the connect timeout of`;
        this.#fail(new GatewayError("UPSTREAM_CONNECT_TIMEOUT", `${what} ${connectMs} ms`));
      });
    }
    this.#session.on("remoteSettings", (settings) => {
      const announced = settings.maxConcurrentStreams ?? LIMITS.grpcStreamsPerSessionMax;
      this.#opened(Math.min(announced, LIMITS.grpcStreamsPerSessionMax));
    });
    this.#session.on("goaway", () => this.#leave(this.#lost("the node has sent GOAWAY")));
    this.#session.on("error", (error) => this.#fail(this.#errorOf(error)));
    this.#session.on("close", () => this.#fail(this.#lost("it is closed")));
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams;
  }

  /** A stream was opened on it. */
  get wasUsed(): boolean {
    return this.#wasUsed;
  }

  get canOpen(): boolean {
    return !this.#isGone && this.#streams < this.#streamsMax;
  }

  /** True when what still runs on it cannot go on. */
  get isBroken(): boolean {
    return this.#session.destroyed;
  }

  /**
   * Opens a stream, for which canOpen must hold. Its owner hears of the room that its end leaves.
   * @throws whatever node:http2 throws at what it cannot send
   */
  open(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream: false });
    this.#streams++;
    this.#wasUsed = true;
    stream.once("close", () => {
      this.#streams--;
      if (!this.#isGone) this.#owner.hasRoom(this);
    });
    return stream;
  }

  /** The node has said something: it may be asked again. */
  heard(): void {
    this.#nextPingMs = 0;
  }

  /**
   * A call has had no answer in its time: is there anybody? A node that does not answer a ping
   * either has gone without a word. Nodes count pings to which they had nothing to add, and hang up
   * after a few; hence the pause.
   */
  doubt(): void {
    const now = performance.now();
    if (this.isBroken || this.#pong !== undefined || now < this.#nextPingMs) return;
    this.#nextPingMs = now + LIMITS.grpcPingPauseMs;
    this.#pong = deadlines.arm(LIMITS.grpcPongMsMax, () => {
      this.#fail(this.#lost(`no answer to a ping within ${LIMITS.grpcPongMsMax} ms`));
    });
    this.#session.ping(() => {
      this.#pong?.cancel();
      this.#pong = undefined;
    });
  }

  /** Closes when its streams have ended; at once without any. */
  retire(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#streams === 0) this.#destroy();
    else this.#session.close();
  }

  #opened(streamsMax: number): void {
    this.#connecting?.cancel();
    this.#isOpen = true;
    this.#streamsMax = streamsMax;
    if (this.canOpen) this.#owner.hasRoom(this);
  }

  #leave(error: GatewayError): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this, error);
  }

  #fail(error: GatewayError): void {
    this.#destroy();
    this.#leave(error);
  }

  #destroy(): void {
    this.#connecting?.cancel();
    this.#pong?.cancel();
    if (!this.#session.destroyed) this.#session.destroy();
  }

  #lost(why: string): GatewayError {
    const what = `Cannot keep the HTTP/2 connection to ${this.#address}: ${why}`;
    return new GatewayError("UPSTREAM_RESET", what);
  }

  #errorOf(cause: Error): GatewayError {
    if (this.#isOpen) return this.#lost(messageOf(cause));
    const { code, syscall } = cause as { code?: string; syscall?: string };
    const what = `Cannot begin HTTP/2 with ${this.#address}: ${code ?? messageOf(cause)}`;
    const fault = syscall === "getaddrinfo" ? "UPSTREAM_RESOLVE_FAILED" : "UPSTREAM_CONNECT_FAILED";
    return new GatewayError(fault, what, { cause });
  }
}

/** A socket in clear text; TLS towards nodes would begin here and nowhere else. */
function socketTo(target: ConnectTarget) {
  // eslint-disable-next-line typescript/no-require-imports -- as above
  const { createConnection } = require("node:net") as typeof Net;
  return "unix" in target
    ? createConnection({ path: target.unix })
    : createConnection({ host: target.host, port: target.port, noDelay: true });
}
