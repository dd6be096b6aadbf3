/**
 * Requests by the byte that are held up to Sluice, nginx and HAProxy. What each of them does is
 * recorded in docs/HTTP.md, and why Sluice does otherwise in reasons.ts.
 *
 * The cases of test/e2e/support/hostile-requests.ts belong to them.
 */
import { HOSTILE, SMUGGLED } from "../support/hostile-requests.ts";

export interface AcceptanceCase {
  readonly name: string;
  /** latin-1 */
  readonly send: string;
  /** Requests that the bytes are at most, by RFC 9112. */
  readonly requests: number;
}

/** HAProxy now refuses it, now forwards it, as the bytes come to lie in its buffers. */
export const UNSTEADY: Readonly<Record<string, string>> = {
  "a trailer with a blank before the colon": "haproxy",
};

const HOST = "Host: a.test\r\n";
const get = (target: string, lines = HOST): string => `GET ${target} HTTP/1.1\r\n${lines}\r\n`;
const line = (text: string): string => `${text}\r\n${HOST}\r\n`;
const post = (lines: string, body: string): string =>
  `POST /p HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body);
const withHost = (value: string): string => get("/p", `Host:${value}\r\n`);
const withLine = (text: string): string => get("/p", `${HOST}${text}\r\n`);
/** Two readings of this head find two ends: a body of 5 bytes, or a second request. */
const framed = (lines: string): string => post(lines, `0\r\n\r\n${SMUGGLED}`);

type Row = readonly [name: string, send: string];

function cases(rows: readonly Row[], requests = 1): AcceptanceCase[] {
  return rows.map(([name, send]) => ({ name, send, requests }));
}

const REQUEST_LINES = cases([
  ["a registered method, PROPFIND", line("PROPFIND /p HTTP/1.1")],
  ["a method with an underscore", line("A_B /p HTTP/1.1")],
  ["a method of 64 bytes", line(`${"M".repeat(64)} /p HTTP/1.1`)],
  ["NUL in the method", line("G\0T /p HTTP/1.1")],
  ["version in lower case", line("GET /p http/1.1")],
  ["a blank behind the version", line("GET /p HTTP/1.1 ")],
  ["a blank before the method", line(" GET /p HTTP/1.1")],
  ["two blanks before the version", line("GET /p  HTTP/1.1")],
  ["tabs for blanks", line("GET\t/p\tHTTP/1.1")],
  ["a vertical tab for a blank", line("GET\v/p HTTP/1.1")],
  ["a CR for a blank", line("GET /p\rHTTP/1.1")],
  ["a CR before the request line's end", line("GET /p HTTP/1.1\r")],
  ["a bare LF behind the request line", `GET /p HTTP/1.1\n${HOST}\r\n`],
  ["a bare LF behind the head", `GET /p HTTP/1.1\r\n${HOST}\n`],
  ["one empty line first", `\r\n${get("/p")}`],
  ["a bare LF first", `\n${get("/p")}`],
  ["a bare CR first", `\r${get("/p")}`],
  ["HTTP/0.9", line("GET /p HTTP/0.9")],
  ["HTTP/1.9", line("GET /p HTTP/1.9")],
  ["HTTP/1.10", line("GET /p HTTP/1.10")],
  ["HTTP/01.1", line("GET /p HTTP/01.1")],
  ["HTTP/1.1x", line("GET /p HTTP/1.1x")],
  ["HTTP/1", line("GET /p HTTP/1")],
  ["HTTP/3.0", line("GET /p HTTP/3.0")],
  ["HTTPS/1.1", line("GET /p HTTPS/1.1")],
  ["ICE/1.0", line("GET /p ICE/1.0")],
  ["HTTP/1.0 with Host", line("GET /p HTTP/1.0")],
  ["HTTP/1.0 that keeps alive", `GET /p HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`],
  ["HTTP/1.0 with a body", `POST /p HTTP/1.0\r\n${HOST}Content-Length: 5\r\n\r\nhello`],
]);

const TARGETS = cases([
  ["a query without a path", get("?a=b")],
  ["//", get("//b.test/p")],
  ["// inside", get("/a//b")],
  ["an escaped letter", get("/%70")],
  ["an escaped slash", get("/a%2fb")],
  ["..", get("/../p")],
  ["a double quote and angle brackets", get('/"<p>')],
  ["braces, a bar, a caret and a grave accent", get("/{a|b}^`")],
  ["NUL in it", get("/p\0q")],
  ["DEL in it", get("/p\x7fq")],
  ["UTF-8 in the query", get("/p?a=\xc3\xa9")],
  ["an escape that is none in the query", get("/p?100%")],
  ["a fragment behind a query", get("/p?a#b")],
  ["an empty query", get("/p?")],
  ["* of OPTIONS", line("OPTIONS * HTTP/1.1")],
  ["absolute, scheme in capitals", get("HTTP://a.test/p")],
  ["absolute, host in capitals", get("http://A.TEST/p")],
  ["absolute, port 80", get("http://a.test:80/p")],
  ["absolute, another port", get("http://a.test:8080/p")],
  ["absolute, without a path", get("http://a.test")],
  ["absolute, a query without a path", get("http://a.test?a=b")],
  ["absolute, https", get("https://a.test/p")],
  ["absolute, ftp", get("ftp://a.test/p")],
  ["absolute, userinfo", get("http://u:p@a.test/p")],
  ["absolute, userinfo that looks like a host", get("http://a.test@b.test/p")],
  ["absolute, no authority", get("http:///p")],
  ["absolute, one slash", get("http:/a.test/p")],
  ["absolute without Host", get("http://a.test/p", "")],
  ["authority of GET", get("a.test:80")],
]);

