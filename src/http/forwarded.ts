import { headerName, ROLE } from "./header-name.ts";
import type { HeaderList } from "./headers.ts";

/** How a request came in. */
export interface Arrival {
  /** Address of the connection's other end; "" when it has none (a unix socket). */
  readonly remoteAddress: string;
  readonly scheme: "http" | "https";
  /** What the client called, port included. */
  readonly authority: string;
  /** Port of the listener. */
  readonly localPort: number;
}

/**
 * Tells the upstream how the request came in, in the lines that users of nginx and APISIX expect.
 *
 *   X-Forwarded-For    what the client sent, ", ", the peer's address ($proxy_add_x_forwarded_for)
 *   X-Real-IP          the peer's address, replaced
 *   X-Forwarded-Proto  X-Forwarded-Host  X-Forwarded-Port     as seen here, replaced
 *   Forwarded          removed
 *
 * No client is trusted. The chain may be appended to because its last element is always ours: an
 * upstream that counts from the right is not deceived. The other lines have one value, so a
 * client's would be believed and goes; so does Forwarded, which nobody here has checked or goes
 * on with. Spellings with "_" go too, since CGI-style servers cannot tell them from ours.
 */
export function setForwarded(headers: HeaderList, arrival: Arrival): void {
  const peer = plainAddress(arrival.remoteAddress);
  const before = (headers.roles & ROLE.forwarded) === 0 ? [] : takeOff(headers);
  if (peer !== "") {
    before.push(peer);
    const trace = before.join(", ");
    // What the client has sent is as well checked as the rest of its lines.
    headers.appendChecked(NAMES.for, trace);
    headers.appendChecked(NAMES.realIp, peer);
  } else if (before.length > 0) {
    headers.appendChecked(NAMES.for, before.join(", "));
  }
  headers.appendChecked(NAMES.proto, arrival.scheme);
  headers.appendChecked(NAMES.host, arrival.authority);
  headers.appendChecked(NAMES.port, String(arrival.localPort));
}

const NAMES = {
  for: headerName("X-Forwarded-For"),
  realIp: headerName("X-Real-IP"),
  proto: headerName("X-Forwarded-Proto"),
  host: headerName("X-Forwarded-Host"),
  port: headerName("X-Forwarded-Port"),
};

/** @returns the client's X-Forwarded-For */
function takeOff(headers: HeaderList): string[] {
  const before = headers.getAll("x-forwarded-for").filter((value) => value !== "");
  headers.removeRoles(ROLE.forwarded);
  return before;
}

/** A dual-stack socket shows IPv4 peers as "::ffff:192.0.2.1", which no allow-list expects. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}
