import { Cancellation } from "../../../base/cancellation.ts";
import type { Body } from "../../../http/body.ts";
import type { HttpVersion } from "../../../http/framing.ts";
import type { HeaderList } from "../../../http/headers.ts";
import type { FrontOptions, Incoming } from "../front.ts";
import type { RequestHead } from "./request-head.ts";

export type Scheme = Incoming["scheme"];

/** Both ends of a connection; IPv4 in dotted form whatever the socket's family is. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** The same, of a connection that has been taken, and how both talk. */
export interface ConnectionEnds extends Ends {
  readonly scheme: Scheme;
  readonly connectionId: bigint;
}

/** A request on its connection: shows what both have, and copies nothing. */
export class Http1Incoming implements Incoming {
  readonly body: Body | undefined;
  readonly cancellation = new Cancellation();
  readonly #head: RequestHead;
  readonly #ends: ConnectionEnds;

  constructor(head: RequestHead, ends: ConnectionEnds, body: Body | undefined) {
    this.#head = head;
    this.#ends = ends;
    this.body = body;
  }

  get scheme(): Scheme {
    return this.#ends.scheme;
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return this.#head.target;
  }

  get version(): HttpVersion {
    return this.#head.version;
  }

  get headers(): HeaderList {
    return this.#head.headers;
  }

  get upgrade(): string | undefined {
    return this.#head.upgrade;
  }

  get remoteAddress(): string {
    return this.#ends.remoteAddress;
  }

  get remotePort(): number {
    return this.#ends.remotePort;
  }

  get localAddress(): string {
    return this.#ends.localAddress;
  }

  get localPort(): number {
    return this.#ends.localPort;
  }

  get connectionId(): bigint {
    return this.#ends.connectionId;
  }
}

export function schemeOf({ tls }: Pick<FrontOptions, "tls">): Scheme {
  return tls === undefined ? "http" : "https";
}

/** Once for each connection. */
export function endsOf(socket: Ends, scheme: Scheme): ConnectionEnds {
  return {
    scheme,
    connectionId: ++connections,
    remoteAddress: withoutMapping(socket.remoteAddress),
    remotePort: socket.remotePort,
    localAddress: withoutMapping(socket.localAddress),
    localPort: socket.localPort,
  };
}

let connections = 0n;

/** ::ffff:192.0.2.1 is how a socket that takes both families shows 192.0.2.1. */
function withoutMapping(address: string | undefined): string {
  if (address === undefined) return ""; // The client has gone before we have looked.
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