const HOSTS = cases([
  ["Host in capitals", withHost(" A.TEST")],
  ["Host with the root's dot", withHost(" a.test.")],
  ["Host with two dots", withHost(" a..test")],
  ["Host with port 80", withHost(" a.test:80")],
  ["Host with port 080", withHost(" a.test:080")],
  ["Host with port 0", withHost(" a.test:0")],
  ["Host with a port that is no number", withHost(" a.test:x")],
  ["Host an IPv4 address", withHost(" 127.0.0.1")],
  ["Host an IPv4 address in hexadecimal", withHost(" 0x7f.1")],
  ["Host an IPv6 address", withHost(" [::1]")],
  ["Host an IPv6 address that is not closed", withHost(" [::1")],
  ["Host with an escape", withHost(" a%2etest")],
  ["Host with an underscore", withHost(" a_b.test")],
  ["Host with a backslash", withHost(" a.test\\b")],
  ["Host with a quote", withHost(" a.test'")],
  ["Host with UTF-8", withHost(" \xc3\xa4.test")],
  ["Host with NUL", withHost(" a.test\0b")],
  ["Host of 300 bytes", withHost(` ${"a.".repeat(150)}test`)],
  ["Host without a blank", withHost("a.test")],
  ["Host behind tabs", withHost("\t\ta.test\t")],
  ["Host folded", withHost("\r\n a.test")],
  ["Host : with a blank before the colon", get("/p", "Host : a.test\r\n")],
  ["HOST:", get("/p", "HOST: a.test\r\n")],
]);

