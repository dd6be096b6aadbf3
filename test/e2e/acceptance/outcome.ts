import { parseResponses, RawConnection, type RawResponse } from "../support/raw-client.ts";
import type { NodeCall } from "../support/scripted-node.ts";
import type { AcceptanceCase } from "./cases.ts";
import type { Proxy } from "./proxies.ts";

/** What became of the bytes. */
export interface Outcome {
  /** Status of each final response; "?" for an answer that is none. */
  readonly answers: readonly string[];
  /** "open": another request is answered; "waits": for more bytes, and says nothing. */
  readonly end: "open" | "closes" | "waits";
  /** Complete requests that the node has got, in order. */
  readonly calls: readonly NodeCall[];
}

const AGAIN = "/again";

/**
 * Sends the bytes on a connection of their own; nobody else may use the proxy meanwhile.
 * @param silenceMs without a sign, after which there will be none
 */
export async function outcomeOf(
  { send, requests }: AcceptanceCase,
  { port, node }: Proxy,
  silenceMs: number,
): Promise<Outcome> {
  const before = node.calls.length;
  using raw = await RawConnection.open(port);
  await raw.write(send);
  await heard(raw, (got) => got.length >= requests, silenceMs);
  // Answers come in order: that of one more request shows that all before it are through.
  if (raw.received !== "" && !(await raw.closed(0))) {
    await raw.write(`GET ${AGAIN} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    await heard(raw, isAgain, silenceMs);
  }
  const got = read(raw.received);
  const isOpen = isAgain(got);
  const answers = isOpen ? got.slice(0, -1) : got;
  return {
    answers: answers.map(({ status }) => (Number.isNaN(status) ? "?" : String(status))),
    end: isOpen ? "open" : (await raw.closed(0)) ? "closes" : "waits",
    calls: node.calls.slice(before).filter((call) => call.complete && call.target !== AGAIN),
  };
}

/** Waits until that is enough, for the end, or for silence. */
async function heard(
  raw: RawConnection,
  isEnough: (got: readonly RawResponse[]) => boolean,
  silenceMs: number,
): Promise<void> {
  for (let length = -1; raw.received.length > length;) {
    length = raw.received.length;
    if (isEnough(read(raw.received)) || (await raw.closed(0))) return;
    await raw.changed(silenceMs);
  }
}

function isAgain(got: readonly RawResponse[]): boolean {
  return got.at(-1)?.body === AGAIN;
}

/** The responses that are whole; one of status NaN for bytes that are none. */
function read(text: string): readonly RawResponse[] {
  for (let end = text.length; ; end--) {
    try {
      return parseResponses(text.slice(0, end));
    } catch {
      const isResponse = /^HTTP\/1\.[01] \d/.test(text) || "HTTP/1.".startsWith(text.slice(0, 7));
      if (!isResponse) return [{ status: Number.NaN, headers: new Map(), body: "" }];
    }
  }
}

/** "ANSWERS END → REQUESTS", each METHOD TARGET [HOST] {FRAMING} BODY TRAILERS; no host: a.test */
export function textOf({ answers, end, calls }: Outcome, port: number): string {
  const line = [...answers, end].join(" ");
  if (calls.length === 0) return line;
  return `${line} → ${calls.map(describeCall).join(" + ")}`.replace(`:${port}]`, ":PORT]");
}

/** The same without what two proxies may well write in two ways: the framing of bodies. */
export function meaningOf(text: string): string {
  return text.replaceAll(/ \{[^{}]*\}/g, "");
}

export function framingOf(call: NodeCall): string[] {
  return [...call.all("content-length"), ...call.all("transfer-encoding")];
}

function describeCall(call: NodeCall): string {
  const host = call.all("host").join(" | ");
  return [
    call.method.length > 20 ? shortened(call.method) : call.method,
    shortened(call.target),
    host === "a.test" ? "" : `[${shortened(host)}]`,
    ...framingOf(call).map((framing) => `{${framing}}`),
    shortened(call.body.toString("latin1")),
    // HAProxy writes names in lower case, which mean the same.
    ...call.trailers.map((line) => escaped(line.replace(/^[^:]*/, (name) => name.toLowerCase()))),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function shortened(text: string): string {
  const shown = escaped(text);
  return shown.length > 60 ? `${shown.slice(0, 12)}… (${text.length} bytes)` : shown;
}

/** @param text latin-1 @returns printable ASCII, one line */
export function escaped(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, (char) => {
    const known = { "\r": "\\r", "\n": "\\n", "\t": "\\t" }[char];
    return known ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
