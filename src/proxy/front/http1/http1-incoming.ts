import type { Cancellation } from "../../../base/cancellation.ts";
import type { Body } from "../../../http/body.ts";
import type { HeaderList } from "../../../http/headers.ts";
import type { Incoming } from "../front.ts";
import type { RequestHead } from "./request-head.ts";

/** Both ends of a connection; IPv4 in dotted form whatever the socket's family is. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** The same, of a connection that has been taken. */
export interface ConnectionEnds extends Ends {
  readonly connectionId: bigint;
}

export class Http1Incoming implements Incoming {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
  readonly scheme = "http";
  readonly headers: HeaderList;
  readonly body: Body | undefined;
  readonly upgrade: string | undefined;
  readonly cancellation: Cancellation;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly connectionId: bigint;

  constructor(
    head: RequestHead,
    ends: ConnectionEnds,
    body: Body | undefined,
    cancellation: Cancellation,
  ) {
    this.method = head.method;
    this.target = head.target;
    this.version = head.version;
    this.headers = head.headers;
    this.body = body;
    this.upgrade = head.upgrade;
    this.cancellation = cancellation;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
    this.connectionId = ends.connectionId;
  }
}

/** Once for each connection. */
export function endsOf(socket: Ends): ConnectionEnds {
  return {
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
