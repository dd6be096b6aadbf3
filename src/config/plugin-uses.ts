import type { PluginUse } from "./config.ts";
import { type Findings, quote } from "./findings.ts";
import { configText } from "./plugins.ts";
import { NATIVE_PLUGINS } from "./proxy-rewrite.ts";
import { checkProxyRewrite } from "./proxy-rewrite-check.ts";
import { type ConfigNode, type Span, entryOf, jsonOf, textOf } from "./tree.ts";

export interface KnownPlugins {
  readonly names: ReadonlySet<string>;
  readonly pluginsDir: string;
  /** Unknown names are not reported: the plugin's declaration has an error of its own. */
  readonly isIncomplete: boolean;
}

/**
 * Reads `plugins` and `global_plugins`, in all their forms:
 *
 *   [a, b: { … }]    a: { … }    a: { conf: { … } }
 *
 * @param node of PluginUsesSchema's form as far as no error was found
 */
export function readPluginUses(
  node: ConfigNode | undefined,
  known: KnownPlugins,
  findings: Findings,
): PluginUse[] {
  if (node === undefined || node.kind === "scalar") return [];
  const uses: (PluginUse | undefined)[] = [];
  const items = node.kind === "list" ? node.items : [node];
  for (const item of items) {
    const name = textOf(item);
    if (name !== undefined && name !== "") {
      uses.push(useOf(name, item, undefined, known, findings));
    } else if (item.kind === "map") {
      // An item of a list names one plugin; that it is more has been reported.
      const entries = node.kind === "list" ? item.entries.slice(0, 1) : item.entries;
      for (const { key, keySpan, value } of entries) {
        uses.push(useOf(key, keySpan, value, known, findings));
      }
    }
  }
  return uses.filter((use) => use !== undefined);
}

function useOf(
  name: string,
  span: Span,
  value: ConfigNode | undefined,
  known: KnownPlugins,
  findings: Findings,
): PluginUse | undefined {
  const position = findings.source.position(span);
  if (NATIVE_PLUGINS.includes(name)) {
    if (value === undefined) {
      const message = `plugin ${quote(name)} needs a configuration: - ${name}: { … }`;
      findings.error("CONFIG_MISSING_KEY", span, message);
      return undefined;
    }
    if (value.kind !== "map") return undefined;
    checkProxyRewrite(value, findings);
    return { name, config: jsonOf(value), native: true, position };
  }
  if (!known.names.has(name) && !known.isIncomplete) {
    const message = `unknown plugin ${quote(name)}`;
    const names = [...known.names, ...NATIVE_PLUGINS];
    const hint = findings.didYouMean(name, names) ?? `no ${name}.wasm in ${known.pluginsDir}`;
    findings.error("CONFIG_UNKNOWN_PLUGIN", span, message, hint);
  }
  const config = value === undefined ? "" : configText(unwrapped(value, findings), findings);
  return { name, config, native: false, position };
}

/** APISIX puts a Wasm plugin's configuration under `conf`, and its own switches under `_meta`. */
function unwrapped(value: ConfigNode, findings: Findings): ConfigNode {
  if (value.kind !== "map") return value;
  const meta = entryOf(value, "_meta");
  if (meta !== undefined) {
    const message = 'key "_meta" of a plugin is not supported by this version';
    findings.error("CONFIG_UNSUPPORTED", meta.keySpan, message);
  }
  const conf = value.entries.length === 1 ? entryOf(value, "conf")?.value : undefined;
  if (conf === undefined || conf.kind === "list") return value;
  return conf.kind === "map" || typeof conf.value === "string" ? conf : value;
}
