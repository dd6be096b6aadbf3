import { GatewayError } from "../../base/errors.ts";
import { isToken } from "../../http/token.ts";
import type { HeaderList } from "../../http/headers.ts";
import { quoted } from "../../http/refusal.ts";

/**
 * The two opening handshakes of a relayed WebSocket (RFC 6455 section 4). The client's is answered
 * by the front; the node's is the gateway's own, with a key of its own and without extensions:
 *
 *   client ── Key: a, Protocol, Extensions ──▶ gateway ── Key: b, Protocol ──▶ node
 *   client ◀── Accept(a), Protocol ─────────── gateway ◀── Accept(b), Protocol ── node
 *
 * Why no extensions: messages are relayed whole, so a compression that the two ends had agreed on
 * would be of use to nobody.
 */
export interface NodeHandshake {
  /** Sec-WebSocket-Key that the node was sent. */
  readonly key: string;
  /** What the client offered, in its order. */
  readonly protocols: readonly string[];
}

/**
 * Checks what the client asks for and makes its header lines, in place, those for the node. The
 * Upgrade and Connection lines are the business of whoever reads and writes the heads.
 * @throws GatewayError REQUEST_MALFORMED
 */
export function openHandshake(method: string, headers: HeaderList): NodeHandshake {
  if (method !== "GET") throw malformed(`method ${quoted(method)} is not GET`);
  const version = headers.getAll("sec-websocket-version").join(", ");
  if (version !== "13") throw malformed(`Sec-WebSocket-Version ${quoted(version)} is not 13`);
  const clientKey = headers.getAll("sec-websocket-key").join(", ");
  if (!KEY.test(clientKey)) {
    throw malformed(`Sec-WebSocket-Key ${quoted(clientKey)} is not 16 bytes in base64`);
  }
  const protocols = listMembers(headers, "sec-websocket-protocol");
  const wrong = protocols.find((name) => !isToken(name));
  if (wrong !== undefined) throw malformed(`Sec-WebSocket-Protocol ${quoted(wrong)} is no token`);

  const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
  headers.set("Sec-WebSocket-Key", key);
  headers.remove("sec-websocket-extensions");
  return { key, protocols };
}

/**
 * Checks the node's 101.
 * @param headers as received; not changed
 * @returns the lines for server.upgrade(): Set-Cookie and the node's own ones as they are. A
 *   Sec-WebSocket-Protocol line is always there, empty when the node chose none: without it
 *   Bun.serve answers with the first protocol that the client has offered.
 * @throws GatewayError UPSTREAM_BAD_RESPONSE
 */
export function acceptHandshake(
  handshake: NodeHandshake,
  headers: HeaderList,
): [name: string, value: string][] {
  const accept = headers.getAll("sec-websocket-accept").join(", ");
  if (accept !== acceptFor(handshake.key)) {
    throw badResponse(`Sec-WebSocket-Accept ${quoted(accept)} does not answer our key`);
  }
  const extensions = listMembers(headers, "sec-websocket-extensions");
  if (extensions.length > 0) {
    throw badResponse(`Sec-WebSocket-Extensions ${quoted(extensions.join(", "))} was not offered`);
  }
  const protocol = headers.getAll("sec-websocket-protocol").join(", ");
  if (protocol !== "" && !handshake.protocols.includes(protocol)) {
    throw badResponse(`Sec-WebSocket-Protocol ${quoted(protocol)} was not offered`);
  }
  const lines: [string, string][] = [["Sec-WebSocket-Protocol", protocol]];
  for (let at = 0; at < headers.size; at++) {
    if (OF_ONE_HOP.has(headers.keyAt(at))) continue;
    lines.push([headers.nameAt(at), headers.valueAt(at)]);
  }
  return lines;
}

/** What a server answers to a key: section 4.2.2, step 5.4. */
export function acceptFor(key: string): string {
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return new Bun.CryptoHasher("sha1").update(text).digest("base64");
}

/** 16 bytes are 22 characters, the last of which has four spare bits, and padding. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** Lines of a 101 that the front writes itself, or that mean nothing there. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

function listMembers(headers: HeaderList, key: string): string[] {
  const members = headers.getAll(key).join(",").split(",");
  return members.map((member) => member.trim()).filter((member) => member !== "");
}

function malformed(problem: string): GatewayError {
  return new GatewayError("REQUEST_MALFORMED", `Cannot upgrade to a WebSocket: ${problem}`);
}

function badResponse(problem: string): GatewayError {
  return new GatewayError("UPSTREAM_BAD_RESPONSE", `Cannot take the node's 101: its ${problem}`);
}
