/**
 * Question: what does it cost to parse a browser's request head, whole and in pieces?
 * Not measured: sockets, bodies, answers.
 */
import { bench, do_not_optimize } from "mitata";
import { HTTP1_BOUNDS } from "../src/proxy/front/http1/bounds.ts";
import { Input } from "../src/proxy/front/http1/input.ts";
import { RequestParser } from "../src/proxy/front/http1/request-parser.ts";
import type { RequestHead } from "../src/proxy/front/http1/request-head.ts";

import { measure } from "./measure.ts";

/** Pieces that a head arrives in. */
export const cases = ["1", "2", "600"] as const;

export function check(): void {
  for (const pieces of [1, 2, 7]) {
    const got = parse(new RequestParser(HTTP1_BOUNDS), split(request(3), pieces));
    const cookie = got?.headers.get("cookie");
    if (got?.target !== "/item/3?page=1" || cookie !== "session=3; theme=dark") {
      throw new Error(`Cannot trust this benchmark: parsed ${got?.target} and "${cookie}"`);
    }
  }
}

/** 12 header lines, about 600 bytes, as Chromium sends them. */
function request(number: number): Buffer {
  return Buffer.from(
    [
      `GET /item/${number}?page=1 HTTP/1.1`,
      "Host: shop.example.com",
      "Connection: keep-alive",
      "Cache-Control: max-age=0",
      "Upgrade-Insecure-Requests: 1",
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
      "Sec-Fetch-Site: same-origin",
      "Sec-Fetch-Mode: navigate",
      "Sec-Fetch-Dest: document",
      "Accept-Encoding: gzip, deflate, br, zstd",
      "Accept-Language: en-US,en;q=0.9",
      `Cookie: session=${number}; theme=dark`,
      "",
      "",
    ].join("\r\n"),
    "latin1",
  );
}

function split(bytes: Buffer, pieces: number): Buffer[] {
  const size = Math.ceil(bytes.length / pieces);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
}

function parse(parser: RequestParser, pieces: readonly Buffer[]): RequestHead | undefined {
  const input = new Input();
  let head: RequestHead | undefined;
  for (const piece of pieces) {
    input.push(piece);
    head = parser.parse(input);
  }
  return head;
}

if (import.meta.main) {
  const pieces = Number(Bun.argv[2] ?? cases[0]); // One case per process.
  check();
  // Never one constant: the engine would lift the call out of the loop.
  const requests = Array.from({ length: 1024 }, (_, n) => split(request(n), pieces));
  const parser = new RequestParser(HTTP1_BOUNDS);
  let n = 0;
  bench(`parse a browser's head in ${pieces} piece(s)`, () =>
    do_not_optimize(parse(parser, requests[n++ & 1023] ?? [])));
  await measure();
}
