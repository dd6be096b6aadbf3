/**
 * Hostile and unusual requests, and what each front answers to them.
 *
 * A verdict is "STATUS CODE END → REQUESTS AT THE NODE". CODE is "-" where there is none: the node
 * has answered, or Bun.serve itself; STATUS is "none" where it closes without a word. END tells
 * whether the connection can be used again ("open") or not ("close"). A request at the node is
 * "METHOD TARGET BODY TRAILERS", and only listed when the node has got all of it.
 * "or" stands between two verdicts where the front does now this, now that.
 */
const HOST = "Host: a.test\r\n";
/**
 * Stands behind, or inside of, requests that could be read in two ways: it must never be served.
 */
export const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
/** bytes; `limits.request_body` of the gateway that gets these. */
export const BODY_MAX = 1024;

export interface Case {
  readonly name: string;
  readonly send: string;
  readonly http1: string;
  readonly serve: string;
}

const get = (target: string, lines = HOST): string => `GET ${target} HTTP/1.1\r\n${lines}\r\n`;
const post = (lines: string, body: string): string =>
  `POST /p HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body);
const withHost = (value: string): string => get("/p", `Host:${value}\r\n`);
const withLine = (line: string): string => get("/p", `${HOST}${line}\r\n`);

const MALFORMED = "400 REQUEST_MALFORMED close";
const BUN_REFUSES = "400 - close";
const BUN_CLOSES = "none - close";

const METHODS: Case[] = [
  ...["FOO", "BREW", "get", "A".repeat(65)].map((method) => ({
    name: `method ${method.slice(0, 10)}`,
    send: get("/p").replace("GET", method),
    http1: `501 REQUEST_METHOD_UNSUPPORTED ${method.length > 64 ? "close" : "open"}`,
    serve: BUN_CLOSES,
  })),
  {
    name: "CONNECT",
    send: "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
    http1: "405 METHOD_NOT_ALLOWED close",
    serve: "405 METHOD_NOT_ALLOWED close",
  },
  {
    name: "CONNECT to somebody else",
    send: "CONNECT b.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
    http1: "405 METHOD_NOT_ALLOWED close",
    serve: "405 METHOD_NOT_ALLOWED close",
  },
  {
    name: "TRACE",
    send: get("/p").replace("GET", "TRACE"),
    http1: "405 METHOD_NOT_ALLOWED open",
    serve: "405 METHOD_NOT_ALLOWED open",
  },
  {
    name: "a method that is no token",
    send: get("/p").replace("GET", "G(T"),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
];

const HOSTS: Case[] = [
  { name: "no Host", send: get("/p", ""), http1: MALFORMED, serve: BUN_REFUSES },
  ...[
    "",
    " ",
    " a/b",
    " a@b",
    " a b",
    " a?x#y",
    " a.test, b.test",
    " a.test:",
    " a.test:99999",
  ].map((value) => ({
    name: `Host${value === "" ? " empty" : value}`,
    send: withHost(value),
    http1: MALFORMED,
    serve: MALFORMED,
  })),
  ...["b.test", "a.test"].map((second) => ({
    name: `a second Host, ${second}`,
    send: withLine(`Host: ${second}`),
    http1: MALFORMED,
    serve: MALFORMED,
  })),
  {
    name: "an absolute target that agrees with Host",
    send: get("http://a.test/p"),
    http1: "200 - open → GET /p",
    serve: "200 - open → GET /p",
  },
  {
    // Bun.serve drops the target's authority: route, filters and node all see the Host line.
    name: "an absolute target with another authority",
    send: get("http://b.test/p"),
    http1: MALFORMED,
    serve: "200 - open → GET /p",
  },
  {
    // Bun.serve does not tell the version, and a request without Host is malformed in HTTP/1.1.
    name: "HTTP/1.0 without Host",
    send: "GET /p HTTP/1.0\r\n\r\n",
    http1: "200 - close → GET /p",
    serve: MALFORMED,
  },
  {
    name: "an upgrade without Host",
    send: get("/p", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
];

const FRAMING: Case[] = [
  ...[
    ["two equal lengths", "Content-Length: 5\r\nContent-Length: 5\r\n", MALFORMED],
    ["two different lengths", "Content-Length: 5\r\nContent-Length: 50\r\n", BUN_REFUSES],
    ["a list of lengths", "Content-Length: 5, 5\r\n", BUN_REFUSES],
    ["a signed length", "Content-Length: +5\r\n", BUN_REFUSES],
    ["a negative length", "Content-Length: -1\r\n", BUN_REFUSES],
    ["a hexadecimal length", "Content-Length: 0x5\r\n", BUN_REFUSES],
    ["an empty length", "Content-Length:\r\n", BUN_REFUSES],
    ["a length of 2^64+5", "Content-Length: 18446744073709551621\r\n", BUN_REFUSES],
    ["length and chunked", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", BUN_REFUSES],
    ["chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", BUN_REFUSES],
    ["an unknown coding", "Transfer-Encoding: xchunked\r\n", BUN_REFUSES],
    ["chunked, but not last", "Transfer-Encoding: chunked, identity\r\n", BUN_REFUSES],
    ["chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", BUN_REFUSES],
    ["identity", "Transfer-Encoding: identity\r\n", BUN_REFUSES],
    ["a vertical tab before chunked", "Transfer-Encoding: \vchunked\r\n", BUN_REFUSES],
  ].map(([name = "", lines = "", serve = ""]) => ({
    name,
    send: post(lines, `0\r\n\r\n${SMUGGLED}`),
    http1: MALFORMED,
    serve,
  })),
  {
    name: "gzip under chunked",
    send: post("Transfer-Encoding: gzip, chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
    http1: "501 REQUEST_CODING_UNSUPPORTED close",
    serve: BUN_REFUSES,
  },
  {
    name: "chunked in HTTP/1.0",
    send: chunked(`0\r\n\r\n${SMUGGLED}`).replace("HTTP/1.1", "HTTP/1.0"),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
  ...[
    "zz\r\nhello",
    "-5\r\nhello",
    "0x5\r\nhello",
    "5\nhello\n0\n\n",
    "5\r\nhello!\r\n",
    "\r\nhello",
  ]
    .concat(["5;a\nb\r\nhello", `${"F".repeat(16)}\r\nhello`, `${"F".repeat(17)}\r\nhello`])
    .map((body) => ({
      name: `chunks ${JSON.stringify(body)}`,
      send: chunked(`${body}\r\n0\r\n\r\n${SMUGGLED}`),
      http1: MALFORMED,
      serve: BUN_REFUSES,
    })),
  {
    name: "a chunk extension",
    send: chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
    http1: "200 - open → POST /p hello",
    serve: "200 - open → POST /p hello",
  },
  {
    // Bun.serve may have handed the body over when it finds the trailers that it refuses.
    name: "request trailers",
    send: chunked("5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"),
    http1: "200 - open → POST /p hello X-T: v",
    serve: "400 - close or 400 - close → POST /p hello",
  },
  {
    name: "a trailer that frames",
    send: chunked(`5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`),
    http1: MALFORMED,
    serve: "400 - close or 400 - close → POST /p hello",
  },
  {
    name: "a GET with a body",
    send: get("/p", `${HOST}Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED,
    http1: `200 - open → GET /p ${SMUGGLED}`,
    serve: "200 - open → GET /p",
  },
  {
    name: "a GET with a chunked body",
    send: get("/p", `${HOST}Transfer-Encoding: chunked\r\n`) + "5\r\nhello\r\n0\r\n\r\n",
    http1: "200 - open → GET /p hello",
    serve: "200 - open → GET /p",
  },
  {
    name: "a POST whose body looks like a request",
    send: post(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
    http1: `200 - open → POST /p ${SMUGGLED}`,
    serve: `200 - open → POST /p ${SMUGGLED}`,
  },
  {
    name: "an expectation nobody knows",
    send: post("Expect: foo\r\nContent-Length: 5\r\n", "hello"),
    http1: "417 REQUEST_EXPECTATION_FAILED close",
    serve: "200 - open → POST /p hello",
  },
  {
    name: "100-continue",
    send: post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
    http1: "200 - open → POST /p hello",
    serve: "200 - open → POST /p hello",
  },
];

