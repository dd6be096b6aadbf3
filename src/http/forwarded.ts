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
  removeLookAlikes(headers);
  headers.remove("forwarded");
  const peer = plainAddress(arrival.remoteAddress);
  if (peer === "") {
    headers.remove("x-real-ip");
  } else {
    const before = headers.getAll("x-forwarded-for").filter((value) => value !== "");
    headers.set("X-Forwarded-For", before.length === 0 ? peer : `${before.join(", ")}, ${peer}`);
    headers.set("X-Real-IP", peer);
  }
  headers.set("X-Forwarded-Proto", arrival.scheme);
  headers.set("X-Forwarded-Host", arrival.authority);
  headers.set("X-Forwarded-Port", String(arrival.localPort));
}

const OURS: ReadonlySet<string> = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
]);

function removeLookAlikes(headers: HeaderList): void {
  for (let at = headers.size - 1; at >= 0; at--) {
    const key = headers.keyAt(at);
    if (!key.includes("_") || !OURS.has(key.replaceAll("_", "-"))) continue;
    headers.remove(key);
    at = Math.min(at, headers.size); // Lines of that name before this one are gone as well.
  }
}

/** A dual-stack socket shows IPv4 peers as "::ffff:192.0.2.1", which no allow-list expects. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}
