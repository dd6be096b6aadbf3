import type { AllowConfig } from "./config.ts";
import { parseCallPattern } from "./call-pattern.ts";
import { type Findings, quote } from "./findings.ts";
import { GATEWAY_PROPERTIES, grantsProperty } from "./gateway-properties.ts";
import { type KnownUpstreams, reportUnknownUpstream } from "./known-upstreams.ts";
import type { RawPlugin } from "./schema-plugin.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, entryOf, nodeAt } from "./tree.ts";
import { foundIn } from "./wording.ts";

/** What a plugin is granted that says nothing. */
export function nothingAllowed(name: string): AllowConfig {
  return {
    httpCall: [],
    httpCallPatterns: [],
    env: {},
    namespace: name,
    queues: [],
    properties: [],
  };
}

/** `allow` of one plugin. @param node the plugin's */
export function readAllow(
  raw: RawPlugin,
  name: string,
  node: ConfigNode,
  upstreams: KnownUpstreams,
  findings: Findings,
): AllowConfig {
  const { allow } = raw;
  return {
    ...readCallTargets(raw, node, upstreams, findings),
    env: readEnvironment(raw, node, findings),
    namespace: allow?.shared_data ?? name,
    queues: unique(allow?.queues ?? []),
    properties: readProperties(raw, name, node, findings),
  };
}

/**
 * An id of an upstream is one, whatever it looks like; of the rest a dot or a colon tells that an
 * address is meant.
 */
function readCallTargets(
  raw: RawPlugin,
  node: ConfigNode,
  upstreams: KnownUpstreams,
  findings: Findings,
): Pick<AllowConfig, "httpCall" | "httpCallPatterns"> {
  const ids: string[] = [];
  const patterns: string[] = [];
  for (const [at, item] of (raw.allow?.http_call ?? []).entries()) {
    if (item === undefined) continue;
    const target = String(item);
    const entry = nodeAt(node, "allow", "http_call", at) ?? node;
    if (upstreams.byId.has(target)) ids.push(target);
    else if (!/[.:]/.test(target)) reportUnknownUpstream(target, entry, upstreams, findings);
    else patterns.push(...readCallPattern(target, entry, upstreams, findings));
  }
  return { httpCall: unique(ids), httpCallPatterns: unique(patterns) };
}

function readCallPattern(
  target: string,
  entry: ConfigNode,
  upstreams: KnownUpstreams,
  findings: Findings,
): string[] {
  const parsed = parseCallPattern(target);
  if ("pattern" in parsed) return [parsed.pattern];
  if (upstreams.isIncomplete && !target.includes(":")) return []; // May be an id all the same.
  const near = findings.didYouMean(target, upstreams.byId.keys());
  const message = `${foundIn(entry)} is no upstream's id, and as an address it ${parsed.problem}`;
  findings.error("CONFIG_BAD_ADDRESS", entry, message, near ?? parsed.hint);
  return [];
}

function readEnvironment(
  raw: RawPlugin,
  node: ConfigNode,
  findings: Findings,
): Readonly<Record<string, string>> {
  const environment = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(raw.allow?.env ?? {})) {
    if (name === "" || /[=\0]/.test(name) || value?.includes("\0") === true) {
      const message = `environment ${quote(name)} needs a name without = and a value without NUL`;
      const entry = entryOf(nodeAt(node, "allow", "env"), name);
      findings.error("CONFIG_BAD_VALUE", entry?.keySpan ?? node, message);
    }
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** A grant of nothing does no harm, but somebody meant something by it. */
function readProperties(
  raw: RawPlugin,
  name: string,
  node: ConfigNode,
  findings: Findings,
): readonly string[] {
  const grants: string[] = [];
  for (const [at, grant] of (raw.allow?.properties ?? []).entries()) {
    if (grant === undefined) continue;
    grants.push(grant);
    if (GATEWAY_PROPERTIES.some((path) => grantsProperty(grant, path))) continue;
    const entry = nodeAt(node, "allow", "properties", at) ?? node;
    const message =
      `${foundIn(entry)} grants plugin ${quote(name)} nothing: the gateway has no such property, ` +
      "and those of an exchange need no grant";
    const near = findings.didYouMean(grant, GATEWAY_PROPERTIES);
    const hint = near ?? `known: ${GATEWAY_PROPERTIES.join(", ")}`;
    findings.warning("CONFIG_UNUSED_KEY", entry, message, hint);
  }
  return unique(grants);
}

/** A queue of nobody is never found: a slip, like every other name that means nothing. */
export function checkQueues(
  plugins: readonly { readonly allow: AllowConfig }[],
  raw: RawGateway,
  root: ConfigNode,
  isIncomplete: boolean,
  findings: Findings,
): void {
  if (isIncomplete) return;
  const known = new Set(plugins.map((plugin) => plugin.allow.namespace));
  for (const [index, plugin] of (raw.wasm?.plugins ?? []).entries()) {
    for (const [at, namespace] of (plugin?.allow?.queues ?? []).entries()) {
      if (namespace === undefined || known.has(namespace)) continue;
      const entry = nodeAt(root, "wasm", "plugins", index, "allow", "queues", at) ?? root;
      const message = `no plugin has its shared data in the namespace ${foundIn(entry)}`;
      const hint = findings.didYouMean(namespace, known);
      findings.error("CONFIG_UNKNOWN_NAMESPACE", entry, message, hint);
    }
  }
}

function unique<T>(items: readonly (T | undefined)[]): T[] {
  return [...new Set(items.filter((item) => item !== undefined))];
}