const LINES: Case[] = [
  ...[
    ["a space before the colon", "X-A : b"],
    ["a folded line", "X-A: b\r\n c"],
    ["a bare LF between lines", "X-A: b\nX-B: c"],
    ["a bare CR between lines", "X-A: b\rX-B: c"],
    ["NUL in a value", "X-A: b\0c"],
    ["a control character in a value", "X-A: b\u0001c"],
    ["a name that is no token", "X(A): b"],
    ["an empty name", ": b"],
    ["a line without a colon", "XA"],
  ].map(([name = "", line = ""]) => ({
    name,
    send: withLine(line),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  })),
  { name: "DEL in a value", send: withLine("X-A: b\u007fc"), http1: MALFORMED, serve: MALFORMED },
  {
    name: "a leading space",
    send: get("/p", ` X-A: b\r\n${HOST}`),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
  {
    name: "bare LF as line ends",
    send: "GET /p HTTP/1.1\nHost: a.test\n\n",
    http1: MALFORMED,
    serve: "505 - close",
  },
  { name: "two spaces", send: get(" /p"), http1: MALFORMED, serve: BUN_REFUSES },
  { name: "no version", send: "GET /p\r\n\r\n", http1: MALFORMED, serve: "505 - close" },
  ...["2.0", "1.2"].map((version) => ({
    name: `HTTP/${version}`,
    send: get("/p").replace("1.1", version),
    http1: "505 REQUEST_VERSION_UNSUPPORTED close",
    serve: "505 - close",
  })),
  {
    name: "the preface of HTTP/2",
    send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    http1: "505 REQUEST_VERSION_UNSUPPORTED close",
    serve: BUN_REFUSES,
  },
  { name: "a TLS client hello", send: clientHello(), http1: MALFORMED, serve: BUN_REFUSES },
  {
    name: "bytes that are no text",
    send: "\0\u0001\u0002\u0003\r\n\r\n",
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
  {
    name: "many empty lines first",
    send: "\r\n".repeat(10) + get("/p"),
    http1: MALFORMED,
    serve: BUN_REFUSES,
  },
];

const TARGETS: Case[] = [
  { name: "foo", send: get("foo"), http1: MALFORMED, serve: BUN_REFUSES },
  { name: "*", send: get("*"), http1: MALFORMED, serve: BUN_REFUSES },
  { name: "a space in it", send: get("/a b"), http1: MALFORMED, serve: "505 - close" },
  { name: "a control character", send: get("/a\u0001b"), http1: MALFORMED, serve: "505 - close" },
  ...["/a\u00ffb", "/a%00b", "/a%zz", "/a/..%2fb", "/a%5C..%2f", "/a/..;/b", "/a#b"].map(
    (target) => ({
      name: JSON.stringify(target),
      send: get(target),
      http1: MALFORMED,
      serve: MALFORMED,
    }),
  ),
  {
    name: "dot segments",
    send: get("/x/../../p/%2e/./q/.%2E/"),
    http1: "200 - open → GET /p/",
    serve: "200 - open → GET /p/",
  },
  {
    // Bun.serve reads "\" as "/" before anybody sees the target: matched and forwarded alike.
    name: "backslashes",
    send: get("/x\\..\\p"),
    http1: MALFORMED,
    serve: "200 - open → GET /p",
  },
];

const SIZES: Case[] = [
  {
    name: "a target over the limit",
    send: get(`/${"a".repeat(8192)}`),
    http1: "414 REQUEST_URI_TOO_LONG close",
    serve: "414 REQUEST_URI_TOO_LONG open",
  },
  {
    name: "a target over any limit",
    send: get(`/${"a".repeat(100_000)}`),
    http1: "414 REQUEST_URI_TOO_LONG close",
    serve: "431 - close",
  },
  {
    name: "a header over the limit",
    send: withLine(`X-A: ${"a".repeat(33_000)}`),
    http1: "431 REQUEST_HEADERS_TOO_LARGE close",
    serve: "431 REQUEST_HEADERS_TOO_LARGE open",
  },
  {
    name: "a header over any limit",
    send: withLine(`X-A: ${"a".repeat(200_000)}`),
    http1: "431 REQUEST_HEADERS_TOO_LARGE close",
    serve: "431 - close",
  },
  {
    name: "too many header lines",
    send: withLine(Array.from({ length: 250 }, (_, n) => `X-${n}: b`).join("\r\n")),
    http1: "431 REQUEST_HEADERS_TOO_LARGE close",
    serve: "431 - close",
  },
  {
    name: "a body of the limit",
    send: post(`Content-Length: ${BODY_MAX}\r\n`, "b".repeat(BODY_MAX)),
    http1: `200 - open → POST /p ${"b".repeat(BODY_MAX)}`,
    serve: `200 - open → POST /p ${"b".repeat(BODY_MAX)}`,
  },
  {
    name: "a body that is declared above the limit and not sent",
    send: post(`Content-Length: ${BODY_MAX + 1}\r\n`, ""),
    http1: "413 REQUEST_BODY_TOO_LARGE close",
    serve: "413 REQUEST_BODY_TOO_LARGE close",
  },
];

/** What a browser sends first when it is told https://. */
function clientHello(): string {
  const random = "r".repeat(32);
  const body = `\u0003\u0003${random}\0\0\u0002\u0013\u0001\u0001\0\0\0`;
  const handshake = `\u0001\0\0${String.fromCharCode(body.length)}${body}`;
  return `\u0016\u0003\u0001\0${String.fromCharCode(handshake.length)}${handshake}`;
}

export const HOSTILE: Readonly<Record<string, readonly Case[]>> = {
  methods: METHODS,
  hosts: HOSTS,
  framing: FRAMING,
  "header lines": LINES,
  targets: TARGETS,
  sizes: SIZES,
};
