import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_add_header_map_value";
const GET = "proxy_get_header_map_pairs";
const get = (type: number): Call => [GET, type, out(), out()];
const add = (type: number, key: string, value: string): Call => [
  NAME,
  type,
  text(key),
  text(value),
];
/** 1 MiB as a transcript shows it. */
const LONG = `"${"a".repeat(256)}"… (1048576 bytes)`;
const REQUEST = {
  url: "http://a.test/",
  headers: [
    ["X-One", "1"],
    ["x-one", "2"],
  ],
} as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() adds a line behind those of its name, spelled as it is given`,
    guest: onRequest(add(0, "X-oNe", "3"), add(0, "x-Two", ""), add(0, "x-latin", "\xff")),
    run: { request: REQUEST, upstream: {} },
    shows: ["upstream head", "log"],
    lines: [
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="X-oNe", value="3") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="x-Two", value="") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="x-latin", value="\\xff") = Ok',
      '=> upstream head GET http://a.test/ {X-One: "1", x-one: "2", X-Forwarded-For: ' +
        '"192.0.2.7", X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", ' +
        'X-Forwarded-Host: "a.test", X-Forwarded-Port: "80", X-oNe: "3", x-Two: "", ' +
        'x-latin: "\\xff"}',
    ],
  },
  {
    name: `${NAME}() replaces pseudo headers, of which there is one each`,
    guest: onRequest(
      add(0, ":method", "PUT"),
      add(0, ":path", "/new?q=1"),
      add(0, ":authority", "b.test"),
      add(0, "Host", "c.test"),
      add(0, ":scheme", "https"),
      get(0),
    ),
    run: { request: { url: "http://a.test/" }, upstream: {} },
    shows: [GET, "upstream head"],
    lines: [
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":method", value="PUT") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":path", value="/new?q=1") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":authority", ' +
        'value="b.test") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="Host", value="c.test") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":scheme", value="https") = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"PUT", :path: "/new?q=1", :authority: "c.test", :scheme: "https", ' +
        'x-forwarded-for: "192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: ' +
        '"http", x-forwarded-host: "a.test", x-forwarded-port: "80"}',
      '=> upstream head PUT http://c.test/new?q=1 {X-Forwarded-For: "192.0.2.7", ' +
        'X-Real-IP: "192.0.2.7", X-Forwarded-Proto: "http", X-Forwarded-Host: ' +
        '"a.test", X-Forwarded-Port: "80"}',
    ],
  },
  {
    name: `${NAME}() changes the response and its status, and both trailers`,
    guest: {
      on: {
        proxy_on_request_trailers: { calls: [add(1, "x-t", "new")] },
        proxy_on_response_headers: {
          calls: [add(2, ":status", "418"), add(2, "x-r", "new")],
        },
        proxy_on_response_trailers: { calls: [add(3, "x-t", "new")] },
      },
    },
    run: {
      request: { body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { headers: [["X-R", "1"]], body: ["y"], trailers: [["X-T", "2"]] },
    },
    shows: ["upstream end", "client head", "client end"],
    lines: [
      'proxy_add_header_map_value(map=HttpRequestTrailers, key="x-t", value="new") = Ok',
      '=> upstream end {X-T: "1", x-t: "new"}',
      'proxy_add_header_map_value(map=HttpResponseHeaders, key=":status", value="418") = Ok',
      'proxy_add_header_map_value(map=HttpResponseHeaders, key="x-r", value="new") = Ok',
      '=> client head 418 {X-R: "1", x-r: "new"}',
      'proxy_add_header_map_value(map=HttpResponseTrailers, key="x-t", value="new") = Ok',
      '=> client end {X-T: "2", x-t: "new"}',
    ],
  },
  {
    name: `${NAME}() leaves out what would break the message, and warns once`,
    guest: onRequest(
      add(0, "x-one", "3\r\nx-evil: 1"),
      add(0, "x-two", "\0"),
      add(0, "x three", "3"),
      add(0, "", "3"),
      add(0, ":method", "no method"),
      add(0, ":path", "no path"),
      add(0, ":status", "200"),
      add(0, ":nothing", "1"),
      get(0),
    ),
    run: { request: REQUEST },
    shows: [GET, "log"],
    lines: [
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="x-one", ' +
        'value="3\\r\\nx-evil: 1") = Ok',
      "log warn: Some header lines are left out: a name was no token, a value had a " +
        "control character, or a pseudo header was unknown or would make no message",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="x-two", value="\\x00") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="x three", value="3") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="", value="3") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":method", value="no ' +
        'method") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":path", value="no path") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":status", value="200") = Ok',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key=":nothing", value="1") = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "a.test", :scheme: "http", x-one: "1", ' +
        'x-one: "2", x-forwarded-for: "192.0.2.7", x-real-ip: "192.0.2.7", ' +
        'x-forwarded-proto: "http", x-forwarded-host: "a.test", x-forwarded-port: ' +
        '"80"}',
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing to maps that are not there, or have been sent`,
    guest: {
      on: {
        proxy_on_configure: { calls: [add(0, "a", "1")] },
        proxy_on_request_headers: {
          calls: [1, 2, 3, 4, 5, 6, 7].map((type) => add(type, "a", "1")),
        },
        proxy_on_response_headers: { calls: [add(0, "a", "1")] },
        proxy_on_log: { calls: [add(2, "a", "1"), get(2)] },
      },
    },
    run: { upstream: { headers: [["X-R", "1"]] } },
    shows: [GET, "log"],
    lines: [
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="a", value="1") = Ok',
      "log warn: Header map 0 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpRequestTrailers, key="a", value="1") = Ok',
      "log warn: Header map 1 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpResponseHeaders, key="a", value="1") = Ok',
      "log warn: Header map 2 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpResponseTrailers, key="a", value="1") = Ok',
      "log warn: Header map 3 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=GrpcReceiveInitialMetadata, key="a", value="1") = Ok',
      "log warn: Header map 4 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=GrpcReceiveTrailingMetadata, key="a", value="1") = Ok',
      "log warn: Header map 5 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpCallResponseHeaders, key="a", value="1") = Ok',
      "log warn: Header map 6 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpCallResponseTrailers, key="a", value="1") = Ok',
      "log warn: Header map 7 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="a", value="1") = Ok',
      'proxy_add_header_map_value(map=HttpResponseHeaders, key="a", value="1") = Ok',
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: " +
        '"200", x-r: "1"}',
    ],
  },
  {
    name: `${NAME}() refuses a line that no map can take: more than 1 MiB`,
    guest: {
      pages: 32,
      ...onRequest([NAME, 0, text("x-long"), text("a".repeat(1024 * 1024))]),
    },
    lines: [`${NAME}(map=HttpRequestHeaders, key="x-long", value=${LONG}) = BadArgument`],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(...[8, -1, 0x7fff_ffff].map((type) => add(type, "a", "1"))),
    lines: [
      'proxy_add_header_map_value(map=8, key="a", value="1") = BadArgument',
      'proxy_add_header_map_value(map=-1, key="a", value="1") = BadArgument',
      'proxy_add_header_map_value(map=2147483647, key="a", value="1") = BadArgument',
    ],
  },
  {
    name: `${NAME}() refuses names and values that are not within memory`,
    guest: onRequest(
      [NAME, 0, end(), 1, text("v")],
      [NAME, 0, 0, MAX, text("v")],
      [NAME, 0, MAX, 1, text("v")],
      [NAME, 0, text("k"), end(), 1],
      [NAME, 0, text("k"), end(1), 2],
      [NAME, 0, text("k"), 0, MAX],
      [NAME, 0, text("k"), MAX, 1],
      [NAME, 0, text("k"), 0x8000_0000, 0x8000_0000],
      get(0),
    ),
    run: { request: { url: "http://a.test/" } },
    shows: [GET],
    lines: [
      "proxy_add_header_map_value(map=HttpRequestHeaders, key=beyond-memory, " +
        'value="v") = InvalidMemoryAccess',
      "proxy_add_header_map_value(map=HttpRequestHeaders, key=beyond-memory, " +
        'value="v") = InvalidMemoryAccess',
      "proxy_add_header_map_value(map=HttpRequestHeaders, key=beyond-memory, " +
        'value="v") = InvalidMemoryAccess',
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="k", ' +
        "value=beyond-memory) = InvalidMemoryAccess",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="k", ' +
        "value=beyond-memory) = InvalidMemoryAccess",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="k", ' +
        "value=beyond-memory) = InvalidMemoryAccess",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="k", ' +
        "value=beyond-memory) = InvalidMemoryAccess",
      'proxy_add_header_map_value(map=HttpRequestHeaders, key="k", ' +
        "value=beyond-memory) = InvalidMemoryAccess",
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "a.test", :scheme: "http", x-forwarded-for: ' +
        '"192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: "http", ' +
        'x-forwarded-host: "a.test", x-forwarded-port: "80"}',
    ],
  },
  ...refusedOutsideOfContexts(
    add(0, "a", "1"),
    `${NAME}(map=HttpRequestHeaders, key="a", value="1")`,
  ),
]);
