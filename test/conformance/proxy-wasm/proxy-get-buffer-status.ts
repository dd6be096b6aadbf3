import { casesOf, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_get_buffer_status";
const ALL_TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((type): Call => [NAME, type, out(), out()]);

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() tells the length of what is there, and no flags`,
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
    },
    lines: [
      "proxy_get_buffer_status(buffer=HttpRequestBody) = Ok -> length=5, flags=0",
      "proxy_get_buffer_status(buffer=HttpResponseBody) = NotFound",
      "proxy_get_buffer_status(buffer=DownstreamData) = NotFound",
      "proxy_get_buffer_status(buffer=UpstreamData) = NotFound",
      "proxy_get_buffer_status(buffer=HttpCallResponseBody) = NotFound",
      "proxy_get_buffer_status(buffer=GrpcReceiveBuffer) = NotFound",
      "proxy_get_buffer_status(buffer=VmConfiguration) = Ok -> length=0, flags=0",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = Ok -> length=13, flags=0",
      "proxy_get_buffer_status(buffer=CallData) = NotFound",
      "proxy_get_buffer_status(buffer=HttpRequestBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpResponseBody) = Ok -> length=8, flags=0",
      "proxy_get_buffer_status(buffer=DownstreamData) = NotFound",
      "proxy_get_buffer_status(buffer=UpstreamData) = NotFound",
      "proxy_get_buffer_status(buffer=HttpCallResponseBody) = NotFound",
      "proxy_get_buffer_status(buffer=GrpcReceiveBuffer) = NotFound",
      "proxy_get_buffer_status(buffer=VmConfiguration) = Ok -> length=0, flags=0",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = Ok -> length=13, flags=0",
      "proxy_get_buffer_status(buffer=CallData) = NotFound",
    ],
  },
  {
    name: `${NAME}() counts what is held back, and what has been put in`,
    guest: {
      on: {
        proxy_on_request_body: [
          { calls: [[NAME, 0, out(), out()]], answer: 1 },
          {
            calls: [
              ["proxy_set_buffer_bytes", 0, 0, 0, text("so ")],
              [NAME, 0, out(), out()],
            ],
          },
        ],
      },
    },
    run: { request: { method: "POST", body: ["hello ", "world"] } },
    lines: [
      "proxy_get_buffer_status(buffer=HttpRequestBody) = Ok -> length=6, flags=0",
      "proxy_get_buffer_status(buffer=HttpRequestBody) = Ok -> length=14, flags=0",
    ],
  },
  {
    name: `${NAME}() finds no body outside of its callback`,
    guest: {
      on: {
        proxy_on_configure: { calls: ALL_TYPES.slice(0, 2) },
        proxy_on_request_headers: { calls: ALL_TYPES.slice(0, 2) },
        proxy_on_log: { calls: ALL_TYPES.slice(0, 2) },
      },
    },
    run: { request: { method: "POST", body: ["hello"] } },
    lines: [
      "proxy_get_buffer_status(buffer=HttpRequestBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpResponseBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpRequestBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpResponseBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpRequestBody) = NotFound",
      "proxy_get_buffer_status(buffer=HttpResponseBody) = NotFound",
    ],
  },
  {
    name: `${NAME}() knows no other types`,
    guest: onRequest(...[9, -1, MAX, 0x7fff_ffff].map((type): Call => [NAME, type, out(), out()])),
    lines: [
      "proxy_get_buffer_status(buffer=9) = BadArgument",
      "proxy_get_buffer_status(buffer=-1) = BadArgument",
      "proxy_get_buffer_status(buffer=-1) = BadArgument",
      "proxy_get_buffer_status(buffer=2147483647) = BadArgument",
    ],
  },
  {
    name: `${NAME}() refuses addresses that are not within memory`,
    guest: onRequest(
      [NAME, 7, end(3), out()],
      [NAME, 7, out(), end(3)],
      [NAME, 7, end(), out()],
      [NAME, 7, MAX, out()],
      [NAME, 7, out(), MAX],
      [NAME, 7, end(4), end(4)],
    ),
    lines: [
      "proxy_get_buffer_status(buffer=PluginConfiguration) = InvalidMemoryAccess",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = InvalidMemoryAccess",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = InvalidMemoryAccess",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = InvalidMemoryAccess",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = InvalidMemoryAccess",
      "proxy_get_buffer_status(buffer=PluginConfiguration) = Ok -> length=0, flags=0",
    ],
  },
  ...refusedOutsideOfContexts([NAME, 7, out(), out()], `${NAME}(buffer=PluginConfiguration)`),
]);