const FRAMING = cases([
  ["blanks around a length", post("Content-Length: \t5 \t\r\n", "hello")],
  ["a length without a blank", post("content-length:5\r\n", "hello")],
  ["a length of 05", post("Content-Length: 05\r\n", "hello")],
  ["a length of 00", post("Content-Length: 00\r\n", "")],
  ["a length of 0 and GET", withLine("Content-Length: 0")],
  ["a length, and a blank before the colon", framed("Content-Length : 5\r\n")],
  ["a length, and NUL before the colon", framed("Content-Length\0: 5\r\n")],
  ["a length, and a folded line", framed("Content-Length:\r\n 5\r\n")],
  ["a length with underscore", framed("Content_Length: 5\r\n")],
  ["a length with a fraction", framed("Content-Length: 5.0\r\n")],
  ["a length with an exponent", framed("Content-Length: 1e1\r\n")],
  ["a length with a comma behind", framed("Content-Length: 5,\r\n")],
  ["a length with a blank inside", framed("Content-Length: 5 5\r\n")],
  ["a length in another script", framed("Content-Length: \xd9\xa5\r\n")],
  ["a length behind a vertical tab", framed("Content-Length: \v5\r\n")],
  ["a length of 2^63", framed("Content-Length: 9223372036854775808\r\n")],
  ["a second length of 0", framed("Content-Length: 5\r\nContent-Length: 0\r\n")],
  ["CHUNKED", post("Transfer-Encoding: CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n")],
  ["blanks around chunked", post("Transfer-Encoding: \t chunked \t\r\n", "0\r\n\r\n")],
  ["chunked with a parameter", framed("Transfer-Encoding: chunked;q=1\r\n")],
  ["chunked with a comma behind", framed("Transfer-Encoding: chunked,\r\n")],
  ["chunked with a comma before", framed("Transfer-Encoding: , chunked\r\n")],
  ["chunked in quotes", framed('Transfer-Encoding: "chunked"\r\n')],
  ["chunked twice in one line", framed("Transfer-Encoding: chunked, chunked\r\n")],
  ["chunked behind a form feed", framed("Transfer-Encoding: \fchunked\r\n")],
  ["chunked behind NUL", framed("Transfer-Encoding: \0chunked\r\n")],
  ["chunked behind a bare CR", framed("Transfer-Encoding: \rchunked\r\n")],
  ["chunked, and a blank before the colon", framed("Transfer-Encoding : chunked\r\n")],
  ["chunked, and a folded line", framed("Transfer-Encoding:\r\n chunked\r\n")],
  [
    "chunked with underscore, and a length",
    post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "hello"),
  ],
  ["identity, then chunked", framed("Transfer-Encoding: identity, chunked\r\n")],
  ["identity and a length", post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello")],
  ["an empty coding", framed("Transfer-Encoding:\r\n")],
  [
    "a coding that nobody knows and a length",
    framed("Transfer-Encoding: cow\r\nContent-Length: 5\r\n"),
  ],
  [
    "chunked and a length in HTTP/1.0",
    framed("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n").replace("1.1", "1.0"),
  ],
  [
    "chunked and a length that is listed in Connection",
    framed("Transfer-Encoding: chunked\r\nContent-Length: 5\r\nConnection: Content-Length\r\n"),
  ],
  [
    "a length that is listed in Connection",
    post("Content-Length: 5\r\nConnection: Content-Length\r\n", "hello"),
  ],
  [
    "chunked that is listed in Connection",
    post(
      "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n",
      "5\r\nhello\r\n0\r\n\r\n",
    ),
  ],
  ["POST without framing", post("", "")],
  ["DELETE with a body", post("Content-Length: 5\r\n", "hello").replace("POST", "DELETE")],
  ["OPTIONS with a body", post("Content-Length: 5\r\n", "hello").replace("POST", "OPTIONS")],
  ["TRACE with a body", post("Content-Length: 5\r\n", "hello").replace("POST", "TRACE")],
  ["a body that is cut short", post("Content-Length: 5\r\n", "hell")],
]);

