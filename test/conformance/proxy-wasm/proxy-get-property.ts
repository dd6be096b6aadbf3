import { casesOf, handsNothingOver, refusedOutsideOfContexts } from "../case.ts";
import { type Call, end, MAX, onRequest, out, text } from "../probe.ts";

const NAME = "proxy_get_property";
/** Segments are joined by NUL. */
const get = (path: string): Call => [NAME, text(path.replaceAll(".", "\0")), out(), out()];
const REQUEST = {
  method: "POST",
  url: "https://a.test:8443/x?y=1",
  headers: [
    ["Referer", "http://r.test/"],
    ["User-Agent", "ada"],
    ["X-Request-Id", "7"],
  ],
  body: ["12345"],
} as const;

export const conformance = casesOf(NAME, [
  {
    name: `${NAME}() hands text over as it is`,
    guest: onRequest(
      ...[
        "request.path",
        "request.url_path",
        "request.host",
        "request.scheme",
        "request.method",
        "request.query",
        "request.protocol",
        "request.referer",
        "request.useragent",
        "request.id",
        "request.headers.user-agent",
        "source.address",
        "destination.address",
        "route_name",
        "cluster_name",
        "plugin_name",
        "plugin_root_id",
        "plugin_vm_id",
      ].map(get),
    ),
    run: { request: REQUEST, name: "tester", rootId: "root" },
    lines: [
      'proxy_get_property(path="request\\x00path") = Ok -> value="/x?y=1"',
      'proxy_get_property(path="request\\x00url_path") = Ok -> value="/x"',
      'proxy_get_property(path="request\\x00host") = Ok -> value="a.test:8443"',
      'proxy_get_property(path="request\\x00scheme") = Ok -> value="https"',
      'proxy_get_property(path="request\\x00method") = Ok -> value="POST"',
      'proxy_get_property(path="request\\x00query") = Ok -> value="y=1"',
      'proxy_get_property(path="request\\x00protocol") = Ok -> value="HTTP/1.1"',
      'proxy_get_property(path="request\\x00referer") = Ok -> value="http://r.test/"',
      'proxy_get_property(path="request\\x00useragent") = Ok -> value="ada"',
      'proxy_get_property(path="request\\x00id") = Ok -> value="7"',
      'proxy_get_property(path="request\\x00headers\\x00user-agent") = Ok -> value="ada"',
      'proxy_get_property(path="source\\x00address") = Ok -> value="192.0.2.7:50000"',
      'proxy_get_property(path="destination\\x00address") = Ok -> value="192.0.2.2:443"',
      'proxy_get_property(path="route_name") = Ok -> value="route"',
      'proxy_get_property(path="cluster_name") = Ok -> value="upstream"',
      'proxy_get_property(path="plugin_name") = Ok -> value="tester"',
      'proxy_get_property(path="plugin_root_id") = Ok -> value="root"',
      'proxy_get_property(path="plugin_vm_id") = Ok -> value="tester"',
    ],
  },
  {
    name: `${NAME}() hands integers, times and truths over as little-endian bytes`,
    guest: {
      on: {
        proxy_on_log: {
          calls: [
            "request.time",
            "request.duration",
            "request.size",
            "response.code",
            "response.size",
            "response.flags",
            "source.port",
            "destination.port",
            "connection.mtls",
            "listener_direction",
          ].map(get),
        },
      },
    },
    run: { request: REQUEST, upstream: { status: 503, body: ["1234567"] }, startMs: 0 },
    lines: [
      'proxy_get_property(path="request\\x00time") = Ok -> ' +
        'value="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="request\\x00duration") = Ok -> ' +
        'value="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="request\\x00size") = Ok -> ' +
        'value="\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="response\\x00code") = Ok -> ' +
        'value="\\xf7\\x01\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="response\\x00size") = Ok -> ' +
        'value="\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="response\\x00flags") = Ok -> ' +
        'value="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="source\\x00port") = Ok -> ' +
        'value="P\\xc3\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="destination\\x00port") = Ok -> ' +
        'value="\\xbb\\x01\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="connection\\x00mtls") = Ok -> value="\\x00"',
      'proxy_get_property(path="listener_direction") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
    ],
  },
  {
    name: `${NAME}() hands maps over as pairs, and their lines by name`,
    guest: {
      on: {
        proxy_on_log: {
          calls: ["request.headers", "response.headers", "response.headers.x-r"].map(get),
        },
      },
    },
    run: {
      request: { url: "http://a.test/" },
      upstream: { headers: [["X-R", "1"]], trailers: [["X-T", "2"]], body: ["x"] },
    },
    lines: [
      'proxy_get_property(path="request\\x00headers") = Ok -> ' +
        'value="\\x05\\x00\\x00\\x00\\x0f\\x00\\x00\\x00\\t\\x00\\x00\\x00\\t\\x00\\x00\\x' +
        "00\\t\\x00\\x00\\x00\\x11\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x10\\x00\\x00\\x00\\" +
        "x06\\x00\\x00\\x00\\x10\\x00\\x00\\x00\\x02\\x00\\x00\\x00x-forwarded-for\\x00192." +
        "0.2.7\\x00x-real-ip\\x00192.0.2.7\\x00x-forwarded-proto\\x00http\\x00x-forwarded-h" +
        'ost\\x00a.test\\x00x-forwarded-port\\x0080\\x00"',
      'proxy_get_property(path="response\\x00headers") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x01\\x00\\x00\\x00x-r\\x001\\x00' +
        '"',
      'proxy_get_property(path="response\\x00headers\\x00x-r") = Ok -> value="1"',
    ],
  },
  {
    name: `${NAME}() counts what has passed, and tells the gRPC status and the node`,
    guest: {
      on: {
        proxy_on_log: {
          calls: [
            "request.total_size",
            "request.trailers",
            "response.total_size",
            "response.grpc_status",
            "response.code_details",
            "response.trailers",
            "response.trailers.grpc-status",
            "upstream.address",
            "upstream.port",
            "upstream.transport_failure_reason",
            "upstream.request_attempt_count",
            "connection.id",
            "connection_id",
          ].map(get),
        },
      },
    },
    run: {
      request: { url: "http://a.test/", body: ["x"], trailers: [["X-T", "1"]] },
      upstream: { body: ["1234567"], trailers: [["Grpc-Status", "7"]] },
    },
    lines: [
      'proxy_get_property(path="request\\x00total_size") = Ok -> ' +
        'value="\\x93\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="request\\x00trailers") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x01\\x00\\x00\\x00x-t\\x001\\x00' +
        '"',
      'proxy_get_property(path="response\\x00total_size") = Ok -> ' +
        'value="\\x1d\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="response\\x00grpc_status") = Ok -> ' +
        'value="\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="response\\x00code_details") = Ok -> value="via_upstream"',
      'proxy_get_property(path="response\\x00trailers") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x0b\\x00\\x00\\x00\\x01\\x00\\x00\\x00grpc-status\\x' +
        '007\\x00"',
      'proxy_get_property(path="response\\x00trailers\\x00grpc-status") = Ok -> value="7"',
      'proxy_get_property(path="upstream\\x00address") = Ok -> value="192.0.2.1:80"',
      'proxy_get_property(path="upstream\\x00port") = Ok -> ' +
        'value="P\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="upstream\\x00transport_failure_reason") = Ok -> value=""',
      'proxy_get_property(path="upstream\\x00request_attempt_count") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="connection\\x00id") = NotFound',
      'proxy_get_property(path="connection_id") = NotFound',
    ],
  },
  {
    name: `${NAME}() hands over what is the same for every exchange, and messages that are empty`,
    guest: {
      on: {
        proxy_on_configure: {
          calls: [
            "listener_direction",
            "listener_metadata",
            "listener_metadata.filter_metadata",
            "xds.listener_direction",
            "node",
            "node.cluster",
            "node.metadata",
          ].map(get),
        },
        proxy_on_request_headers: {
          calls: [
            "metadata",
            "metadata.filter_metadata",
            "route_metadata",
            "cluster_metadata",
            "xds.route_name",
            "xds.cluster_name",
          ].map(get),
        },
      },
    },
    lines: [
      'proxy_get_property(path="listener_direction") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="listener_metadata") = Ok -> value=""',
      'proxy_get_property(path="listener_metadata\\x00filter_metadata") = Ok -> value=""',
      'proxy_get_property(path="xds\\x00listener_direction") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="node") = NotFound',
      'proxy_get_property(path="node\\x00cluster") = Ok -> value=""',
      'proxy_get_property(path="node\\x00metadata") = Ok -> value=""',
      'proxy_get_property(path="metadata") = Ok -> value=""',
      'proxy_get_property(path="metadata\\x00filter_metadata") = Ok -> value=""',
      'proxy_get_property(path="route_metadata") = Ok -> value=""',
      'proxy_get_property(path="cluster_metadata") = Ok -> value=""',
      'proxy_get_property(path="xds\\x00route_name") = Ok -> value="route"',
      'proxy_get_property(path="xds\\x00cluster_name") = Ok -> value="upstream"',
    ],
  },
  {
    name: `${NAME}() takes a path with a NUL at its end`,
    guest: onRequest(get("request.method."), get("plugin_name.")),
    lines: [
      'proxy_get_property(path="request\\x00method\\x00") = Ok -> value="GET"',
      'proxy_get_property(path="plugin_name\\x00") = Ok -> value="plugin"',
    ],
  },
  {
    name: `${NAME}() answers NotFound for what there is not, and in the root context for exchanges`,
    guest: {
      on: {
        proxy_on_configure: { calls: [get("request.path"), get("plugin_name")] },
        proxy_on_request_headers: {
          calls: [
            "nothing",
            "request",
            "request.nothing",
            "request.path.more",
            "response.code",
            "route_name.more",
            "request.headers.host.more",
            "",
            ".",
            "..",
            "request.headers.x-none",
            "metadata.a.b",
          ].map(get),
        },
      },
    },
    run: { request: { url: "http://a.test/" } },
    lines: [
      'proxy_get_property(path="request\\x00path") = NotFound',
      'proxy_get_property(path="plugin_name") = Ok -> value="plugin"',
      'proxy_get_property(path="nothing") = NotFound',
      'proxy_get_property(path="request") = NotFound',
      'proxy_get_property(path="request\\x00nothing") = NotFound',
      'proxy_get_property(path="request\\x00path\\x00more") = NotFound',
      'proxy_get_property(path="response\\x00code") = NotFound',
      'proxy_get_property(path="route_name\\x00more") = NotFound',
      'proxy_get_property(path="request\\x00headers\\x00host\\x00more") = NotFound',
      'proxy_get_property(path="") = NotFound',
      'proxy_get_property(path="\\x00") = NotFound',
      'proxy_get_property(path="\\x00\\x00") = NotFound',
      'proxy_get_property(path="request\\x00headers\\x00x-none") = NotFound',
      'proxy_get_property(path="metadata\\x00a\\x00b") = NotFound',
    ],
  },
  {
    name: `${NAME}() answers NotFound for a path of more than 1 KiB, whatever it names`,
    guest: onRequest(
      get(`request.headers.${"a".repeat(1008)}`),
      get(`request.headers.${"a".repeat(1009)}`),
    ),
    run: {
      request: {
        headers: [
          ["a".repeat(1008), "v"],
          ["a".repeat(1009), "w"],
        ],
      },
    },
    lines: [
      `${NAME}(path="request\\x00headers\\x00${"a".repeat(240)}"… (1024 bytes)) = Ok -> value="v"`,
      `${NAME}(path="request\\x00headers\\x00${"a".repeat(240)}"… (1025 bytes)) = NotFound`,
    ],
  },
  {
    name: `${NAME}() answers NotFound for the gateway's own unless they are granted`,
    guest: onRequest(get("gateway.worker"), get("node.id"), get("gateway.nothing")),
    shows: ["log"],
    lines: [
      'proxy_get_property(path="gateway\\x00worker") = NotFound',
      'log warn: Cannot read property "gateway.worker": plugin "plugin" is not ' +
        'granted it; add { name: plugin, allow: { properties: ["gateway.worker"] } } to ' +
        "wasm.plugins (gateway.yaml)",
      'proxy_get_property(path="node\\x00id") = NotFound',
      'log warn: Cannot read property "node.id": plugin "plugin" is not granted it; ' +
        'add { name: plugin, allow: { properties: ["node.id"] } } to wasm.plugins ' +
        "(gateway.yaml)",
      'proxy_get_property(path="gateway\\x00nothing") = NotFound',
    ],
  },
  {
    name: `${NAME}() hands over the gateway's own that are granted`,
    guest: onRequest(get("gateway.worker"), get("node.id"), get("gateway.nothing")),
    run: { allow: { properties: ["gateway.*", "node.id"] } },
    lines: [
      'proxy_get_property(path="gateway\\x00worker") = Ok -> ' +
        'value="\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'proxy_get_property(path="node\\x00id") = Ok -> value="plugin-run"',
      'proxy_get_property(path="gateway\\x00nothing") = NotFound',
    ],
  },
  {
    name: `${NAME}() answers SerializationFailure for a map of more than 1 MiB`,
    guest: { on: { proxy_on_response_headers: { calls: [get("response.headers")] } } },
    run: { upstream: { headers: [["X-Long", "a".repeat(1024 * 1024)]] } },
    lines: ['proxy_get_property(path="response\\x00headers") = SerializationFailure'],
  },
  {
    name: `${NAME}() refuses paths that are not within memory`,
    guest: onRequest(
      [NAME, end(), 1, out(), out()],
      [NAME, end(1), 2, out(), out()],
      [NAME, 0, MAX, out(), out()],
      [NAME, MAX, 1, out(), out()],
      [NAME, 0x8000_0000, 0x8000_0000, out(), out()],
    ),
    lines: [
      "proxy_get_property(path=beyond-memory) = InvalidMemoryAccess",
      "proxy_get_property(path=beyond-memory) = InvalidMemoryAccess",
      "proxy_get_property(path=beyond-memory) = InvalidMemoryAccess",
      "proxy_get_property(path=beyond-memory) = InvalidMemoryAccess",
      "proxy_get_property(path=beyond-memory) = InvalidMemoryAccess",
    ],
  },
  ...handsNothingOver(
    (ptr, length) => [NAME, text("plugin_name"), ptr, length],
    `${NAME}(path="plugin_name")`,
  ),
  ...refusedOutsideOfContexts(get("plugin_name"), `${NAME}(path="plugin_name")`),
]);
