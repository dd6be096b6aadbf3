import { Type } from "@sinclair/typebox";
import { DEFAULTS, WORKERS_MAX } from "./defaults.ts";
import { PluginSchema } from "./schema-plugin.ts";
import { PluginUsesSchema, RouteSchema } from "./schema-route.ts";
import { SslSchema } from "./schema-ssl.ts";
import { UpstreamSchema } from "./schema-upstream.ts";
import { formatDuration, formatSize } from "./units.ts";
import { type DecodedOf, Duration, Size, closed, oneOf } from "./vocabulary.ts";

/**
 * The words of gateway.yaml: the one source of the checks, the JSON Schema that `sluice schema`
 * prints, and docs/CONFIG.md. APISIX's words wherever APISIX has one.
 */
const { limits } = DEFAULTS;
const KIB = 1024;
const GIB = 1024 ** 3;

const ADDRESS = "host:port, [v6]:port";
const Address = Type.String({
  minLength: 1,
  description: `${ADDRESS}; 0.0.0.0 is every interface, port 0 one that the system chooses`,
  notes: { editorPattern: ":\\d+$" },
});

const ListenerSchema = Type.Union(
  [
    Address,
    closed(
      {
        address: Address,
        front: Type.Optional(
          oneOf(["auto", "http1", "serve"], {
            default: "auto",
            description:
              "What speaks HTTP with clients: http1, the gateway's own HTTP/1.1 engine; serve, " +
              "Bun.serve; auto, http1 where it can (docs/RATIONALE.md says what each loses)",
          }),
        ),
        tls: Type.Optional(
          Type.Boolean({
            default: false,
            description:
              "TLS 1.2 or 1.3 towards clients, with the certificates of `ssls`; of several of " +
              "them the client's SNI chooses, which the front http1 cannot do",
          }),
        ),
      },
      { description: "A listener", notes: { planned: ["http2", "proxy_protocol"] } },
    ),
  ],
  {
    description: "A listener: its address, alone or as a mapping",
    notes: { expected: "an address such as 127.0.0.1:9080, or { address: … }" },
  },
);

const LimitsSchema = closed(
  {
    request_target: Type.Optional(
      Size({
        description: "Bytes of a request's path and query; more is answered with 414",
        default: formatSize(limits.requestTargetBytes),
        minimum: 64,
        maximum: 64 * KIB,
      }),
    ),
    request_headers: Type.Optional(
      Size({
        description: "Bytes of a request's header lines; more is answered with 431",
        default: formatSize(limits.requestHeaderBytes),
        minimum: 256,
        maximum: 64 * KIB,
      }),
    ),
    request_body: Type.Optional(
      Size({
        description: "Bytes of a request's body; more is answered with 413",
        default: formatSize(limits.requestBodyBytes),
        minimum: 0,
        maximum: 1024 * GIB,
      }),
    ),
    filter_buffer: Type.Optional(
      Size({
        description: "Bytes of a body that a paused filter may hold back",
        default: formatSize(limits.filterBufferBytes),
        minimum: 0,
        maximum: GIB,
      }),
    ),
    exchanges_in_flight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: limits.exchangesInFlight,
        description: "Exchanges at a time, per worker; more are answered with 503",
      }),
    ),
  },
  { description: "Bounds of what a request may cost" },
);

const AdminAddress = Type.String({
  minLength: 1,
  description: `${ADDRESS}; a loopback address, port 0 is one that the system chooses`,
  notes: { editorPattern: ":\\d+$" },
});

const AdminSchema = closed(
  {
    listen: Type.Union(
      [AdminAddress, Type.Array(AdminAddress, { minItems: 1, description: "Several of them" })],
      {
        description:
          "Where the port is open: loopback addresses alone (127.0.0.0/8, [::1], and localhost, " +
          "which stands for 127.0.0.1), on ports that `listen` does not use",
        notes: { expected: "an address such as 127.0.0.1:9180, or a list of them" },
      },
    ),
  },
  {
    description: "The read-only port for operators: /ready, /status, /metrics; absent: none",
    notes: { planned: ["key"] },
  },
);

export const GatewaySchema = closed(
  {
    listen: Type.Optional(
      Type.Union(
        [
          ...ListenerSchema.anyOf,
          Type.Array(ListenerSchema, { minItems: 1, description: "Several of them" }),
        ],
        {
          default: DEFAULTS.listen,
          description: "Where requests are accepted: an address, { address: … }, or a list of them",
          notes: { expected: "an address such as 127.0.0.1:9080, or a list of them" },
        },
      ),
    ),
    ssls: Type.Optional(
      Type.Array(SslSchema, {
        description: "Certificates of the listeners with `tls: true`, and for which names",
      }),
    ),
    admin: Type.Optional(AdminSchema),
    workers: Type.Optional(
      Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1, maximum: WORKERS_MAX })], {
        default: DEFAULTS.workers,
        description: "Processes that serve requests; auto: one per processor core",
      }),
    ),
    plugins_dir: Type.Optional(
      Type.String({
        minLength: 1,
        default: DEFAULTS.pluginsDir,
        description: "Every NAME.wasm in this folder (relative to this file) is the plugin NAME",
      }),
    ),
    wasm: Type.Optional(
      closed(
        { plugins: Type.Optional(Type.Array(PluginSchema, { description: "Declared plugins" })) },
        { description: "Plugins that need more than a file in plugins_dir" },
      ),
    ),
    upstreams: Type.Optional(
      Type.Array(UpstreamSchema, {
        description: "Named groups of nodes, for routes and call-outs",
      }),
    ),
    routes: Type.Optional(
      Type.Array(RouteSchema, { description: "Which requests go where; order means nothing" }),
    ),
    global_plugins: Type.Optional(PluginUsesSchema),
    limits: Type.Optional(LimitsSchema),
    log: Type.Optional(
      closed(
        {
          level: Type.Optional(
            oneOf(["debug", "info", "warn", "error"], {
              description: "The least important lines that are written",
              default: DEFAULTS.log.level,
            }),
          ),
          format: Type.Optional(
            oneOf(["text", "json"], {
              description: "Lines for people or for machines",
              default: DEFAULTS.log.format,
            }),
          ),
        },
        { description: "The operator's log, on standard error" },
      ),
    ),
    drain: Type.Optional(
      Duration({
        description: "How long SIGTERM waits for exchanges in flight",
        default: formatDuration(DEFAULTS.drainMs),
      }),
    ),
  },
  {
    description: "Configuration of a Sluice gateway",
    notes: {
      planned: [
        "consumer_groups",
        "consumers",
        "deployment",
        "global_rules",
        "plugin_attr",
        "plugin_configs",
        "plugin_metadata",
        "plugins",
        "protos",
        "reload",
        "secrets",
        "services",
        "stream_routes",
        "tests",
      ],
    },
  },
);

export type RawGateway = DecodedOf<typeof GatewaySchema>;
