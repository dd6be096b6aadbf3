import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out } from "../probe.ts";

const NAME = "proxy_get_header_map_size";
const ALL = [0, 1, 2, 3, 4, 5, 6, 7].map((type): Call => [NAME, type, out()]);

export const conformance = casesOf(NAME, [
  {
    // :method GET :path / :authority a.b :scheme http, and x-a 1234
    name: `${NAME}() counts the bytes of names and values, pseudo headers among them`,
    guest: onRequest(...ALL),
    run: { request: { url: "http://a.b/", headers: [["X-A", "1234"]] } },
    lines: [
      "proxy_get_header_map_size(map=HttpRequestHeaders) = Ok -> size=147",
      "proxy_get_header_map_size(map=HttpRequestTrailers) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpResponseHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = Ok -> size=0",
      "proxy_get_header_map_size(map=GrpcReceiveInitialMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=GrpcReceiveTrailingMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseTrailers) = Ok -> size=0",
    ],
  },
  {
    name: `${NAME}() counts the response's and both trailers, and nothing that is not there`,
    guest: { on: { proxy_on_log: { calls: ALL }, proxy_on_configure: { calls: ALL } } },
    run: {
      request: { url: "http://a.b/", body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { body: ["y"], trailers: [["X-T", "22"]] },
    },
    lines: [
      "proxy_get_header_map_size(map=HttpRequestHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpRequestTrailers) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpResponseHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = Ok -> size=0",
      "proxy_get_header_map_size(map=GrpcReceiveInitialMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=GrpcReceiveTrailingMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseTrailers) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpRequestHeaders) = Ok -> size=140",
      "proxy_get_header_map_size(map=HttpRequestTrailers) = Ok -> size=4",
      "proxy_get_header_map_size(map=HttpResponseHeaders) = Ok -> size=10",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = Ok -> size=5",
      "proxy_get_header_map_size(map=GrpcReceiveInitialMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=GrpcReceiveTrailingMetadata) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseHeaders) = Ok -> size=0",
      "proxy_get_header_map_size(map=HttpCallResponseTrailers) = Ok -> size=0",
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(...[8, -1, MAX, 0x7fff_ffff].map((type): Call => [NAME, type, out()])),
    lines: [
      "proxy_get_header_map_size(map=8) = BadArgument",
      "proxy_get_header_map_size(map=-1) = BadArgument",
      "proxy_get_header_map_size(map=-1) = BadArgument",
      "proxy_get_header_map_size(map=2147483647) = BadArgument",
    ],
  },
  {
    name: `${NAME}() refuses addresses that are not within memory`,
    guest: onRequest(...[end(3), end(), MAX, 0x8000_0000, end(4)].map((at): Call => [NAME, 3, at])),
    lines: [
      "proxy_get_header_map_size(map=HttpResponseTrailers) = InvalidMemoryAccess",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = InvalidMemoryAccess",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = InvalidMemoryAccess",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = InvalidMemoryAccess",
      "proxy_get_header_map_size(map=HttpResponseTrailers) = Ok -> size=0",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 0, out()], `${NAME}(map=HttpRequestHeaders)`),
]);
