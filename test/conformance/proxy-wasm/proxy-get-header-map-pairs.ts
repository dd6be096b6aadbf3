import { casesOf, handsNothingOver, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, pairs, text } from "../probe.ts";

const NAME = "proxy_get_header_map_pairs";
const get = (type: number): Call => [NAME, type, out(), out()];
const ALL = [0, 1, 2, 3, 4, 5, 6, 7].map(get);
const MESSAGE = {
  headers: [
    ["Set-Cookie", "a=1"],
    ["X-Empty", ""],
    ["set-cookie", "b=2"],
  ],
  trailers: [["X-Sum", "5"]],
} as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() hands over the request's headers: pseudo headers first, lower case, in order`,
    guest: onRequest(...ALL),
    run: { request: { ...MESSAGE, url: "https://a.test:8443/x?y=1" } },
    lines: [
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"GET", :path: "/x?y=1", :authority: "a.test:8443", :scheme: "https", ' +
        'set-cookie: "a=1", x-empty: "", set-cookie: "b=2", x-forwarded-for: ' +
        '"192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: "https", ' +
        'x-forwarded-host: "a.test:8443", x-forwarded-port: "443"}',
      'proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={x-sum: "5"}',
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
    ],
  },
  {
    name: `${NAME}() hands over the response's headers`,
    guest: { on: { proxy_on_response_headers: { calls: ALL } } },
    run: { upstream: { ...MESSAGE, status: 203, body: ["x"] }, request: { method: "HEAD" } },
    lines: [
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={:method: " +
        '"HEAD", :path: "/", :authority: "example.test", :scheme: "http", ' +
        'x-forwarded-for: "192.0.2.7", x-real-ip: "192.0.2.7", x-forwarded-proto: ' +
        '"http", x-forwarded-host: "example.test", x-forwarded-port: "80"}',
      "proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={:status: " +
        '"203", set-cookie: "a=1", x-empty: "", set-cookie: "b=2"}',
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
    ],
  },
  {
    name: `${NAME}() hands over trailers of both ways in their callbacks`,
    guest: {
      on: {
        proxy_on_request_trailers: { calls: [get(1), get(3)] },
        proxy_on_response_trailers: { calls: [get(1), get(3)] },
      },
    },
    run: {
      request: { method: "POST", body: ["x"], trailers: MESSAGE.trailers },
      upstream: { body: ["x"], trailers: [["X-End", "1"]] },
    },
    lines: [
      'proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={x-sum: "5"}',
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={}",
      'proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={x-sum: "5"}',
      'proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={x-end: "1"}',
    ],
  },
  {
    name: `${NAME}() has empty maps in a root context, and asks the allocator for nothing`,
    guest: { allocator: { answers: "trap" }, on: { proxy_on_configure: { calls: ALL } } },
    lines: [
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
    ],
  },
  {
    name: `${NAME}() hands over the answer of a call-out in its callback only`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            [
              "proxy_http_call",
              text("auth"),
              pairs([":method", "GET"], [":path", "/"], [":authority", "auth"]),
              0,
              0,
              0,
              0,
              1000,
              out(),
            ],
          ],
        },
        proxy_on_http_call_response: { calls: ALL },
        proxy_on_request_headers: { calls: [get(6), get(7)] },
      },
    },
    run: {
      callOuts: [{ upstream: "auth", headers: [["X-User", "ada"]], trailers: [["X-T", "1"]] }],
      ticks: 1,
    },
    lines: [
      "proxy_get_header_map_pairs(map=HttpRequestHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpRequestTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> " +
        'pairs={:status: "200", x-user: "ada"}',
      'proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={x-t: "1"}',
      "proxy_get_header_map_pairs(map=HttpCallResponseHeaders) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=HttpCallResponseTrailers) = Ok -> pairs={}",
    ],
  },
  {
    name: `${NAME}() hands over what a gRPC node sends beside its messages`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [["proxy_grpc_stream", text("auth"), text("a.B"), text("C"), 0, 0, out()]],
        },
        proxy_on_grpc_receive_initial_metadata: { calls: [get(4), get(5)] },
        proxy_on_grpc_receive_trailing_metadata: { calls: [get(4), get(5)] },
        proxy_on_request_headers: { calls: [get(4), get(5)] },
      },
    },
    run: {
      grpc: [{ upstream: "auth", metadata: [["X-User", "ada"]], trailing: [["X-T", "1"]] }],
      ticks: 1,
    },
    lines: [
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> " +
        'pairs={x-user: "ada"}',
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> " +
        'pairs={x-user: "ada"}',
      'proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={x-t: "1"}',
      "proxy_get_header_map_pairs(map=GrpcReceiveInitialMetadata) = Ok -> pairs={}",
      "proxy_get_header_map_pairs(map=GrpcReceiveTrailingMetadata) = Ok -> pairs={}",
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(get(8), get(-1), get(MAX), get(0x7fff_ffff)),
    lines: [
      "proxy_get_header_map_pairs(map=8) = BadArgument",
      "proxy_get_header_map_pairs(map=-1) = BadArgument",
      "proxy_get_header_map_pairs(map=-1) = BadArgument",
      "proxy_get_header_map_pairs(map=2147483647) = BadArgument",
    ],
  },
  {
    name: `${NAME}() answers InternalFailure when the map has more than 1 MiB`,
    guest: { on: { proxy_on_response_headers: { calls: [get(2)] } } },
    run: { upstream: { headers: [["X-Long", "a".repeat(1024 * 1024)]] } },
    lines: ["proxy_get_header_map_pairs(map=HttpResponseHeaders) = InternalFailure"],
  },
  {
    name: `${NAME}() checks the addresses also when the map is empty`,
    guest: onRequest([NAME, 3, end(3), out()], [NAME, 3, out(), MAX]),
    lines: [
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = InvalidMemoryAccess",
      "proxy_get_header_map_pairs(map=HttpResponseTrailers) = InvalidMemoryAccess",
    ],
  },
  ...handsNothingOver((ptr, length) => [NAME, 0, ptr, length], `${NAME}(map=HttpRequestHeaders)`),
  ...refusedOutsideOfContexts(get(0), `${NAME}(map=HttpRequestHeaders)`),
]);
