import { quoted } from "../assemble.ts";
import { attack, type HostileGuest, SERVED } from "../guest.ts";

/**
 * Guests that write into heads what would let them send a message of their own. The node checks
 * every request, and the client every answer, to the byte; neither may see a line "x-evil".
 */
type Line = readonly [name: string, value: string];
const REQUEST = 0;
const RESPONSE = 2;

/** Adds each line, then replaces by it, then sets it beside the others: three ways in. */
function writing(map: number, lines: readonly Line[]): string {
  let at = 32_768;
  const data: string[] = [];
  const calls: string[] = [];
  for (const [name, value] of lines) {
    const place = `#${at} #${name.length} #${at + name.length} #${value.length}`;
    data.push(`(data (i32.const ${at}) ${quoted(name + value)})`);
    calls.push(`(drop (call $proxy_add_header_map_value #${map} ${place}))`);
    calls.push(`(drop (call $proxy_replace_header_map_value #${map} ${place}))`);
    at += name.length + value.length;
  }
  const where = map === REQUEST ? "request_headers" : "response_headers";
  return `${data.join("\n")} ${attack(where, calls.join("\n"))}`;
}

const SECOND = "1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil.test\r\nX-Evil: 1\r\n\r\n";

const IN_REQUESTS: Readonly<Record<string, readonly Line[]>> = {
  "line-breaks-in-values": [
    ["x-crlf", "1\r\nX-Evil: 1"],
    ["x-lf", "1\nX-Evil: 1"],
    ["x-cr", "1\rX-Evil: 1"],
    ["x-second", SECOND],
    ["accept", SECOND],
  ],
  "line-breaks-in-names": [
    ["x-a\r\nx-evil", "1"],
    ["x-a\nx-evil", "1"],
    ["x-a: 1\r\nx-evil", "1"],
    ["\r\nx-evil", "1"],
  ],
  "nul-in-names-and-values": [
    ["x-\0evil", "1"],
    ["x-a", "1\x00X-Evil: 1"],
  ],
  "names-that-are-none": [
    ["", "1"],
    [" ", "1"],
    ["x-evil ", "1"],
    [" x-evil", "1"],
    ["x-evil:", "1"],
    ["x evil", "1"],
    ["x-evil\x7f", "1"],
    ["(x-evil)", "1"],
  ],
  "control-characters": [
    ["x-a", "1\x08"],
    ["x-b", "1\x1b[31m"],
    ["x-c", "\x0b\x0c"],
    ["x-d", "\x7f"],
  ],
  "a-body-that-is-none": [
    ["content-length", "50"],
    ["transfer-encoding", "chunked"],
  ],
  "no-body-where-there-is-one": [["content-length", "0"]],
  "a-body-too-short": [["content-length", "3"]],
  "a-body-too-long": [["content-length", "99999999"]],
  "lengths-that-are-none": [
    ["content-length", "-1"],
    ["content-length", "0x10"],
    ["content-length", "1, 2"],
    ["content-length", "18446744073709551616"],
  ],
  "other-codings": [
    ["transfer-encoding", "identity"],
    ["transfer-encoding", "gzip, chunked"],
    ["transfer-encoding", "\tchunked"],
    ["Transfer-Encoding", "chunked\x0b"],
    ["te", "chunked;q=1"],
    ["trailer", "content-length"],
  ],
  "lines-of-the-connection": [
    ["connection", "close, content-length"],
    ["proxy-connection", "close"],
    ["keep-alive", "timeout=0"],
    ["upgrade", "h2c"],
    ["http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA"],
    ["expect", "100-continue"],
  ],
  "paths-that-break-the-line": [
    [":path", "/a HTTP/1.1\r\nX-Evil: 1\r\n\r\n"],
    [":path", "/a b"],
    [":path", "http://evil.test/"],
    [":path", "a"],
    [":path", ""],
    [":path", "/\0"],
  ],
  "methods-that-break-the-line": [
    [":method", "GET / HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET"],
    [":method", ""],
    [":method", "G\0T"],
    [":method", "GE T"],
  ],
  "hosts-that-break-the-line": [
    [":authority", "evil.test\r\nX-Evil: 1"],
    [":authority", "user@evil.test"],
    [":authority", "evil.test/path"],
    [":authority", ""],
    ["host", "evil.test\nX-Evil: 1"],
    ["host", " "],
  ],
  "pseudo-headers-that-are-none": [
    [":evil", "1"],
    [":status", "200"],
    [":protocol", "websocket"],
    [":scheme", "file"],
    [":scheme", "http\r\nX-Evil: 1"],
  ],
};

const IN_RESPONSES: Readonly<Record<string, readonly Line[]>> = {
  "line-breaks-in-values": [
    ["x-crlf", "1\r\nX-Evil: 1"],
    ["x-lf", "1\nX-Evil: 1"],
    ["x-second", "1\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n"],
    ["set-cookie", "a=b\r\nX-Evil: 1"],
  ],
  "line-breaks-in-names": [
    ["x-a\r\nx-evil", "1"],
    ["\nx-evil", "1"],
  ],
  "names-that-are-none": [
    ["", "1"],
    ["x-evil ", "1"],
    ["x-evil:", "1"],
    ["x-\0evil", "1"],
  ],
  "lengths-that-are-wrong": [["content-length", "3"]],
  "lengths-that-are-too-long": [["content-length", "999999"]],
  "codings-that-are-wrong": [["transfer-encoding", "gzip"]],
  "chunks-that-are-none": [["transfer-encoding", "chunked"]],
  "lines-of-the-connection": [
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["keep-alive", "timeout=0"],
    ["trailer", "x-evil"],
  ],
  "statuses-that-are-none": [
    [":status", "101"],
    [":status", "100"],
    [":status", "0"],
    [":status", "1000"],
    [":status", "2e2"],
    [":status", "200\r\nX-Evil: 1"],
    [":status", ""],
  ],
};

function request(name: string, lines: readonly Line[], kind: "get" | "post"): HostileGuest {
  const wat = writing(REQUEST, lines);
  return { name: `smuggling-${kind}-${name}`, wat, request: kind, expect: SERVED };
}

export const SMUGGLING: readonly HostileGuest[] = [
  ...Object.entries(IN_REQUESTS).flatMap(([name, lines]) => [
    request(name, lines, "get"),
    request(name, lines, "post"),
  ]),
  ...Object.entries(IN_RESPONSES).map(([name, lines]) => ({
    name: `smuggling-response-${name}`,
    wat: writing(RESPONSE, lines),
    expect: SERVED,
  })),
];
