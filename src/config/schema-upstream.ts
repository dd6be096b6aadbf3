import { Type } from "@sinclair/typebox";
import { DEFAULTS, WEIGHT_MAX } from "./defaults.ts";
import { formatDuration } from "./units.ts";
import { Duration, closed, oneOf } from "./vocabulary.ts";

const ID_NOTES = { expected: 'a name of letters, digits, ".", "_" and "-", at most 64 long' };

/** APISIX's ids: text, or a number that stands for its digits. */
export function Id(description: string) {
  return Type.Union(
    [
      Type.String({ pattern: "^[A-Za-z0-9._-]+$", maxLength: 64, notes: ID_NOTES }),
      Type.Integer({ minimum: 0 }),
    ],
    { description, notes: ID_NOTES },
  );
}

const { timeout, keepalive } = DEFAULTS;

export const TimeoutSchema = closed(
  {
    connect: Type.Optional(
      Duration({
        description: "Until a connection to a node stands; 0: as long as it takes",
        default: formatDuration(timeout.connectMs),
      }),
    ),
    send: Type.Optional(
      Duration({
        description: "Between two parts of the request that the node accepts; 0: none",
        default: formatDuration(timeout.sendMs),
      }),
    ),
    read: Type.Optional(
      Duration({
        description: "Until the response begins, and between two parts of it; 0: none",
        default: formatDuration(timeout.readMs),
      }),
    ),
    total: Type.Optional(
      Duration({
        description: "From the start of forwarding to the last byte, retries included; 0: none",
        default: formatDuration(timeout.totalMs),
      }),
    ),
    idle: Type.Optional(
      Duration({
        description: "Silence in both directions that ends an upgraded connection (WebSocket)",
        default: formatDuration(timeout.idleMs),
      }),
    ),
  },
  { description: "How long to wait for a node; a route overrides single values of its upstream" },
);

const Weight = Type.Integer({
  minimum: 0,
  maximum: WEIGHT_MAX,
  default: DEFAULTS.weight,
  description: "Share of the requests, relative to the other nodes; 0: none",
});

export const NodeSchema = closed(
  {
    host: Type.String({
      minLength: 1,
      description: "Name, IPv4 or IPv6 address, unix:/path, or builtin:httpbin",
    }),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        default: DEFAULTS.port,
        description: "Port of the host",
      }),
    ),
    weight: Type.Optional(Weight),
  },
  { description: "One address of an upstream", notes: { planned: ["priority", "metadata"] } },
);

const upstreamProperties = {
  name: Type.Optional(Type.String({ description: "For people; means nothing to the gateway" })),
  desc: Type.Optional(Type.String({ description: "For people; means nothing to the gateway" })),
  type: Type.Optional(
    oneOf(["roundrobin"], {
      description: "How a node is chosen: in turn, by weight",
      default: "roundrobin",
      notes: { planned: ["chash", "ewma", "least_conn"] },
    }),
  ),
  nodes: Type.Union(
    [
      Type.Record(Type.String(), Weight, {
        description:
          'Weights by address: "host:port", "[v6]:port", "unix:/path" or "builtin:httpbin"; ' +
          `without a port it is ${DEFAULTS.port}`,
      }),
      Type.Array(NodeSchema, { description: "The same as a list of mappings" }),
    ],
    {
      description:
        "Where requests are sent to: weights by address, or a list of mappings; an address is " +
        '"host:port", "[v6]:port", "unix:/path" or "builtin:httpbin"',
      notes: { expected: 'a mapping such as { "10.0.0.1:8080": 1 }, or a list' },
    },
  ),
  timeout: Type.Optional(TimeoutSchema),
  retries: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      default: DEFAULTS.retries,
      description:
        "More attempts, each on another node, after a failed connection, or after a failed " +
        "exchange when the method is idempotent",
    }),
  ),
  pass_host: Type.Optional(
    oneOf(["pass", "node", "rewrite"], {
      description:
        "Host header towards a node: the client's (pass), the node's address (node), or " +
        "upstream_host (rewrite)",
      default: "pass",
    }),
  ),
  upstream_host: Type.Optional(
    Type.String({ minLength: 1, description: "The Host header when pass_host is rewrite" }),
  ),
  keepalive_pool: Type.Optional(
    closed(
      {
        size: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 100_000,
            default: keepalive.size,
            description: "Idle connections kept per node and worker; 0: none",
          }),
        ),
        idle_timeout: Type.Optional(
          Duration({
            description: "How long an idle connection is kept",
            default: formatDuration(keepalive.idleMs),
          }),
        ),
        requests: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 1_000_000_000,
            default: keepalive.requests,
            description: "Exchanges on one connection before it is closed",
          }),
        ),
      },
      { description: "Connections that are kept for the next request" },
    ),
  ),
};

const upstreamPlanned = [
  "checks",
  "create_time",
  "discovery_args",
  "discovery_type",
  "hash_on",
  "key",
  "labels",
  "retry_timeout",
  "scheme",
  "service_name",
  "tls",
  "update_time",
];

export const UpstreamSchema = closed(
  { id: Id("The name that upstream_id refers to"), ...upstreamProperties },
  {
    description: "A named group of nodes",
    notes: { noun: "upstream", planned: upstreamPlanned },
  },
);

/** Without an id: it belongs to its route alone. */
export const InlineUpstreamSchema = closed(upstreamProperties, {
  description: "The nodes of this route alone, instead of upstream_id",
  notes: {
    planned: ["id", ...upstreamPlanned],
    sameKeysAs: "the keys of `upstreams[]` without `id`",
  },
});
