import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../base/errors.ts";
import { HTTP1_BOUNDS } from "./bounds.ts";
import type { Http1Bounds } from "./bounds.ts";
import { Input } from "./input.ts";
import type { RequestHead } from "./request-head.ts";
import { RequestParser } from "./request-parser.ts";

/** What became of the bytes: a head, the code of an error, or undefined: more is needed. */
function parse(
  pieces: Iterable<string>,
  bounds: Partial<Http1Bounds> = {},
): RequestHead | string | undefined {
  const parser = new RequestParser({ ...HTTP1_BOUNDS, ...bounds });
  const input = new Input();
  try {
    for (const piece of pieces) {
      if (piece === "") continue;
      input.push(Buffer.from(piece, "latin1"));
      const parsed = parser.parse(input);
      if (parsed !== undefined) return parsed;
    }
  } catch (error) {
    if (error instanceof GatewayError) return `${error.status} ${error.code}`;
    throw error;
  }
  return undefined;
}

function head(text: string, bounds: Partial<Http1Bounds> = {}): RequestHead {
  const got = parse([text], bounds);
  if (typeof got === "object") return got;
  throw new Error(`Cannot go on without a head: ${got}`);
}

const HOST = "Host: a\r\n";
const get = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n`;
const post = (lines: string): string => `POST / HTTP/1.1\r\n${HOST}${lines}\r\n`;

describe("parse()", () => {
  test("keeps order, spelling and repeats of header lines, and trims blanks around values", () => {
    const got = head(
      "GET /a/../b?x=%zz#f HTTP/1.1\r\nX-b: 1\r\nhOST:a\r\n" +
        "x-B:\t 2 \t\r\nEmpty:\r\nL: \xe9\t\xff\r\n\r\n",
    );
    expect(got.target).toBe("/a/../b?x=%zz#f");
    expect([...got.headers]).toEqual([
      ["X-b", "1"],
      ["hOST", "a"],
      ["x-B", "2"],
      ["Empty", ""],
      ["L", "\xe9\t\xff"],
    ]);
  });

  test.each([
    ["GET", "/"],
    ["get", "/"],
    ["BREW", "/pot?x=\xe9"],
    ["M-SEARCH", "/"],
    ["OPTIONS", "*"],
    ["OPTIONS", "/"],
    ["GET", "http://other.example/x"],
    ["CONNECT", "a.example:443"],
    ["GET", "//evil.example/x"],
    ["GET", '/"<>^{}|\\`'],
  ])("hands on method and raw target: %s %s", (method, target) => {
    const got = head(`${method} ${target} HTTP/1.1\r\n${HOST}\r\n`);
    expect([got.method, got.target, got.framing]).toEqual([method, target, 0]);
  });

  test.each([
    { name: "no body without framing lines", text: post(""), framing: 0 },
    { name: "a length", text: post("Content-Length: 12\r\n"), framing: 12 },
    { name: "a length of 0", text: post("content-length: 0\r\n"), framing: 0 },
    {
      name: "the longest length",
      text: post("Content-Length: 9007199254740991\r\n"),
      framing: 2 ** 53 - 1,
    },
    { name: "chunks", text: post("Transfer-Encoding: Chunked\r\n"), framing: "chunked" },
    { name: "a body of GET", text: get("Content-Length: 3\r\n"), framing: 3 },
    {
      name: "a body of HTTP/1.0",
      text: "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
      framing: 3,
    },
  ])("tells the framing: $name", ({ text, framing }) => {
    expect(head(text).framing).toBe(framing);
  });

  test.each([
    [get(""), true],
    [get("Connection: close\r\n"), false],
    [get("Connection: keep-alive\r\n"), true],
    [get("Connection: keep-alive\r\nConnection: Close\r\n"), false],
    [get("Connection: foo ,CLOSE\t, bar\r\n"), false],
    [get("Connection: closed\r\n"), true],
    [get("Connection: close\xa0\r\n"), true],
    ["GET / HTTP/1.0\r\n\r\n", false],
    ["GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true],
    ["GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false],
  ])("tells whether the client can go on: %j", (text, keepAlive) => {
    expect(head(text).keepAlive).toBe(keepAlive);
  });

  test.each([
    [get("Connection: upgrade\r\nUpgrade: WebSocket\r\n"), "websocket"],
    [get("Connection: keep-alive, Upgrade\r\nUpgrade: x/1\r\n"), "x/1"],
    [get("Upgrade: websocket\r\n"), undefined],
    [get("Connection: upgrade\r\n"), undefined],
    [get("Connection: upgrade\r\nUpgrade: a b\r\n"), undefined],
    [post("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"), undefined],
    ["GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", undefined],
  ])("tells the protocol to switch to: %j", (text, upgrade) => {
    expect(head(text).upgrade).toBe(upgrade);
  });

  test("tells Expect and TE", () => {
    const got = head(post("Expect: 100-Continue\r\nContent-Length: 1\r\nTE: gzip, Trailers\r\n"));
    expect([got.expectsContinue, got.takesTrailers]).toEqual([true, true]);
    const without = head(get("Expect: 100-continue\r\nTE: gzip\r\n"));
    expect([without.expectsContinue, without.takesTrailers]).toEqual([false, false]);
    expect(head("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n").expectsContinue).toBe(
      false,
    );
  });

  test("skips a few empty lines before a request, and starts anew behind it", () => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    const input = new Input();
    input.push(Buffer.from(`\r\n\r\n\r\n\r\n${get("A: 1\r\n")}\r\n${get("B: 2\r\n")}tail`));
    expect(parser.parse(input)?.headers.get("a")).toBe("1");
    const second = parser.parse(input);
    expect([second?.headers.get("a"), second?.headers.get("b")]).toEqual([undefined, "2"]);
    expect(String(input.take(10))).toBe("tail");
  });
});

