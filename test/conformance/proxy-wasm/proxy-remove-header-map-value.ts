import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_remove_header_map_value";
const GET = "proxy_get_header_map_pairs";
const get = (type: number): Call => [GET, type, out(), out()];
const remove = (type: number, key: string): Call => [NAME, type, text(key)];
const REQUEST = {
  url: "http://a.test/",
  headers: [
    ["X-One", "1"],
    ["x-one", "2"],
    ["X-Two", "3"],
  ],
} as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() drops all lines of a name, and is Ok when there are none`,
    guest: onRequest(remove(0, "x-oNE"), remove(0, "x-one"), remove(0, ""), get(0)),
    run: { request: REQUEST },
    shows: [GET, "log"],
    lines: [
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="x-oNE") = Ok',
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="x-one") = Ok',
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="") = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "a.test", :scheme: "http", x-two: "3", ' +
        'x-forwarded-for: "192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: ' +
        '"http", x-forwarded-host: "a.test", x-forwarded-port: "80"}',
    ],
  },
  {
    name: `${NAME}() leaves pseudo headers, which a message needs`,
    guest: onRequest(remove(0, ":path"), remove(0, "host"), remove(0, ":nothing"), get(0)),
    run: { request: { url: "http://a.test/" } },
    shows: [GET, "log"],
    lines: [
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key=":path") = Ok',
      "log warn: Some header lines are left out: a name was no token, a value had a " +
        "control character, or a pseudo header was unknown or would make no message",
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="host") = Ok',
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key=":nothing") = Ok',
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/", :authority: "a.test", :scheme: "http", x-forwarded-for: ' +
        '"192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: "http", ' +
        'x-forwarded-host: "a.test", x-forwarded-port: "80"}',
    ],
  },
  {
    name: `${NAME}() drops lines of the response, and of both trailers`,
    guest: {
      on: {
        proxy_on_request_trailers: { calls: [remove(1, "x-t")] },
        proxy_on_response_headers: { calls: [remove(2, "x-r")] },
        proxy_on_response_trailers: { calls: [remove(3, "x-t")] },
      },
    },
    run: {
      request: { body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { headers: [["X-R", "1"]], body: ["y"], trailers: [["X-T", "2"]] },
    },
    shows: ["upstream end", "client head", "client end"],
    lines: [
      'proxy_remove_header_map_value(map=HttpRequestTrailers, key="x-t") = Ok',
      "=> upstream end",
      'proxy_remove_header_map_value(map=HttpResponseHeaders, key="x-r") = Ok',
      "=> client head 200 {}",
      'proxy_remove_header_map_value(map=HttpResponseTrailers, key="x-t") = Ok',
      "=> client end",
    ],
  },
  {
    name: `${NAME}() is Ok and does nothing to maps that are not there, or have been sent`,
    guest: {
      on: {
        proxy_on_configure: { calls: [remove(0, "a")] },
        proxy_on_request_headers: { calls: [1, 2, 3, 4, 5, 6, 7].map((type) => remove(type, "a")) },
        proxy_on_response_headers: { calls: [remove(0, "x-one")] },
        proxy_on_log: { calls: [remove(2, "x-r"), get(2)] },
      },
    },
    run: { request: REQUEST, upstream: { headers: [["X-R", "1"]] } },
    shows: [GET, "log"],
    lines: [
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="a") = Ok',
      "log warn: Header map 0 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpRequestTrailers, key="a") = Ok',
      "log warn: Header map 1 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpResponseHeaders, key="a") = Ok',
      "log warn: Header map 2 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpResponseTrailers, key="a") = Ok',
      "log warn: Header map 3 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=GrpcReceiveInitialMetadata, key="a") = Ok',
      "log warn: Header map 4 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=GrpcReceiveTrailingMetadata, key="a") = Ok',
      "log warn: Header map 5 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpCallResponseHeaders, key="a") = Ok',
      "log warn: Header map 6 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpCallResponseTrailers, key="a") = Ok',
      "log warn: Header map 7 cannot be changed: it is not there, or it has been sent " +
        "already; the change is ignored",
      'proxy_remove_header_map_value(map=HttpRequestHeaders, key="x-one") = Ok',
      'proxy_remove_header_map_value(map=HttpResponseHeaders, key="x-r") = Ok',
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: " +
        '"200", x-r: "1"}',
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(...[8, -1, 0x7fff_ffff].map((type) => remove(type, "a"))),
    lines: [
      'proxy_remove_header_map_value(map=8, key="a") = BadArgument',
      'proxy_remove_header_map_value(map=-1, key="a") = BadArgument',
      'proxy_remove_header_map_value(map=2147483647, key="a") = BadArgument',
    ],
  },
  {
    name: `${NAME}() refuses names that are not within memory`,
    guest: onRequest(
      [NAME, 0, end(), 1],
      [NAME, 0, end(1), 2],
      [NAME, 0, 0, MAX],
      [NAME, 0, MAX, 1],
      [NAME, 0, 0x8000_0000, 0x8000_0000],
    ),
    lines: [
      "proxy_remove_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_remove_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_remove_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_remove_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
      "proxy_remove_header_map_value(map=HttpRequestHeaders, key=beyond-memory) = " +
        "InvalidMemoryAccess",
    ],
  },
  ...refusedOutsideOfContexts(remove(0, "a"), `${NAME}(map=HttpRequestHeaders, key="a")`),
]);
