import { type Static, Type } from "@sinclair/typebox";
import { METHODS, METHOD_NOTES } from "./methods.ts";
import { closed, oneOf } from "./vocabulary.ts";

/** Name of the gateway's own filter that changes a request before it is forwarded. */
export const PROXY_REWRITE = "proxy-rewrite";

/** Filters that are part of the gateway; `PluginUse.native` is true for them. */
export const NATIVE_PLUGINS: readonly string[] = [PROXY_REWRITE];

const HeaderName = { notes: { editorPattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" } };
const HeaderValues = (description: string) =>
  Type.Record(Type.String(), Type.String({ description: "Value of the header" }), { description });

export const ProxyRewriteSchema = closed(
  {
    uri: Type.Optional(
      Type.String({
        pattern: "^/",
        description: "The new path; the client's query stays",
        notes: { expected: "a path that starts with /" },
      }),
    ),
    regex_uri: Type.Optional(
      Type.Tuple(
        [
          Type.String({
            minLength: 1,
            description: "Regular expression, matched against the path",
          }),
          Type.String({ description: "Replacement; $1 is the first group, $$ a dollar sign" }),
        ],
        {
          description:
            "[pattern, replacement]: changes the first match in the path; the query stays",
          notes: { expected: 'a list of a pattern and a replacement, as ["^/api/(.*)$", "/$1"]' },
        },
      ),
    ),
    host: Type.Optional(
      Type.String({ minLength: 1, description: "The Host header that the upstream sees" }),
    ),
    method: Type.Optional(
      oneOf(METHODS, { description: "The method that the upstream sees", notes: METHOD_NOTES }),
    ),
    headers: Type.Optional(
      closed(
        {
          set: Type.Optional(HeaderValues("Headers that replace the client's ones")),
          add: Type.Optional(HeaderValues("Headers that come in addition")),
          remove: Type.Optional(
            Type.Array(Type.String({ ...HeaderName, description: "Name of a header" }), {
              description: "Headers that are taken off",
            }),
          ),
        },
        { description: "Changes of the request's headers" },
      ),
    ),
  },
  {
    description: "Changes a request before it is forwarded (built in)",
    minProperties: 1,
  },
);

/** What the filter reads from `PluginUse.config` (JSON), checked already. */
export type ProxyRewrite = Static<typeof ProxyRewriteSchema>;
