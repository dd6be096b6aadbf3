import { admit } from "../../src/proxy/admit.ts";
import { Exchange } from "../../src/proxy/exchange.ts";
import type { Asker } from "../../src/proxy/front/front.ts";
import { HTTP1_BOUNDS } from "../../src/proxy/front/http1/bounds.ts";
import { endsOf, Http1Incoming } from "../../src/proxy/front/http1/http1-incoming.ts";
import { Input } from "../../src/proxy/front/http1/input.ts";
import type { RequestHead } from "../../src/proxy/front/http1/request-head.ts";
import { RequestParser } from "../../src/proxy/front/http1/request-parser.ts";
import type { DataPlane } from "../../src/proxy/served.ts";
import { type ResponseHead, ResponseHeadParser } from "../../src/upstream/client/response-head.ts";
import { FakeClientSocket } from "../exchange/client-socket.ts";
import { BODY, REQUEST, RESPONSE } from "../exchange/messages.ts";

/** What the steps hand to each other, made as the steps before make it. */

export const REQUEST_BYTES = Buffer.from(REQUEST, "latin1");
export const RESPONSE_BYTES = Uint8Array.from(Buffer.from(RESPONSE, "latin1"));
export const BODY_BYTES = Uint8Array.from(Buffer.from(BODY, "latin1"));

/** What an upstream is sent for REQUEST. */
export const FORWARDED = [
  "GET / HTTP/1.1",
  "Host: 127.0.0.1:18080",
  "X-Forwarded-For: 127.0.0.1",
  "X-Real-IP: 127.0.0.1",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: 127.0.0.1:18080",
  "X-Forwarded-Port: 9080",
  "",
  "",
].join("\r\n");

const input = new Input();
const parser = new RequestParser(HTTP1_BOUNDS);
const ends = endsOf(new FakeClientSocket(), "http");
const responseParser = new ResponseHeadParser();

export function readRequest(): RequestHead {
  input.push(REQUEST_BYTES);
  const head = parser.parse(input);
  if (head === undefined) throw new Error("Cannot trust this benchmark: the request is not whole");
  return head;
}

/** Waits for no answer. */
const NOBODY: Asker = { onAnswer() {}, onFailure() {} };

export function openExchange(plane: DataPlane, head: RequestHead): Exchange {
  return new Exchange(plane, new Http1Incoming(head, ends, undefined), NOBODY);
}

/** An exchange that has come through the door. */
export function admitted(plane: DataPlane): Exchange {
  plane.inFlight = 0; // Nobody ends them.
  const x = openExchange(plane, readRequest());
  admit(x);
  return x;
}

export function readResponse(): ResponseHead {
  const head = responseParser.push(RESPONSE_BYTES, 0);
  if (head === undefined) throw new Error("Cannot trust this benchmark: the response is not whole");
  return head;
}

/** Latin-1 decoded, and its line ends found: what every parser of heads has to do. */
export function scanLines(bytes: Buffer, end: number): number {
  const text = bytes.toString("latin1", 0, end);
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