const CHUNKS = cases([
  ["a size in capitals", chunked(`A\r\n${"h".repeat(10)}\r\n0\r\n\r\n`)],
  ["a size with zeros before", chunked("0005\r\nhello\r\n000\r\n\r\n")],
  ["a size of 16 digits", chunked(`${"5".padStart(16, "0")}\r\nhello\r\n0\r\n\r\n`)],
  ["a size of 17 digits", chunked(`${"5".padStart(17, "0")}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["a size above 2^64", chunked(`10000000000000005\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["a blank behind the size", chunked(`5 \r\nhello\r\n0\r\n\r\n`)],
  ["a tab behind the size", chunked(`5\t\r\nhello\r\n0\r\n\r\n`)],
  ["a blank before the size", chunked(` 5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["a plus before the size", chunked(`+5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["an underscore in the size", chunked(`0_5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["NUL behind the size", chunked(`5\0\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["a bare CR behind the size", chunked(`5\rhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["a bare LF behind the data", chunked(`5\r\nhello\n0\r\n\r\n${SMUGGLED}`)],
  ["two bytes that are no line end behind the data", chunked(`5\r\nhelloXX0\r\n\r\n${SMUGGLED}`)],
  ["nothing behind the data", chunked(`5\r\nhello0\r\n\r\n${SMUGGLED}`)],
  ["a bare LF behind the last size", chunked(`5\r\nhello\r\n0\n\r\n${SMUGGLED}`)],
  ["a bare LF at the end", chunked(`5\r\nhello\r\n0\r\n\n${SMUGGLED}`)],
  ["a bare CR at the end", chunked(`5\r\nhello\r\n0\r\n\r${SMUGGLED}`)],
  ["no empty line at the end", chunked("5\r\nhello\r\n0\r\n")],
  ["an empty extension", chunked("5;\r\nhello\r\n0\r\n\r\n")],
  ["a blank before an extension", chunked("5 ;a\r\nhello\r\n0\r\n\r\n")],
  ["a quoted extension", chunked('5;a="b;c"\r\nhello\r\n0\r\n\r\n')],
  ["a quote in an extension that is not closed", chunked('5;a="\r\nhello\r\n0\r\n\r\n')],
  ["a bare CR in an extension", chunked(`5;a\rb\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["NUL in an extension", chunked(`5;a\0b\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ["an extension of the last chunk", chunked("5\r\nhello\r\n0;a=b\r\n\r\n")],
  ["an extension of 300 bytes", chunked(`5;${"a".repeat(300)}\r\nhello\r\n0\r\n\r\n`)],
  ["20 KB of extensions", chunked(`${`1;${"a".repeat(200)}\r\nh\r\n`.repeat(100)}0\r\n\r\n`)],
  ["a trailer with a blank before the colon", chunked(`0\r\nX-T : v\r\n\r\n${SMUGGLED}`)],
  ["a trailer without a colon", chunked(`0\r\nX-T\r\n\r\n${SMUGGLED}`)],
  ["a folded trailer", chunked(`0\r\nX-T: v\r\n w\r\n\r\n${SMUGGLED}`)],
  ["a trailer that ends with LF", chunked(`0\r\nX-T: v\n\r\n${SMUGGLED}`)],
  ["NUL in a trailer", chunked(`0\r\nX-T: v\0w\r\n\r\n${SMUGGLED}`)],
  ["Host as a trailer", chunked(`0\r\nHost: b.test\r\n\r\n${SMUGGLED}`)],
  ["Transfer-Encoding as a trailer", chunked(`0\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`)],
]);

const HEADER_LINES = cases([
  ...["_", "'", "~", "!"].map((char): Row => [`name with ${char}`, withLine(`X${char}A: b`)]),
  ...["@", "/", "[", "{", '"', "\\", "=", ",", "\t", "\x7f", "\xe9", "\0"].map((char): Row => [
    `name with ${JSON.stringify(char)}`,
    withLine(`X${char}A: b`),
  ]),
  ["an empty value", withLine("X-A:")],
  ["blanks around a value", withLine("X-A:\t b \t")],
  ["bytes above 127 in a value", withLine("X-A: \xe4\xff")],
  ["a vertical tab in a value", withLine("X-A: b\vc")],
  ["a form feed in a value", withLine("X-A: b\fc")],
  ["an escape character in a value", withLine("X-A: b\x1bc")],
  ["a CR before the line's end", withLine("X-A: b\r")],
  ["a bare LF behind one line", get("/p", `X-A: b\n${HOST}`)],
  ["a bare CR behind the name", withLine("X-A\r: b")],
  ["folded with a tab", withLine("X-A: b\r\n\tc")],
  ["the first line folded", get("/p", `\tX-A: b\r\n${HOST}`)],
  ["a line of one blank", withLine("X-A: b\r\n ")],
  ["a name of 1000 bytes", withLine(`${"n".repeat(1000)}: b`)],
  ["a value of 7000 bytes", withLine(`X-A: ${"v".repeat(7000)}`)],
  ["a target of 8000 bytes", get(`/${"a".repeat(7999)}`)],
  ["100 lines", get("/p", HOST + Array.from({ length: 97 }, (_, n) => `X-${n}: b\r\n`).join(""))],
  ["128 lines", get("/p", HOST + Array.from({ length: 127 }, (_, n) => `X-${n}: b\r\n`).join(""))],
  ["Host that is listed in Connection", withLine("Connection: Host")],
  ["a line that is listed in Connection", withLine("X-A: b\r\nConnection: X-A")],
  [
    "Upgrade: h2c",
    withLine(
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    ),
  ],
]);

const EXPECTATIONS = cases([
  ["100-CONTINUE", post("Expect: 100-CONTINUE\r\nContent-Length: 5\r\n", "hello")],
  ["100-continue without a body", withLine("Expect: 100-continue")],
  [
    "100-continue twice",
    post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
  ],
  [
    "100-continue and another one",
    post("Expect: 100-continue, foo\r\nContent-Length: 5\r\n", "hello"),
  ],
  ["an empty expectation", post("Expect:\r\nContent-Length: 5\r\n", "hello")],
  [
    "100-continue in HTTP/1.0",
    post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello").replace("1.1", "1.0"),
  ],
]);

const PIPELINES = cases(
  [
    ["two GET", get("/p") + get("/q")],
    ["POST, then GET", post("Content-Length: 5\r\n", "hello") + get("/q")],
    ["chunks, then GET", chunked("5\r\nhello\r\n0\r\n\r\n") + get("/q")],
    ["GET with a body, then GET", get("/p", `${HOST}Content-Length: 5\r\n`) + `hello${get("/q")}`],
    ["an empty line between", `${get("/p")}\r\n${get("/q")}`],
    ["a bare LF between", `${get("/p")}\n${get("/q")}`],
    [
      "100-continue, then GET",
      post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello") + get("/q"),
    ],
    [
      "HTTP/1.0 that keeps alive, then GET",
      `GET /p HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n${get("/q")}`,
    ],
    ["GET, then a malformed one", `${get("/p")}GET /q HTTP/1.1\r\n\r\n`],
    ["GET, then bytes that are no request", `${get("/p")}\0\0\0\0\r\n\r\n`],
    [
      "a body that is longer than its length",
      post("Content-Length: 5\r\n", `helloGET /q HTTP/1.1\r\n${HOST}\r\n`),
    ],
  ],
  2,
);

const LAST_ONES = cases([
  ["a second request behind Connection: close", withLine("Connection: close") + SMUGGLED],
  ["a second request behind HTTP/1.0", `GET /p HTTP/1.0\r\n${HOST}\r\n${SMUGGLED}`],
  ["close and keep-alive", withLine("Connection: close, keep-alive") + SMUGGLED],
  ["a second request behind CLOSE", withLine("Connection: CLOSE") + SMUGGLED],
]);

const hostile = Object.values(HOSTILE)
  .flat()
  .map(({ name, send }): AcceptanceCase => ({ name, send, requests: 1 }));

export const GROUPS: Readonly<Record<string, readonly AcceptanceCase[]>> = {
  "Request lines": REQUEST_LINES,
  Targets: TARGETS,
  Host: HOSTS,
  Framing: FRAMING,
  Chunks: CHUNKS,
  "Header lines": HEADER_LINES,
  Expect: EXPECTATIONS,
  Pipelines: PIPELINES,
  "The end of a connection": LAST_ONES,
  "Hostile requests": hostile,
};
