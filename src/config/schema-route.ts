import { Type } from "@sinclair/typebox";
import { METHODS, METHOD_NOTES } from "./methods.ts";
import { PROXY_REWRITE, ProxyRewriteSchema } from "./proxy-rewrite.ts";
import { Id, InlineUpstreamSchema, TimeoutSchema } from "./schema-upstream.ts";
import { closed, kept, oneOf } from "./vocabulary.ts";

const PluginConfig = Type.Union(
  [Type.Record(Type.String(), Type.Unknown()), Type.String(), Type.Null()],
  {
    description:
      "What the plugin reads: a mapping (as JSON) or text; { conf: … } around it is taken off",
    notes: { expected: "a mapping or text" },
  },
);

const byName = { [PROXY_REWRITE]: Type.Optional(ProxyRewriteSchema) };

export const PluginUsesSchema = kept(
  Type.Union(
    [
      Type.Array(
        Type.Union(
          [
            Type.String({ minLength: 1, description: "A plugin without configuration" }),
            Type.Object(byName, {
              additionalProperties: PluginConfig,
              minProperties: 1,
              maxProperties: 1,
              description: "A plugin with its configuration",
            }),
          ],
          {
            description: "One plugin",
            notes: { expected: "a plugin's name, or { name: configuration }" },
          },
        ),
        { description: "Plugins in the order in which they see a request" },
      ),
      Type.Object(byName, {
        additionalProperties: PluginConfig,
        description: "APISIX's form; the order is the one written",
      }),
    ],
    {
      description:
        "Plugins in the order in which they see a request; they see the response in reverse order",
      notes: { expected: "a list such as [name, { name: { … } }], or a mapping" },
    },
  ),
);

/** The loader reads a uri and a host itself, because it can say more than "no match". */
const Uri = (description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, description, notes: { editorPattern: "^[/~]" } });
const Host = (description: string) => Type.String({ minLength: 1, maxLength: 255, description });

const uriForms = "exact /a, prefix /a/*, parameters /a/:id, or ~ and a regular expression";
export const RouteSchema = closed(
  {
    id: Type.Optional(
      Id("Unique name, in logs and metrics; without it the route is called route-N, N from 1"),
    ),
    name: Type.Optional(Type.String({ description: "For people; means nothing to the gateway" })),
    desc: Type.Optional(Type.String({ description: "For people; means nothing to the gateway" })),
    uri: Type.Optional(Uri(`Paths that match: ${uriForms}`)),
    uris: Type.Optional(
      Type.Array(Uri(uriForms), { minItems: 1, description: "Several of them, instead of uri" }),
    ),
    host: Type.Optional(Host("Host that matches: exact, or *.example.com; absent: every host")),
    hosts: Type.Optional(
      Type.Array(Host("Exact, or *.example.com"), {
        minItems: 1,
        description: "Several of them, instead of host",
      }),
    ),
    methods: Type.Optional(
      Type.Array(oneOf(METHODS, { description: "A method, in capitals", notes: METHOD_NOTES }), {
        minItems: 1,
        description: "Methods that match; absent: every method",
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: -2_147_483_648,
        maximum: 2_147_483_647,
        default: 0,
        description: "Of several routes that match, the highest wins, before anything else",
        notes: { expected: "a whole number" },
      }),
    ),
    plugins: Type.Optional(PluginUsesSchema),
    upstream_id: Type.Optional(Id("Where requests go: the id of an upstream")),
    upstream: Type.Optional(InlineUpstreamSchema),
    timeout: Type.Optional(TimeoutSchema),
    enabled: Type.Optional(
      Type.Boolean({
        default: true,
        description: "false: the route is checked, and then left out",
      }),
    ),
    status: Type.Optional(
      Type.Union([Type.Literal(0), Type.Literal(1)], {
        description: "APISIX's form of enabled: 0 is false",
      }),
    ),
  },
  {
    description: "Which requests match, what happens to them, and where they go",
    notes: {
      noun: "route",
      planned: [
        "create_time",
        "enable_websocket",
        "filter_func",
        "labels",
        "plugin_config_id",
        "remote_addr",
        "remote_addrs",
        "script",
        "script_id",
        "service_id",
        "service_protocol",
        "update_time",
        "upstreams",
        "vars",
      ],
    },
  },
);