const MALFORMED = "400 REQUEST_MALFORMED";
const te = (value: string): string => post(`Transfer-Encoding: ${value}\r\n`);
const cl = (value: string): string => post(`Content-Length: ${value}\r\n`);
const line = (text: string): string => `${text}\r\n${HOST}\r\n`;

const REFUSED: readonly (readonly [name: string, text: string, verdict: string])[] = [
  [
    "Content-Length before Transfer-Encoding",
    post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    MALFORMED,
  ],
  [
    "Transfer-Encoding before Content-Length",
    post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    MALFORMED,
  ],
  ["two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), MALFORMED],
  ["two equal lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n"), MALFORMED],
  [
    "two equal lengths, spelled apart",
    post("Content-Length: 5\r\ncontent-length: 5\r\n"),
    MALFORMED,
  ],
  ...[
    "5, 5",
    "5,6",
    "+5",
    "0x5",
    "-1",
    "",
    "5 5",
    "5;",
    "1e3",
    "5.0",

    "18446744073709551621",
    "9007199254740992",
  ].map((value) => [`Content-Length ${JSON.stringify(value)}`, cl(value), MALFORMED] as const),
  ...[
    "xchunked",
    "gzip",
    "identity",
    "chunked, identity",
    "chunked, chunked",
    "chunked,",
    ",chunked",
    "",
    "\x0bchunked",
    "chunked\xa0",
    "chunked;q=1",
    '"chunked"',
    "chunked\0",
  ].map((value) => [`Transfer-Encoding ${JSON.stringify(value)}`, te(value), MALFORMED] as const),
  [
    "two chunked lines",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    MALFORMED,
  ],
  [
    "chunked before another coding on a second line",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"),
    MALFORMED,
  ],
  ["an unknown coding before chunked", te("gzip, chunked"), "501 REQUEST_CODING_UNSUPPORTED"],
  [
    "an unknown coding on a line of its own",
    post("Transfer-Encoding: br\r\nTransfer-Encoding: chunked\r\n"),
    "501 REQUEST_CODING_UNSUPPORTED",
  ],
  [
    "Transfer-Encoding in HTTP/1.0",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    MALFORMED,
  ],
  ["no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", MALFORMED],
  ["two Hosts", get("Host: b\r\n"), MALFORMED],
  ["two equal Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", MALFORMED],
  [
    "an expectation",
    post("Expect: 200-ok\r\nContent-Length: 1\r\n"),
    "417 REQUEST_EXPECTATION_FAILED",
  ],
  [
    "one more expectation",
    post("Expect: 100-continue, x\r\nContent-Length: 1\r\n"),
    "417 REQUEST_EXPECTATION_FAILED",
  ],
  ["a space before the colon", get("A : b\r\n"), MALFORMED],
  ["a tab before the colon", get("Content-Length\t: 5\r\n"), MALFORMED],
  ["a folded line", get("A: b\r\n c\r\n"), MALFORMED],
  ["a line folded with a tab", get("A: b\r\n\tc: d\r\n"), MALFORMED],
  ["a blank before the first header", `GET / HTTP/1.1\r\n ${HOST}\r\n`, MALFORMED],
  ["no colon", get("Abc\r\n"), MALFORMED],
  ["no name", get(": b\r\n"), MALFORMED],
  ...["A(", "A\x7f", "\xe9", "A b", "A\0", "A[", "A/b", '"A"', "A\r"].map(
    (name) => [`header name ${JSON.stringify(name)}`, get(`${name}: b\r\n`), MALFORMED] as const,
  ),
  ...["\0", "\r", "\x01", "\x1b", "\x7f", "\x0b", "\x0c"].map(
    (char) =>
      [`control ${JSON.stringify(char)} in a value`, get(`A: b${char}c\r\n`), MALFORMED] as const,
  ),
  ["a bare CR at the end of a value", get("A: b\r\r\n"), MALFORMED],
  ["LF alone behind the request line", `GET / HTTP/1.1\n${HOST}\r\n`, MALFORMED],
  ["LF alone behind a header", get("A: b\n"), MALFORMED],
  ["LF alone at the end", `GET / HTTP/1.1\r\n${HOST}\n`, MALFORMED],
  ["CR alone as a line end", `GET / HTTP/1.1\r${HOST}\r\n`, MALFORMED],
  ["no version", line("GET /"), MALFORMED],
  ["only a method", line("GET"), MALFORMED],
  ["two spaces behind the method", line("GET  / HTTP/1.1"), MALFORMED],
  ["two spaces before the version", line("GET /  HTTP/1.1"), MALFORMED],
  ["a space at the end", line("GET / HTTP/1.1 "), MALFORMED],
  ["a space at the start", line(" GET / HTTP/1.1"), MALFORMED],
  ["a tab for a space", line("GET\t/ HTTP/1.1"), MALFORMED],
  ["a space in the target", line("GET /a b HTTP/1.1"), MALFORMED],
  ...["foo", "*", "", "?x", "a:b", "http:/x", "/\0", "/\x7f", "/\t", "/\r", "1http://a"].map(
    (target) =>
      [`target ${JSON.stringify(target)}`, line(`GET ${target} HTTP/1.1`), MALFORMED] as const,
  ),
  ...[
    "http/1.1",
    "HTTP/1",
    "HTTP/1.10",
    "HTTP/11",
    "HTTP/1,1",
    "HTTPS/1.1",
    "HTTP /1.1",
    "HTTP/1.1\0",
  ].map(
    (version) =>
      [`version ${JSON.stringify(version)}`, line(`GET / ${version}`), MALFORMED] as const,
  ),
  ...["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"].map(
    (version) => [version, line(`GET / ${version}`), "505 REQUEST_VERSION_UNSUPPORTED"] as const,
  ),
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 REQUEST_VERSION_UNSUPPORTED"],
  ...["G(T", "G\0T", "\x7f", "G\xe9T", "(", "{}"].map(
    (method) =>
      [`method ${JSON.stringify(method)}`, line(`${method} / HTTP/1.1`), MALFORMED] as const,
  ),
  ["a long method", line(`${"M".repeat(65)} / HTTP/1.1`), "501 REQUEST_METHOD_UNSUPPORTED"],
  [
    "a very long method",
    line(`${"M".repeat(70_000)} / HTTP/1.1`),
    "501 REQUEST_METHOD_UNSUPPORTED",
  ],
  ["a long target", line(`GET /${"a".repeat(8192)} HTTP/1.1`), "414 REQUEST_URI_TOO_LONG"],
  ["a very long target", line(`GET /${"a".repeat(70_000)} HTTP/1.1`), "414 REQUEST_URI_TOO_LONG"],
  [
    "a long target without a version",
    line(`GET /${"a".repeat(70_000)}`),
    "414 REQUEST_URI_TOO_LONG",
  ],
  ["a long version", line(`GET / HTTP/1.1${"1".repeat(70_000)}`), MALFORMED],
  ["a long header", get(`A: ${"a".repeat(32_768)}\r\n`), "431 REQUEST_HEADERS_TOO_LARGE"],
  ["a long header name", get(`${"a".repeat(70_000)}: b\r\n`), "431 REQUEST_HEADERS_TOO_LARGE"],
  ["blanks without end", get(`A:${" ".repeat(70_000)}b\r\n`), "431 REQUEST_HEADERS_TOO_LARGE"],
  ["many headers", get("A: b\r\n".repeat(128)), "431 REQUEST_HEADERS_TOO_LARGE"],
  [
    "many middling headers",
    get(`A: ${"b".repeat(1000)}\r\n`.repeat(40)),
    "431 REQUEST_HEADERS_TOO_LARGE",
  ],
  ["many empty lines", `\r\n\r\n\r\n\r\n\r\n${get("")}`, MALFORMED],
  ["TLS on this port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", MALFORMED],
];

