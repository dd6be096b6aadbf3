import { filledArray } from "../base/filled-array.ts";
import { headerName, type HeaderName, ROLE } from "./header-name.ts";
import type { HeaderLines } from "./header-lines.ts";
import { HeaderList } from "./headers.ts";

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
  if ((headers.roles & ROLE.forwarded) !== 0) {
    const before = takeOff(headers);
    if (before.length > 0) {
      for (const line of linesFor(arrival, before)) headers.appendChecked(...line);
      return;
    }
  }
  headers.appendAll(sharedLinesFor(arrival));
}

/** @param before what the client has sent: it is as well checked as the rest of its lines */
function linesFor(arrival: Arrival, before: readonly string[]): [HeaderName, string][] {
  const peer = plainAddress(arrival.remoteAddress);
  const trace = (peer === "" ? before : [...before, peer]).join(", ");
  const lines: [HeaderName, string][] = [];
  if (trace !== "") lines.push([NAMES.for, trace]);
  if (peer !== "") lines.push([NAMES.realIp, peer]);
  lines.push([NAMES.proto, arrival.scheme], [NAMES.host, arrival.authority]);
  lines.push([NAMES.port, String(arrival.localPort)]);
  return lines;
}

/** Power of two. Two clients of one slot take it from each other, which costs making the lines. */
const SLOTS = 256;
interface Made {
  readonly arrival: Arrival;
  readonly lines: HeaderLines;
}

const LAST_MADE = filledArray<Made | undefined>(SLOTS, undefined);

/** Lines for those whose requests come straight from them: the same for all of one client. */
function sharedLinesFor(arrival: Arrival): HeaderLines {
  const { remoteAddress, scheme, authority, localPort } = arrival;
  const slot = (slotOf(remoteAddress) * 31 + slotOf(authority)) & (SLOTS - 1);
  const made = LAST_MADE[slot];
  if (
    made !== undefined &&
    made.arrival.remoteAddress === remoteAddress &&
    made.arrival.authority === authority &&
    made.arrival.scheme === scheme &&
    made.arrival.localPort === localPort
  ) {
    return made.lines;
  }
  const list = new HeaderList();
  for (const line of linesFor(arrival, [])) list.appendChecked(...line);
  const lines = list.share();
  LAST_MADE[slot] = { arrival, lines };
  return lines;
}

/** Addresses and names differ in their last characters most of all. */
function slotOf(text: string): number {
  const { length } = text;
  const last = length > 0 ? text.charCodeAt(length - 1) : 0;
  const middle = length > 2 ? text.charCodeAt(length - 3) : 0;
  return last + middle * 7 + length;
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
