import { casesOf, handsNothingOver, refusedOutsideOfContexts } from "../case.ts";
import { type Call, MAX, onRequest, out, pairs, text } from "../probe.ts";

const NAME = "proxy_get_buffer_bytes";
const get = (type: number, start: number, length: number): Call => [
  NAME,
  type,
  start,
  length,
  out(),
  out(),
];
const ALL_TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((type) => get(type, 0, MAX));
const CALL: Call = [
  "proxy_http_call",
  text("auth"),
  pairs([":method", "GET"], [":path", "/"], [":authority", "auth"]),
  0,
  0,
  0,
  0,
  1000,
  out(),
];
const POST = { method: "POST", body: ["hello ", "world"] };

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() hands over the bodies in their own callbacks, and configurations at any time`,
    guest: {
      on: {
        proxy_on_request_body: { calls: ALL_TYPES },
        proxy_on_response_body: { calls: ALL_TYPES },
      },
    },
    run: {
      request: { method: "POST", body: ["asked"] },
      upstream: { body: ["answered"] },
      config: "of the plugin",
      vmConfig: "of the VM",
    },
    lines: [
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = " +
        'Ok -> bytes="asked"',
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=DownstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=UpstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, " +
        "length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=VmConfiguration, start=0, length=4294967295) = " +
        'Ok -> bytes="of the VM"',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=0, length=4294967295) " +
        '= Ok -> bytes="of the plugin"',
      "proxy_get_buffer_bytes(buffer=CallData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = " +
        'Ok -> bytes="answered"',
      "proxy_get_buffer_bytes(buffer=DownstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=UpstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, " +
        "length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=VmConfiguration, start=0, length=4294967295) = " +
        'Ok -> bytes="of the VM"',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=0, length=4294967295) " +
        '= Ok -> bytes="of the plugin"',
      "proxy_get_buffer_bytes(buffer=CallData, start=0, length=4294967295) = NotFound",
    ],
  },
  {
    name: `${NAME}() finds no body where none is held`,
    guest: {
      on: {
        proxy_on_configure: { calls: [get(0, 0, MAX), get(1, 0, MAX)] },
        proxy_on_request_headers: { calls: [get(0, 0, MAX), get(1, 0, MAX)] },
        proxy_on_response_headers: { calls: [get(0, 0, MAX), get(1, 0, MAX)] },
        proxy_on_log: { calls: [get(0, 0, MAX), get(1, 0, MAX)] },
      },
    },
    run: { request: POST },
    lines: [
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
    ],
  },
  {
    name: `${NAME}() hands over what has come so far while a body is held back`,
    guest: {
      on: {
        proxy_on_request_body: [
          { calls: [get(0, 0, MAX)], answer: 1 },
          { calls: [get(0, 0, MAX)], answer: 0 },
        ],
      },
    },
    run: { request: POST },
    shows: ["proxy_on_request_body"],
    lines: [
      "> proxy_on_request_body(context=2, body=6, end_of_stream=false)",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = " +
        'Ok -> bytes="hello "',
      "< proxy_on_request_body = Pause",
      "> proxy_on_request_body(context=2, body=11, end_of_stream=true)",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = " +
        'Ok -> bytes="hello world"',
      "< proxy_on_request_body = Continue",
    ],
  },
  {
    name: `${NAME}() cuts at the end of the buffer, wherever it begins and however long it is`,
    guest: {
      on: {
        proxy_on_request_body: {
          calls: [
            get(0, 0, 2),
            get(0, 1, 3),
            get(0, 4, 100),
            get(0, 3, MAX),
            get(0, 0, 0),
            get(0, 5, 1),
            get(0, 6, 1),
            get(0, MAX, MAX),
            get(0, 0x7fff_ffff, 0x7fff_ffff),
            get(7, 1, 1),
            get(7, MAX, MAX),
          ],
        },
      },
    },
    run: { request: { method: "POST", body: ["hello"] }, config: "abc" },
    lines: [
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=2) = Ok -> bytes="he"',
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=1, length=3) = Ok -> bytes="ell"',
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=4, length=100) = Ok -> bytes="o"',
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=3, length=4294967295) = " +
        'Ok -> bytes="lo"',
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=0) = Ok -> bytes=""',
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=5, length=1) = Ok -> bytes=""',
      'proxy_get_buffer_bytes(buffer=HttpRequestBody, start=6, length=1) = Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=4294967295, " +
        'length=4294967295) = Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=2147483647, " +
        'length=2147483647) = Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=1, length=1) = Ok -> " +
        'bytes="b"',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=4294967295, " +
        'length=4294967295) = Ok -> bytes=""',
    ],
  },
  {
    name: `${NAME}() hands over the answer of a call-out in its callback only`,
    guest: {
      on: {
        proxy_on_configure: { calls: [CALL] },
        proxy_on_http_call_response: { calls: ALL_TYPES },
        proxy_on_request_headers: { calls: [get(4, 0, MAX)] },
      },
    },
    run: { callOuts: [{ upstream: "auth", body: ["yes"] }], ticks: 1 },
    shows: ["proxy_on_http_call_response"],
    lines: [
      "> proxy_on_http_call_response(context=1, token=1, headers=1, body=3, trailers=0)",
      "proxy_get_buffer_bytes(buffer=HttpRequestBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpResponseBody, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=DownstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=UpstreamData, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, " +
        'length=4294967295) = Ok -> bytes="yes"',
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=4294967295) = NotFound",
      "proxy_get_buffer_bytes(buffer=VmConfiguration, start=0, length=4294967295) = " +
        'Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=0, length=4294967295) " +
        '= Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=CallData, start=0, length=4294967295) = NotFound",
      "< proxy_on_http_call_response",
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, " +
        "length=4294967295) = NotFound",
    ],
  },
  {
    name: `${NAME}() hands over a gRPC message in its callback only`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            [
              "proxy_grpc_call",
              text("auth"),
              text("a.B"),
              text("C"),
              0,
              0,
              text("ask"),
              1000,
              out(),
            ],
          ],
        },
        proxy_on_grpc_receive: { calls: [get(5, 0, MAX), get(5, 1, 2), get(4, 0, MAX)] },
        proxy_on_request_headers: { calls: [get(5, 0, MAX)] },
      },
    },
    run: { grpc: [{ upstream: "auth", messages: ["told"] }], ticks: 1 },
    shows: ["proxy_on_grpc_receive"],
    lines: [
      "> proxy_on_grpc_receive(context=1, token=1, bytes=4)",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=4294967295) = " +
        'Ok -> bytes="told"',
      'proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=1, length=2) = Ok -> bytes="ol"',
      "proxy_get_buffer_bytes(buffer=HttpCallResponseBody, start=0, " +
        "length=4294967295) = NotFound",
      "< proxy_on_grpc_receive",
      "proxy_get_buffer_bytes(buffer=GrpcReceiveBuffer, start=0, length=4294967295) = NotFound",
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(get(9, 0, 1), get(-1, 0, 1), get(MAX, 0, 1), get(0x7fff_ffff, 0, 1)),
    lines: [
      "proxy_get_buffer_bytes(buffer=9, start=0, length=1) = BadArgument",
      "proxy_get_buffer_bytes(buffer=-1, start=0, length=1) = BadArgument",
      "proxy_get_buffer_bytes(buffer=-1, start=0, length=1) = BadArgument",
      "proxy_get_buffer_bytes(buffer=2147483647, start=0, length=1) = BadArgument",
    ],
  },
  {
    name: `${NAME}() asks the allocator for nothing when there is nothing to hand over`,
    guest: {
      allocator: { answers: "trap" },
      ...onRequest(get(7, 0, 0), get(7, 3, MAX), get(6, 0, MAX)),
    },
    run: { config: "abc" },
    lines: [
      'proxy_get_buffer_bytes(buffer=PluginConfiguration, start=0, length=0) = Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=PluginConfiguration, start=3, length=4294967295) " +
        '= Ok -> bytes=""',
      "proxy_get_buffer_bytes(buffer=VmConfiguration, start=0, length=4294967295) = " +
        'Ok -> bytes=""',
    ],
  },
  ...handsNothingOver(
    (ptr, length) => [NAME, 7, 0, MAX, ptr, length],
    `${NAME}(buffer=PluginConfiguration, start=0, length=4294967295)`,
    { config: "x" },
  ),
  ...refusedOutsideOfContexts(
    get(7, 0, 1),
    `${NAME}(buffer=PluginConfiguration, start=0, length=1)`,
  ),
]);
