import { casesOf, handsNothingOver, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_get_header_map_value";
const get = (type: number, key: string): Call => [NAME, type, text(key), out(), out()];
const REQUEST = {
  url: "http://a.test/x",
  headers: [
    ["X-One", "1"],
    ["x-one", "2"],
    ["X-Empty", ""],
  ],
} as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() hands over the first line of a name, whatever its case`,
    guest: onRequest(
      ...["x-one", "X-ONE", "x-empty", ":method", ":path", ":authority", ":scheme", "host"].map(
        (key) => get(0, key),
      ),
    ),
    run: { request: REQUEST },
    lines: [
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-one") = Ok -> value="1"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="X-ONE") = Ok -> value="1"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-empty") = Ok -> value=""',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":method") = Ok -> value="GET"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = Ok -> value="/x"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":authority") = Ok -> ' +
        'value="a.test"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":scheme") = Ok -> value="http"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="host") = Ok -> value="a.test"',
    ],
  },
  {
    name: `${NAME}() answers NotFound where there is no such line`,
    guest: onRequest(
      ...["x-two", "x-on", "", ":status", ":nothing", "x-one\0", "x\xff"].map((key) => get(0, key)),
    ),
    run: { request: REQUEST },
    lines: [
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-two") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-on") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":status") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":nothing") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-one\\x00") = NotFound',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x\\xff") = NotFound',
    ],
  },
  {
    name: `${NAME}() is Ok and empty in ABI 0.1.0 where there is no such line`,
    guest: { abi: "0.1.0", ...onRequest(get(0, "x-two"), get(0, "x-one")) },
    run: { request: REQUEST },
    lines: [
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-two") = Ok -> value=""',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key="x-one") = Ok -> value="1"',
    ],
  },
  {
    name: `${NAME}() answers NotFound in 0.2.0 as in 0.2.1`,
    guest: { abi: "0.2.0", ...onRequest(get(0, "x-two")) },
    run: { request: REQUEST },
    lines: ['proxy_get_header_map_value(map=HttpRequestHeaders, key="x-two") = NotFound'],
  },
  {
    name: `${NAME}() answers NotFound where there is no such map, in every version`,
    guest: { abi: "0.1.0", ...onRequest(...[1, 2, 3, 4, 5, 6, 7].map((type) => get(type, "a"))) },
    lines: [
      'proxy_get_header_map_value(map=HttpRequestTrailers, key="a") = NotFound',
      'proxy_get_header_map_value(map=HttpResponseHeaders, key="a") = NotFound',
      'proxy_get_header_map_value(map=HttpResponseTrailers, key="a") = NotFound',
      'proxy_get_header_map_value(map=GrpcReceiveInitialMetadata, key="a") = NotFound',
      'proxy_get_header_map_value(map=GrpcReceiveTrailingMetadata, key="a") = NotFound',
      'proxy_get_header_map_value(map=HttpCallResponseHeaders, key="a") = NotFound',
      'proxy_get_header_map_value(map=HttpCallResponseTrailers, key="a") = NotFound',
    ],
  },
  {
    name: `${NAME}() reads the response and both trailers, and all of them in the log`,
    guest: {
      on: {
        proxy_on_response_headers: { calls: [get(2, ":status"), get(2, "x-r")] },
        proxy_on_log: { calls: [get(0, ":path"), get(1, "x-t"), get(2, "x-r"), get(3, "x-t")] },
      },
    },
    run: {
      request: { body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { headers: [["X-R", "r"]], body: ["y"], trailers: [["X-T", "2"]] },
    },
    lines: [
      'proxy_get_header_map_value(map=HttpResponseHeaders, key=":status") = Ok -> value="200"',
      'proxy_get_header_map_value(map=HttpResponseHeaders, key="x-r") = Ok -> value="r"',
      'proxy_get_header_map_value(map=HttpRequestHeaders, key=":path") = Ok -> value="/"',
      'proxy_get_header_map_value(map=HttpRequestTrailers, key="x-t") = Ok -> value="1"',
      'proxy_get_header_map_value(map=HttpResponseHeaders, key="x-r") = Ok -> value="r"',
      'proxy_get_header_map_value(map=HttpResponseTrailers, key="x-t") = Ok -> value="2"',
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(get(8, "a"), get(-1, "a"), get(0x7fff_ffff, "a")),
    lines: [
      'proxy_get_header_map_value(map=8, key="a") = BadArgument',
      'proxy_get_header_map_value(map=-1, key="a") = BadArgument',
      'proxy_get_header_map_value(map=2147483647, key="a") = BadArgument',
    ],
  },
  {
    name: `${NAME}() refuses names that are not within memory`,
    guest: onRequest(
      [NAME, 0, end(), 1, out(), out()],
      [NAME, 0, end(1), 2, out(), out()],
      [NAME, 0, 0, MAX, out(), out()],
      [NAME, 0, MAX, 1, out(), out()],
      [NAME, 0, 0x8000_0000, 0x8000_0000, out(), out()],
    ),
    lines: [
      "proxy_get_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_get_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_get_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_get_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_get_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
    ],
  },
  ...handsNothingOver(
    (ptr, length) => [NAME, 0, text(":method"), ptr, length],
    `${NAME}(map=HttpRequestHeaders, key=":method")`,
  ),
  ...refusedOutsideOfContexts(get(0, ":path"), `${NAME}(map=HttpRequestHeaders, key=":path")`),
]);
