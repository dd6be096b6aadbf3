import { GatewayError } from "../../../base/errors.ts";
import { isFieldName } from "../../../http/framing.ts";
import type { HeaderList } from "../../../http/headers.ts";
import { reasonPhrase } from "../../../http/status.ts";

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** Value of Content-Length; "own": the line in `headers`, if any; undefined: none. */
  readonly contentLength: number | "own" | undefined;
  readonly chunked: boolean;
  /** Value of the Connection line; undefined: no line. */
  readonly connection: "close" | "keep-alive" | "Upgrade" | undefined;
  /** With Connection: Upgrade, the protocol. */
  readonly upgrade: string | undefined;
}

/**
 * A response head as latin-1, lines in order and as they are spelled, the empty line included. What
 * frames the message and the connection comes from the front alone: such lines of `headers` are
 * left out.
 * @throws GatewayError GATEWAY_INTERNAL for a line that would not stay one line
 */
export function renderHead(head: ResponseHead): string {
  const { headers } = head;
  let text = statusLine(head.status);
  let hasDate = false;
  for (let at = 0; at < headers.size; at++) {
    const key = headers.keyAt(at);
    const role = ROLES.get(key);
    if (role === "ours" || (role === "length" && head.contentLength !== "own")) continue;
    if (role === "date") hasDate = true;
    text += renderLine(headers.nameAt(at), headers.valueAt(at));
  }
  if (!hasDate) text += dateLine();
  if (typeof head.contentLength === "number") text += `Content-Length: ${head.contentLength}\r\n`;
  if (head.chunked) text += "Transfer-Encoding: chunked\r\n";
  if (head.upgrade !== undefined) text += renderLine("Upgrade", head.upgrade);
  return head.connection === undefined
    ? `${text}\r\n`
    : `${text}Connection: ${head.connection}\r\n\r\n`;
}

/** The head of a 101, behind which the connection speaks `protocol`. @throws as renderHead() */
export function renderSwitch(headers: HeaderList, protocol: string): string {
  return renderHead({
    status: 101,
    headers,
    contentLength: undefined,
    chunked: false,
    connection: "Upgrade",
    upgrade: protocol,
  });
}

/** Trailer lines behind the last chunk, the empty line not included. @throws as renderHead() */
export function renderTrailers(trailers: HeaderList): string {
  let text = "";
  for (const [name, value] of trailers) {
    if (!ROLES.has(name.toLowerCase())) text += renderLine(name, value);
  }
  return text;
}

/** ours: never taken from the answer. */
const ROLES: ReadonlyMap<string, "ours" | "length" | "date"> = new Map([
  ["connection", "ours"],
  ["keep-alive", "ours"],
  ["transfer-encoding", "ours"],
  ["upgrade", "ours"],
  ["content-length", "length"],
  ["date", "date"],
]);

function renderLine(name: string, value: string): string {
  if (!isKnownName(name) || BREAKS_LINE.test(value)) {
    const shown = JSON.stringify(`${name}: ${value}`.slice(0, 80));
    throw new GatewayError("GATEWAY_INTERNAL", `Cannot send ${shown} as one header line`);
  }
  return `${name}: ${value}\r\n`;
}

/** What ends a line or a string somewhere; above U+00FF a char's low byte would be sent. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const BREAKS_LINE = /[\u0000\u000a\u000d\u0100-\uffff]/;

/** Names repeat from answer to answer; bounded because nodes choose them. */
const KNOWN_NAMES_MAX = 1024;
const KNOWN_NAMES = new Set<string>();

function isKnownName(name: string): boolean {
  if (KNOWN_NAMES.has(name)) return true;
  if (!isFieldName(name)) return false;
  if (KNOWN_NAMES.size < KNOWN_NAMES_MAX && name.length <= 64) KNOWN_NAMES.add(name);
  return true;
}

/** Bounded by the 900 statuses that there are. */
const STATUS_LINES = new Map<number, string>();

function statusLine(status: number): string {
  let line = STATUS_LINES.get(status);
  if (line === undefined) {
    // A status of four digits, or none, would shift the line for whoever reads it.
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw new GatewayError("GATEWAY_INTERNAL", `Cannot send status ${status}`);
    }
    line = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
    STATUS_LINES.set(status, line);
  }
  return line;
}

let dateSecond = -1;
let dateText = "";

/** Made once a second. */
function dateLine(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
  }
  return dateText;
}
