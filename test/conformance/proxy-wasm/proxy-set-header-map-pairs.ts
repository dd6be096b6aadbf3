import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Arg, type Call, end, MAX, onRequest, out, pairs } from "../probe.ts";

const NAME = "proxy_set_header_map_pairs";
const GET = "proxy_get_header_map_pairs";
const get = (type: number): Call => [GET, type, out(), out()];
const set = (type: number, block: Arg): Call => [NAME, type, block];
/** u32 after u32, then text. */
const block = (numbers: readonly number[], rest = ""): Arg => ({
  bytes: Buffer.concat([new Uint8Array(Uint32Array.from(numbers).buffer), Buffer.from(rest)]),
});

const refused = (shown: string): string =>
  `${NAME}(map=HttpRequestHeaders, pairs=${shown}) = BadArgument`;
/** As a transcript shows them. */
const zeros = (count: number): string => "\\x00".repeat(count);

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() replaces all lines; pseudo headers that are not given stay`,
    guest: onRequest(set(0, pairs(["x-a", "1"], [":path", "/new"], ["X-A", "2"])), get(0)),
    run: { request: { headers: [["X-Old", "0"]] }, upstream: {} },
    shows: [GET, "upstream head"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={x-a: "1", :path: ' +
        '"/new", X-A: "2"}) = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/new", :authority: "example.test", :scheme: "http", x-a: ' +
        '"1", x-a: "2"}',
      '=> upstream head GET http://example.test/new {x-a: "1", X-A: "2"}',
    ],
  },
  {
    name: `${NAME}() keeps the spelling that a line had`,
    guest: onRequest(set(0, pairs(["x-old", "2"]))),
    run: { request: { headers: [["X-OLD", "0"]] }, upstream: {} },
    shows: ["upstream head"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={x-old: "2"}) = Ok',
      '=> upstream head GET http://example.test/ {X-OLD: "2"}',
    ],
  },
  {
    name: `${NAME}() takes no bytes, a count of 0 and a single NUL for no lines`,
    guest: {
      on: {
        proxy_on_response_headers: {
          calls: [
            set(2, pairs(["a", "1"])),
            [NAME, 2, 0, 0],
            get(2),
            set(2, pairs(["a", "1"])),
            set(2, block([0])),
            get(2),
            set(2, pairs(["a", "1"])),
            set(2, { bytes: Uint8Array.of(0) }),
            get(2),
          ],
        },
      },
    },
    shows: [GET],
    lines: [
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={a: "1"}) = Ok',
      "proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={}) = Ok",
      'proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: "200"}',
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={a: "1"}) = Ok',
      "proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={}) = Ok",
      'proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: "200"}',
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={a: "1"}) = Ok',
      "proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={}) = Ok",
      'proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: "200"}',
    ],
  },
  {
    name: `${NAME}() replaces the response's lines and its status`,
    guest: {
      on: { proxy_on_response_headers: { calls: [set(2, pairs([":status", "418"], ["a", "b"]))] } },
    },
    run: { upstream: { headers: [["X-Old", "1"]] } },
    shows: ["client head"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={:status: "418", a: ' +
        '"b"}) = Ok',
      '=> client head 418 {a: "b"}',
    ],
  },
  {
    name: `${NAME}() replaces trailers in their callbacks`,
    guest: {
      on: {
        proxy_on_request_trailers: { calls: [set(1, pairs(["a", "1"]))] },
        proxy_on_response_trailers: { calls: [set(3, pairs(["b", "2"]))] },
      },
    },
    run: {
      request: { body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { body: ["y"], trailers: [["X-T", "2"]] },
    },
    shows: ["upstream end", "client end"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestTrailers, pairs={a: "1"}) = Ok',
      '=> upstream end {a: "1"}',
      'proxy_set_header_map_pairs(map=HttpResponseTrailers, pairs={b: "2"}) = Ok',
      '=> client end {b: "2"}',
    ],
  },
  {
    name: `${NAME}() leaves out lines that would break the message, and warns once`,
    guest: onRequest(
      set(
        0,
        pairs(
          ["x a", "1"],
          ["", "1"],
          ["x-b", "1\r\nx-c: 2"],
          ["x-d", "1\x01"],
          [":status", "200"],
          [":path", "no path"],
          ["x-good", "1"],
        ),
      ),
      set(0, pairs(["x-good", "2"], ["x-nul", "1\n"])),
      get(0),
    ),
    shows: [GET, "log"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={"x a": "1", "": ' +
        '"1", x-b: "1\\r\\nx-c: 2", x-d: "1\\x01", :status: "200", :path: "no ' +
        'path", x-good: "1"}) = Ok',
      "log warn: Some header lines are left out: a name was no token, a value had a " +
        "control character, or a pseudo header was unknown or would make no message",
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={x-good: "2", x-nul: ' +
        '"1\\n"}) = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "example.test", :scheme: "http", x-good: ' +
        '"2"}',
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing to maps that are not there, or have been sent`,
    guest: {
      on: {
        proxy_on_configure: { calls: [set(0, pairs(["a", "1"]))] },
        proxy_on_request_headers: {
          calls: [1, 2, 3, 4, 5, 6, 7].map((type) => set(type, pairs(["a", "1"]))),
        },
        proxy_on_response_headers: { calls: [set(0, pairs(["a", "1"]))] },
        proxy_on_log: { calls: [set(2, pairs(["a", "1"])), get(2)] },
      },
    },
    run: { upstream: { headers: [["X-R", "1"]] } },
    shows: [GET, "log"],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={a: "1"}) = Ok',
      "log warn: Header map 0 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpRequestTrailers, pairs={a: "1"}) = Ok',
      "log warn: Header map 1 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={a: "1"}) = Ok',
      "log warn: Header map 2 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpResponseTrailers, pairs={a: "1"}) = Ok',
      "log warn: Header map 3 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=GrpcReceiveInitialMetadata, pairs={a: "1"}) = Ok',
      "log warn: Header map 4 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=GrpcReceiveTrailingMetadata, pairs={a: "1"}) = Ok',
      "log warn: Header map 5 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpCallResponseHeaders, pairs={a: "1"}) = Ok',
      "log warn: Header map 6 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpCallResponseTrailers, pairs={a: "1"}) = Ok',
      "log warn: Header map 7 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs={a: "1"}) = Ok',
      'proxy_set_header_map_pairs(map=HttpResponseHeaders, pairs={a: "1"}) = Ok',
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: " +
        '"200", x-r: "1"}',
    ],
  },
  {
    name: `${NAME}() refuses malformed pairs, and changes nothing`,
    guest: onRequest(
      set(0, block([1])),
      set(0, block([1, 1, 1], "a\0b")),
      set(0, block([1, 1, 1], "a\0bb")),
      set(0, block([1, 1, 1], "aab\0")),
      set(0, block([1, 1, 1], "a\0b\0c")),
      set(0, block([1, MAX, 1], "a\0b\0")),
      set(0, block([1, 1, MAX], "a\0b\0")),
      set(0, block([1, 0x7fff_ffff, 0x7fff_ffff], "a\0b\0")),
      set(0, block([MAX], "a\0b\0")),
      set(0, block([0x2000_0000])),
      set(0, block([1025])),
      set(0, { bytes: Uint8Array.of(1) }),
      set(0, { bytes: Uint8Array.of(0, 0, 0) }),
      [GET, 0, out(), out()],
    ),
    run: { request: { url: "http://a.test/", headers: [["X-Old", "0"]] } },
    shows: [GET],
    lines: [
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs="\\x01\\x00\\x00\\x00") ' +
        "= BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00a\\x00b") = ' +
        "BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00a\\x00bb") = ' +
        "BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00aab\\x00") = ' +
        "BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00a\\x00b\\x00c' +
        '") = BadArgument',
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xff\\x01\\x00\\x00\\x00a\\x00b\\x00"' +
        ") = BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xffa\\x00b\\x00"' +
        ") = BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\x7f\\xff\\xff\\xff\\x7fa\\x00b\\x00"' +
        ") = BadArgument",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, " +
        'pairs="\\xff\\xff\\xff\\xffa\\x00b\\x00") = BadArgument',
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs="\\x00\\x00\\x00 ") = ' +
        "BadArgument",
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs="\\x01\\x04\\x00\\x00") ' +
        "= BadArgument",
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs="\\x01") = BadArgument',
      'proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs="\\x00\\x00\\x00") = ' +
        "BadArgument",
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "a.test", :scheme: "http", x-old: "0", ' +
        'x-forwarded-for: "192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: ' +
        '"http", x-forwarded-host: "a.test", x-forwarded-port: "80"}',
    ],
  },
  {
    name: `${NAME}() refuses more than 1024 lines, and more than 1 MiB`,
    guest: {
      pages: 32,
      ...onRequest(
        set(0, pairs(...Array.from({ length: 1025 }, () => ["", ""] as const))),
        set(0, { bytes: new Uint8Array(1024 * 1024 + 1) }),
      ),
    },
    lines: [
      refused(`"\\x01\\x04${zeros(254)}"… (10254 bytes)`),
      refused(`"${zeros(256)}"… (1048577 bytes)`),
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(...[8, -1, 0x7fff_ffff].map((type) => set(type, pairs(["a", "1"])))),
    lines: [
      'proxy_set_header_map_pairs(map=8, pairs={a: "1"}) = BadArgument',
      'proxy_set_header_map_pairs(map=-1, pairs={a: "1"}) = BadArgument',
      'proxy_set_header_map_pairs(map=2147483647, pairs={a: "1"}) = BadArgument',
    ],
  },
  {
    name: `${NAME}() refuses pairs that are not within memory`,
    guest: onRequest(
      [NAME, 0, end(), 1],
      [NAME, 0, end(1), 2],
      [NAME, 0, 0, MAX],
      [NAME, 0, MAX, 1],
      [NAME, 0, 0x8000_0000, 0x8000_0000],
    ),
    lines: [
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_set_header_map_pairs(map=HttpRequestHeaders, pairs=beyond-memory) = " +
        "InvalidMemoryAccess",
    ],
  },
  ...refusedOutsideOfContexts(
    set(0, pairs(["a", "1"])),
    `${NAME}(map=HttpRequestHeaders, pairs={a: "1"})`,
  ),
]);
