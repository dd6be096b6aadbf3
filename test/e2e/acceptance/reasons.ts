/** Why Sluice does otherwise than nginx or HAProxy, and in which cases. */
export interface Reason {
  readonly key: string;
  readonly text: string;
  /** Names of the cases that it explains. */
  readonly cases: readonly string[];
}

export const REASONS: readonly Reason[] = [
  {
    key: "method",
    text:
      "Only registered methods are forwarded, as nobody knows whether another one may be sent " +
      "again to a second node; and a gateway offers neither CONNECT, a tunnel to anywhere, nor " +
      "TRACE, which shows a request's credentials (`src/http/method.ts`).",
    cases: [
      "a method with an underscore",
      "a method of 64 bytes",
      "TRACE with a body",
      "method FOO",
      "method BREW",
      "method get",
      "method AAAAAAAAAA",
      "CONNECT",
      "CONNECT to somebody else",
      "TRACE",
    ],
  },
  {
    key: "line end",
    text:
      "Lines end with CRLF. RFC 9112 2.2 lets a server take a bare LF, and as one parser does " +
      "and the next does not, it is how a second request is hidden from one of the two.",
    cases: [
      "a bare LF behind the request line",
      "a bare LF behind the head",
      "a bare LF first",
      "a bare CR first",
      "a bare LF behind the data",
      "a bare LF behind the last size",
      "a bare LF at the end",
      "a trailer that ends with LF",
      "a bare LF behind one line",
      "a CR before the line's end",
      "a bare LF between",
      "a bare LF between lines",
      "bare LF as line ends",
      'chunks "5\\nhello\\n0\\n\\n"',
    ],
  },
  {
    key: "blank",
    text:
      "One blank, a space, stands between the parts of a request line, and none behind a chunk " +
      "size: the grammar has no other, and RFC 9112 3 warns of guessing.",
    cases: [
      "a blank behind the version",
      "two blanks before the version",
      "tabs for blanks",
      "two spaces",
      "a blank behind the size",
      "a tab behind the size",
    ],
  },
  {
    key: "version",
    text:
      "HTTP/1.0 and HTTP/1.1 are spoken. A request of another version is answered 505 and not " +
      "read as one of these, although RFC 9110 2.5 asks for that from 1.2 to 1.9: no client " +
      "sends them. HTTP/0.9 has neither a head nor an end.",
    cases: [
      "HTTP/0.9",
      "HTTP/1.9",
      "HTTP/1.10",
      "HTTP/3.0",
      "HTTP/2.0",
      "HTTP/1.2",
      "no version",
      "the preface of HTTP/2",
    ],
  },
  {
    key: "path",
    text:
      "A path is brought into one spelling, which routes are matched by and the node is shown " +
      "(`src/http/target.ts`). The others match one spelling and forward another.",
    cases: [
      "//",
      "// inside",
      "an escaped letter",
      "an escaped slash",
      "..",
      "dot segments",
      "a double quote and angle brackets",
      "braces, a bar, a caret and a grave accent",
    ],
  },
  {
    key: "target",
    text:
      "What a node could read otherwise than the gateway is refused: characters that no URL has, " +
      "escapes that are none, NUL, `..` beside an escaped separator, and `OPTIONS *`, which asks " +
      "about the gateway itself.",
    cases: [
      "DEL in it",
      "UTF-8 in the query",
      "a fragment behind a query",
      "* of OPTIONS",
      "*",
      '"/aÿb"',
      '"/a%00b"',
      '"/a%zz"',
      '"/a/..%2fb"',
      '"/a%5C..%2f"',
      '"/a/..;/b"',
      '"/a#b"',
      "backslashes",
    ],
  },
  {
    key: "absolute",
    text:
      "An absolute target has to be an http or https URL that names the same host as Host, since " +
      "a filter may look at one and the node at the other; what is sent on is path and query, as " +
      "origin servers know it. HAProxy sends it on as it came; nginx lets it overrule Host.",
    cases: [
      "absolute, scheme in capitals",
      "absolute, host in capitals",
      "absolute, port 80",
      "absolute, another port",
      "absolute, without a path",
      "absolute, https",
      "absolute, a query without a path",
      "absolute, ftp",
      "absolute, userinfo",
      "absolute, no authority",
      "absolute without Host",
      "an absolute target that agrees with Host",
      "an absolute target with another authority",
    ],
  },
  {
    key: "host",
    text:
      "Host chooses the route, so it is a name or an address with a port, in one spelling (lower " +
      "case, no dot behind), and what is none is refused (`src/http/authority.ts`). The `$host` " +
      "of nginx drops the port.",
    cases: [
      "Host in capitals",
      "Host with the root's dot",
      "Host with two dots",
      "Host with port 80",
      "Host with port 080",
      "Host with port 0",
      "Host with a port that is no number",
      "Host an IPv4 address in hexadecimal",
      "Host an IPv6 address that is not closed",
      "Host with an escape",
      "Host with a backslash",
      "Host with a quote",
      "Host with UTF-8",
      "Host with NUL",
      "Host of 300 bytes",
      "Host a/b",
      "Host a@b",
      "Host a b",
      "Host a?x#y",
      "Host a.test, b.test",
      "Host a.test:",
      "Host a.test:99999",
    ],
  },
  {
    key: "one host",
    text:
      "HTTP/1.1 has exactly one Host line, which is not empty (RFC 9112 3.2). HTTP/1.0 may have " +
      "none: then the address that was called stands for it.",
    cases: [
      "no Host",
      "Host empty",
      "Host ",
      "a second Host, a.test",
      "HTTP/1.0 without Host",
      "GET, then a malformed one",
    ],
  },
  {
    key: "fold",
    text:
      "Header lines that go on in the next line are refused, as RFC 9112 5.2 has it for servers; " +
      "HAProxy joins them, framing included.",
    cases: [
      "Host folded",
      "a length, and a folded line",
      "chunked, and a folded line",
      "folded with a tab",
      "a line of one blank",
      "a folded line",
      "a folded trailer",
    ],
  },
  {
    key: "tab",
    text: "A tab is a blank around a value (RFC 9110 5.6.3); for nginx it is a part of the value.",
    cases: ["Host behind tabs", "blanks around a length", "blanks around chunked"],
  },
  {
    key: "length",
    text:
      "Content-Length stands in one line, as one decimal number without zeros before it. Equal " +
      "lengths may be joined (RFC 9110 8.6), but need not: no client sends two.",
    cases: ["a length of 05", "a length of 00", "two equal lengths", "a list of lengths"],
  },
  {
    key: "coding",
    text:
      "Transfer-Encoding is `chunked` and nothing else, in HTTP/1.1 and without Content-Length " +
      "(RFC 9112 6.1 lets a server refuse both together). HAProxy drops the length, and reads " +
      "`chunked,` as chunked.",
    cases: [
      "chunked with a comma behind",
      "chunked and a length in HTTP/1.0",
      "chunked and a length that is listed in Connection",
      "length and chunked",
      "chunked and length",
      "chunked in HTTP/1.0",
    ],
  },
  {
    key: "status",
    text: "All refuse it; which status says so best, they see differently.",
    cases: [
      "chunked with a parameter",
      "chunked with a comma before",
      "chunked in quotes",
      "chunked twice in one line",
      "chunked behind a form feed",
      "identity, then chunked",
      "identity and a length",
      "an empty coding",
      "a coding that nobody knows and a length",
      "an unknown coding",
      "chunked, but not last",
      "identity",
      "gzip under chunked",
      "a vertical tab before chunked",
      "a target over any limit",
      "a header over the limit",
      "a header over any limit",
    ],
  },
  {
    key: "chunk line",
    text:
      "A chunk size has 16 digits at most, its line 256 bytes, all extensions together 16 KiB, " +
      "and none has a control character: extensions mean nothing, and are not forwarded.",
    cases: [
      "a size of 17 digits",
      "NUL in an extension",
      "an extension of 300 bytes",
      "20 KB of extensions",
    ],
  },
  {
    key: "trailer",
    text:
      "Trailers are header lines: read by the same rules, forwarded, and refused when they " +
      "belong into the head. nginx drops them unread.",
    cases: [
      "a trailer with a blank before the colon",
      "a trailer without a colon",
      "NUL in a trailer",
      "Host as a trailer",
      "Transfer-Encoding as a trailer",
      "request trailers",
      "a trailer that frames",
    ],
  },
  {
    key: "name",
    text:
      "A header name is a token (RFC 9110 5.1) with its colon right behind. nginx does not " +
      "forward lines with other names, but serves the request.",
    cases: [
      ...["@", "/", "[", "{", '"', "\\", "=", ","].map(
        (char) => `name with ${JSON.stringify(char)}`,
      ),
      'name with "é"',
      "a name that is no token",
      "a line without a colon",
    ],
  },
  {
    key: "control",
    text:
      "No value has a control character but the tab (RFC 9110 5.5): logs, filters and nodes " +
      "written in C each make something else of them.",
    cases: [
      "a vertical tab in a value",
      "a form feed in a value",
      "an escape character in a value",
      "NUL in a value",
      "a control character in a value",
      "DEL in a value",
    ],
  },
  {
    key: "bounds",
    text:
      "Other bounds: 8 KiB of target, 32 KiB and 128 lines of headers, 4 empty lines before a " +
      "request, and a body's bound that is checked when its length is declared " +
      "(`src/base/limits.ts`). HAProxy bounds all of a head by its buffer of 16 KB, lines by " +
      "101, and bodies not at all; nginx goes on reading a body that it has refused.",
    cases: [
      "a name of 1000 bytes",
      "128 lines",
      "many empty lines first",
      "a target over the limit",
      "too many header lines",
      "a body that is declared above the limit and not sent",
    ],
  },
  {
    key: "expect",
    text:
      "An expectation that is not 100-continue cannot be met, which 417 says (RFC 9110 10.1.1); " +
      "the same one twice is still the same.",
    cases: [
      "100-continue twice",
      "100-continue and another one",
      "an empty expectation",
      "an expectation nobody knows",
    ],
  },
];

export function reasonsOf(name: string): Reason[] {
  return REASONS.filter(({ cases }) => cases.includes(name));
}