describe("parse() errors", () => {
  test.each(REFUSED)("refuses %s", (_, text, verdict) => {
    expect(parse([text])).toBe(verdict);
  });

  // A verdict that hangs on the split would let a client choose it.
  test.each(REFUSED)("refuses %s in the same way when split at any byte", (_, text, verdict) => {
    if (text.length < 500) expect(parse(text)).toBe(verdict);
    const step = Math.max(1, Math.floor(text.length / 150));
    for (let at = 1; at < text.length; at += step) {
      const got = parse([text.slice(0, at), text.slice(at)]);
      if (got !== verdict) throw new Error(`Split at ${at}: ${JSON.stringify(got)}`);
    }
  });

  test("takes what is just within the limits", () => {
    const bounds = { requestTargetBytesMax: 20, requestHeaderBytesMax: 40, requestHeadersMax: 3 };
    //             9 bytes with CRLF + 13 + 18 = 40
    const lines = "Host: a\r\nAa: 1234567\r\nBbb: 12345678901\r\n";
    const whole = `GET /${"a".repeat(19)} HTTP/1.1\r\n${lines}\r\n`;
    expect(parse([whole], bounds)).toBeObject();
    expect(parse(whole, bounds)).toBeObject();
    expect(parse([whole], { ...bounds, requestTargetBytesMax: 19 })).toStartWith("414");
    expect(parse([whole], { ...bounds, requestHeaderBytesMax: 39 })).toStartWith("431");
    expect(parse(whole, { ...bounds, requestHeaderBytesMax: 39 })).toStartWith("431");
    expect(parse([whole], { ...bounds, requestHeadersMax: 2 })).toStartWith("431");
  });
});

