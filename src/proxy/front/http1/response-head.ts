import { GatewayError } from "../../../base/errors.ts";
import { HeadText } from "../../../http/head-text.ts";
import { ROLE } from "../../../http/header-name.ts";
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
 * A response head, lines in order and as they are spelled, the empty line included. What
 * frames the message and the connection comes from the front alone: such lines of `headers` are
 * left out.
 * @throws GatewayError GATEWAY_INTERNAL for a line that would not stay one line
 */
export function renderHead(head: ResponseHead): HeadText {
  const { headers, contentLength } = head;
  if (!headers.isChecked) checkLines(headers);
  const without = contentLength === "own" ? OURS : OURS | ROLE.contentLength;
  const hasDate = (headers.roles & ROLE.date) !== 0 && headers.has("date");
  const end = hasDate ? endOf(head) : dateLine() + endOf(head);
  return new HeadText(statusLine(head.status), headers.toText(without), end);
}

/** The lines that are the front's own, and the empty one. */
function endOf({ contentLength, chunked, connection, upgrade }: ResponseHead): string {
  const isLong = chunked || connection !== undefined || upgrade !== undefined;
  if (!isLong) return typeof contentLength === "number" ? lengthEnd(contentLength) : EMPTY_LINE;
  let text = typeof contentLength === "number" ? `\r\nContent-Length: ${contentLength}` : "";
  if (chunked) text += "\r\nTransfer-Encoding: chunked";
  if (upgrade !== undefined) text += upgradeLine(upgrade);
  if (connection !== undefined) text += `\r\nConnection: ${connection}`;
  return text + EMPTY_LINE;
}

/** The head of a 101, behind which the connection speaks `protocol`. @throws as renderHead() */
export function renderSwitch(headers: HeaderList, protocol: string): HeadText {
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
  if (!trailers.isChecked) checkLines(trailers);
  const text = trailers.toText(OURS | ROLE.contentLength | ROLE.date);
  return text === "" ? "" : `${text.slice(2)}\r\n`;
}

/** What is never taken from the answer: the connection and its framing are the front's business. */
const OURS = ROLE.connection | ROLE.keepAlive | ROLE.transferEncoding | ROLE.upgrade;

/** @throws GatewayError GATEWAY_INTERNAL for a line that would not stay one line */
function checkLines(headers: HeaderList): void {
  for (let at = 0; at < headers.size; at++) {
    checkLine(headers.isNameAtValid(at), headers.nameAt(at), headers.valueAt(at));
  }
}

function checkLine(isNameValid: boolean, name: string, value: string): void {
  if (isNameValid && !BREAKS_LINE.test(value)) return;
  const shown = JSON.stringify(`${name}: ${value}`.slice(0, 80));
  throw new GatewayError("GATEWAY_INTERNAL", `Cannot send ${shown} as one header line`);
}

function upgradeLine(protocol: string): string {
  checkLine(true, "Upgrade", protocol);
  return `\r\nUpgrade: ${protocol}`;
}

/** What ends a line or a string somewhere; above U+00FF a char's low byte would be sent. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const BREAKS_LINE = /[\u0000\u000a\u000d\u0100-\uffff]/;

/** Bounded by the 900 statuses that there are. */
const STATUS_LINES = new Map<number, string>();

function statusLine(status: number): string {
  let line = STATUS_LINES.get(status);
  if (line === undefined) {
    // A status of four digits, or none, would shift the line for whoever reads it.
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw new GatewayError("GATEWAY_INTERNAL", `Cannot send status ${status}`);
    }
    line = `HTTP/1.1 ${status} ${reasonPhrase(status)}`;
    STATUS_LINES.set(status, line);
  }
  return line;
}

const EMPTY_LINE = "\r\n\r\n";

/** Power of two. Two lengths of one slot take it from each other, which costs making the text. */
const LENGTHS_KEPT = 256;
const LENGTHS = new Float64Array(LENGTHS_KEPT).fill(-1);
const LENGTH_ENDS = Array.from({ length: LENGTHS_KEPT }, () => "");

/** Most heads end like this. */
function lengthEnd(length: number): string {
  const slot = length & (LENGTHS_KEPT - 1);
  if (LENGTHS[slot] === length) return LENGTH_ENDS[slot] as string;
  const end = `\r\nContent-Length: ${length}${EMPTY_LINE}`;
  LENGTHS[slot] = length;
  LENGTH_ENDS[slot] = end;
  return end;
}

let dateSecond = -1;
let dateText = "";

/** Made once a second. */
function dateLine(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `\r\nDate: ${new Date(nowMs).toUTCString()}`;
  }
  return dateText;
}
