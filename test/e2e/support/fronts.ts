import { FRONTS, type FrontName } from "./default-front.ts";
import type { Gateway } from "./gateway.ts";
import { RawConnection } from "./raw-client.ts";

export { FRONTS, type FrontName } from "./default-front.ts";

/** A line of a configuration: a listener per front. */
export const LISTEN_ON_BOTH =
  'listen: [{ address: "127.0.0.1:0", front: http1 }, { address: "127.0.0.1:0", front: serve }]';

/** First lines of a configuration: these listeners; one worker, so that counts are exact. */
export const BOTH_FRONTS = `
${LISTEN_ON_BOTH}
workers: 1`;

/** Port of that front, of a gateway with LISTEN_ON_BOTH. */
export function portOf(gateway: Gateway, front: FrontName): number {
  return gateway.ports[FRONTS.indexOf(front)] ?? 0;
}

/** A response as the client has got it. */
export interface Reply {
  readonly status: number;
  /** Header lines, as they came. */
  readonly lines: readonly string[];
  /** latin-1, chunking taken off */
  readonly body: string;
}

/** A request's text: `lines` behind "Host: a.test", and the body as it is. */
export function request(line: string, lines: readonly string[] = [], body = ""): string {
  const all = ["Host: a.test", ...lines].map((text) => `${text}\r\n`).join("");
  return `${line} HTTP/1.1\r\n${all}\r\n${body}`;
}

/**
 * Sends one request on a connection of its own and waits for its response; not for HEAD.
 * @throws when the response is cut short
 */
export async function ask(port: number, text: string): Promise<Reply> {
  using raw = await RawConnection.open(port);
  await raw.write(text);
  const [response] = await raw.responses(1);
  if (response === undefined) throw new Error("Cannot find a response: the connection was closed");
  return { status: response.status, lines: headLines(raw.received), body: response.body };
}

/** Header lines of the final response in what was received. */
export function headLines(received: string): string[] {
  const interim = /^HTTP\/1\.1 1\d\d[^]*?\r\n\r\n/;
  let rest = received;
  while (interim.test(rest)) rest = rest.replace(interim, "");
  return rest.slice(0, rest.indexOf("\r\n\r\n")).split("\r\n").slice(1);
}

/** Values of the lines with that name, in order. */
export function valuesOf(lines: readonly string[], name: string): string[] {
  const start = `${name.toLowerCase()}:`;
  return lines
    .filter((line) => line.toLowerCase().startsWith(start))
    .map((line) => line.slice(start.length).trim());
}

/** The gateway's own answer to a failure: code, status, request id, and nothing else. */
export function failureIn({ status, lines, body }: Reply): { code: string; requestId: string } {
  const told = JSON.parse(body) as Record<string, unknown>;
  const { error, request_id: requestId } = told;
  const keys = Object.keys(told).toSorted().join(" ");
  const isOurs =
    keys === "error request_id status" &&
    told["status"] === status &&
    valuesOf(lines, "content-type").join() === "application/json";
  if (!isOurs || typeof error !== "string" || typeof requestId !== "string") {
    throw new Error(`Cannot find the gateway's answer in ${status} ${body}`);
  }
  return { code: error, requestId };
}