const shown = ({ headers, ...rest }: RequestHead): unknown => ({ ...rest, lines: [...headers] });

/** Reads the same request so often. @throws as parse() */
function repeat(parser: RequestParser, text: string, times: number): void {
  const input = new Input();
  for (let n = 0; n < times; n++) {
    input.push(Buffer.from(text));
    if (parser.parse(input) === undefined) throw new Error("Cannot go on without a head");
  }
}

describe("parse() of requests that repeat", () => {
  const lines = `${HOST}X-Repeats: yes\r\nConnection: keep-alive, X-Repeats\r\n`;

  const to = (target: string): string => `GET ${target} HTTP/1.1\r\n${lines}\r\n`;

  test("answers each as the first, whatever was made of the one before", () => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    const input = new Input();
    const first = shown(head(`GET /r HTTP/1.1\r\n${lines}\r\n`));
    for (let times = 0; times < 5; times++) {
      input.push(Buffer.from(`GET /r HTTP/1.1\r\n${lines}\r\n`));
      const got = parser.parse(input);
      if (got === undefined) throw new Error("Cannot go on without a head");
      expect(shown(got)).toEqual(first);
      got.headers.remove("host");
      got.headers.append("X-Own", "1");
    }
  });

  test.each([
    ["ends earlier", `${HOST}X-Repeats: yes\r\n\r\n`, 2],
    ["has another line behind", `${lines}B: 2\r\n\r\n`, 4],
    ["differs in a byte", `${HOST}X-Repeats: yos\r\nConnection: keep-alive, X-Repeats\r\n\r\n`, 3],
    ["comes in two pieces", `${lines}\r\n`, 3],
  ])("reads the one that %s", (what, block, size) => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    const input = new Input();
    for (let times = 0; times < 3; times++) {
      input.push(Buffer.from(`GET /r HTTP/1.1\r\n${lines}\r\n`));
      expect(parser.parse(input)?.headers.size).toBe(3);
    }
    const text = `POST /other HTTP/1.1\r\n${block}`;
    const cut = what === "comes in two pieces" ? 40 : text.length;
    input.push(Buffer.from(text.slice(0, cut)));
    if (cut < text.length) {
      expect(parser.parse(input)).toBeUndefined();
      input.push(Buffer.from(text.slice(cut)));
    }
    const got = parser.parse(input);
    expect([got?.method, got?.target, got?.headers.size]).toEqual(["POST", "/other", size]);
    expect(input.length).toBe(0);
  });

  const repeated = `POST /r HTTP/1.1\r\n${lines}Content-Length: 5\r\n\r\n`;

  test.each([
    ["alone", [repeated], 1],
    ["pipelined", [repeated.repeat(3)], 3],
    ["behind empty lines", [`\r\n\r\n${repeated}`], 1],
    ["in three chunks", [repeated.slice(0, 9), repeated.slice(9, 80), repeated.slice(80)], 1],
    ["in front of another", [`${repeated}GET /o HTTP/1.1\r\n${lines}\r\n`], 2],
  ])("reads the same head %s", (where, chunks, times) => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    repeat(parser, repeated, 4);
    const input = new Input();
    const heads: RequestHead[] = [];
    for (const chunk of chunks) {
      input.push(Buffer.from(chunk));
      for (;;) {
        const got = parser.parse(input);
        if (got === undefined) break;
        heads.push(got);
      }
    }
    expect(heads.length).toBe(times);
    expect(shown(heads[0] as RequestHead)).toEqual(shown(head(repeated)));
    expect([heads.at(-1)?.target, input.length]).toEqual([
      where.endsWith("another") ? "/o" : "/r",
      0,
    ]);
  });

  test("reads what another connection has repeated, but no longer target than allowed", () => {
    const parsers = [2000, 2000, 999].map(
      (requestTargetBytesMax) => new RequestParser({ ...HTTP1_BOUNDS, requestTargetBytesMax }),
    );
    const [one, other, shorter] = parsers as [RequestParser, RequestParser, RequestParser];
    const [a, b] = ["/a".padEnd(1000, "a"), "/b".padEnd(1000, "b")] as const;
    repeat(shorter, to("/"), 5);
    repeat(one, to(a), 5);
    repeat(other, to(b), 5);
    for (const [parser, target] of [
      [one, b],
      [other, a],
      [one, a],
    ] as const) {
      const input = new Input();
      input.push(Buffer.from(to(target)));
      expect(parser.parse(input)?.target).toBe(target);
    }
    expect(() => repeat(shorter, to(b), 1)).toThrow("a target of 1000 bytes");
  });

  test("refuses a repeated head where header lines belong", () => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    repeat(parser, repeated, 4);
    const input = new Input();
    input.push(Buffer.from("GET /begun HTTP/1.1\r\n"));
    expect(parser.parse(input)).toBeUndefined();
    input.push(Buffer.from(repeated));
    expect(() => parser.parse(input)).toThrow(GatewayError);
  });

  test("reads bytes behind a repeated head as what they are", () => {
    const parser = new RequestParser(HTTP1_BOUNDS);
    repeat(parser, repeated, 4);
    const input = new Input();
    input.push(Buffer.from(`${repeated}hello`));
    expect(parser.parse(input)?.framing).toBe(5);
    expect(input.take(9)?.toString()).toBe("hello");
  });

  // What another front has read may come to lie where this one looks for its own last lines.
  test.each([
    ["bytes", { requestHeaderBytesMax: 60 }],
    ["lines", { requestHeadersMax: 2 }],
  ])("holds a front to its bound on %s for what a front without has read", (_what, bounds) => {
    const without = new RequestParser(HTTP1_BOUNDS);
    const taken: number[] = [];
    for (let n = 0; n < 1500; n++) {
      // Other chars at all places that choose where it is kept.
      const text = Math.imul(n + 1, 0x9e37_79b1).toString(36);
      const within = new RequestParser({ ...HTTP1_BOUNDS, ...bounds });
      repeat(within, get(`X-Within: ${text}\r\n`), 5);
      const tooMuch = get(`X-Text: ${text.repeat(9)}\r\nX-More: ${text}\r\n`);
      repeat(without, tooMuch, 5);
      try {
        repeat(within, tooMuch, 1);
        taken.push(n);
      } catch (error) {
        expect((error as GatewayError).code).toBe("REQUEST_HEADERS_TOO_LARGE");
      }
    }
    expect(taken).toEqual([]);
  });

  test("holds a front with smaller bounds to them", () => {
    const bounds = { requestTargetBytesMax: 3, requestHeaderBytesMax: 40, requestHeadersMax: 2 };
    const text = `GET /abc HTTP/1.1\r\n${lines}\r\n`;
    for (let times = 0; times < 3; times++) head(text);
    expect(parse([text], bounds)).toStartWith("414");
    expect(parse([text], { ...bounds, requestTargetBytesMax: 20 })).toStartWith("431");
  });
});
