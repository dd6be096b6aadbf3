import { dirname, join, resolve } from "node:path";
import { messageOf } from "../base/errors.ts";
import { checkQueues, nothingAllowed, readAllow } from "./allow.ts";
import type { PluginConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type Findings, quote } from "./findings.ts";
import type { PluginFiles } from "./plugin-files.ts";
import { NATIVE_PLUGINS } from "./proxy-rewrite.ts";
import type { KnownUpstreams } from "./known-upstreams.ts";
import { readSandbox } from "./sandbox.ts";
import type { RawPlugin } from "./schema-plugin.ts";
import type { RawGateway } from "./schema.ts";
import { type ConfigNode, type Span, entryOf, jsonOf, nodeAt, notJson } from "./tree.ts";
import { claimId } from "./upstreams.ts";

export interface Plugins {
  readonly pluginsDir: string;
  /** Declared and found ones, sorted by name. */
  readonly plugins: PluginConfig[];
  /** A name could not be read, so that a use may name just that one. */
  readonly isIncomplete: boolean;
}

const SUFFIX = ".wasm";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Where modules come from: the file itself, the disk, and the executable. */
export interface PluginSources {
  /** Absolute path of gateway.yaml. */
  readonly file: string;
  readonly pluginFiles: PluginFiles;
  /** Modules inside the executable, path by name; one of the folder or the file wins over them. */
  readonly bundledPlugins?: ReadonlyMap<string, string> | undefined;
}

/** Reads `wasm.plugins`, looks into `plugins_dir`, and adds what the executable brings along. */
export function readPlugins(
  raw: RawGateway,
  root: ConfigNode,
  sources: PluginSources & { readonly upstreams: KnownUpstreams },
  findings: Findings,
): Plugins {
  const { file, pluginFiles: files, upstreams } = sources;
  const { bundledPlugins = new Map<string, string>() } = sources;
  const pluginsDir = resolve(dirname(file), raw.plugins_dir ?? DEFAULTS.pluginsDir);
  const plugins = new Map<string, PluginConfig>();
  const names = new Map<string, Span>();
  let isIncomplete = false;
  for (const [index, item] of (raw.wasm?.plugins ?? []).entries()) {
    const node = nodeAt(root, "wasm", "plugins", index);
    if (node === undefined) continue;
    if (item?.name === undefined) {
      isIncomplete = true;
      continue;
    }
    claimId("plugin", item.name, nodeAt(node, "name") ?? node, names, findings);
    const at = { file, pluginsDir, files, bundledPlugins, upstreams, findings };
    plugins.set(item.name, declared(item, item.name, node, at));
  }
  for (const plugin of inFolder(pluginsDir, root, files, findings)) {
    if (!plugins.has(plugin.name)) plugins.set(plugin.name, plugin);
  }
  for (const [name, bundled] of bundledPlugins) {
    if (!plugins.has(name)) plugins.set(name, found(name, bundled));
  }
  checkQueues([...plugins.values()], raw, root, isIncomplete, findings);
  const sorted = [...plugins.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { pluginsDir, plugins: sorted, isIncomplete };
}

function declared(
  raw: RawPlugin,
  name: string,
  node: ConfigNode,
  at: {
    file: string;
    pluginsDir: string;
    files: PluginFiles;
    bundledPlugins: ReadonlyMap<string, string>;
    upstreams: KnownUpstreams;
    findings: Findings;
  },
): PluginConfig {
  const { findings } = at;
  const nameSpan = nodeAt(node, "name") ?? node;
  if (NATIVE_PLUGINS.includes(name)) {
    const message = `plugin ${quote(name)} is built in, a module needs another name`;
    findings.error("CONFIG_DUPLICATE_ID", nameSpan, message);
  }
  const usual = join(at.pluginsDir, name + SUFFIX);
  const wanted = raw.file === undefined ? usual : resolve(dirname(at.file), raw.file);
  const missing = at.files.problem(wanted);
  const bundled = raw.file === undefined ? at.bundledPlugins.get(name) : undefined;
  const file = missing === undefined ? wanted : (bundled ?? wanted);
  const problem = file === wanted ? missing : undefined;
  // A file of a wrong type has been reported, and the default is not what was meant.
  if (problem !== undefined && (raw.file !== undefined || entryOf(node, "file") === undefined)) {
    const message = `the module of plugin ${quote(name)} cannot be read: ${file}: ${problem}`;
    findings.error("CONFIG_PLUGIN_FILE", nodeAt(node, "file") ?? nameSpan, message);
  }
  return {
    name,
    file,
    sha256: raw.sha256?.toLowerCase(),
    abi: raw.abi ?? "auto",
    rootId: raw.root_id ?? "",
    vmConfig: raw.vm_config === undefined ? "" : configText(raw.vm_config, findings),
    fail: raw.fail ?? "closed",
    tick: raw.tick ?? "all",
    ...readSandbox(raw, name, node, findings),
    allow: readAllow(raw, name, node, at.upstreams, findings),
    position: findings.source.position(nameSpan),
  };
}

/** What a guest reads: JSON text of a mapping, or the text itself. */
export function configText(node: ConfigNode, findings: Findings): string {
  if (node.kind === "scalar") return node.value === null ? "" : String(node.value);
  const number = notJson(node);
  if (number !== undefined) {
    const message = `${number.written} cannot be handed to a plugin, JSON has no such number`;
    findings.error("CONFIG_BAD_VALUE", number, message, `write "${number.written}" in quotes`);
  }
  return jsonOf(node);
}

/** Every NAME.wasm of the folder; hidden files are somebody's drafts. */
function inFolder(
  pluginsDir: string,
  root: ConfigNode,
  files: PluginFiles,
  findings: Findings,
): PluginConfig[] {
  const span = entryOf(root, "plugins_dir")?.value;
  let listed: readonly string[] | undefined;
  try {
    listed = files.list(pluginsDir);
  } catch (error) {
    const message = `plugins_dir cannot be read: ${messageOf(error)}`;
    findings.error("CONFIG_PLUGIN_FILE", span, message);
  }
  if (listed === undefined && span !== undefined) {
    const message = `plugins_dir ${pluginsDir} does not exist, so it holds no plugins`;
    findings.warning("CONFIG_PLUGIN_IGNORED", span, message);
  }
  const plugins: PluginConfig[] = [];
  for (const fileName of listed ?? []) {
    if (!fileName.endsWith(SUFFIX) || fileName.startsWith(".")) continue;
    const name = fileName.slice(0, -SUFFIX.length);
    if (!NAME.test(name) || NATIVE_PLUGINS.includes(name)) {
      const why = NATIVE_PLUGINS.includes(name)
        ? "that plugin is built in"
        : "that is no plugin's name";
      const message = `${join(pluginsDir, fileName)} is not used: ${why}`;
      findings.warning("CONFIG_PLUGIN_IGNORED", span, message);
      continue;
    }
    plugins.push(found(name, join(pluginsDir, fileName)));
  }
  return plugins;
}

/** A plugin about which the file says nothing. */
function found(name: string, file: string): PluginConfig {
  return {
    name,
    file,
    sha256: undefined,
    abi: "auto",
    rootId: "",
    vmConfig: "",
    fail: "closed",
    tick: "all",
    ...DEFAULTS.sandbox,
    allow: nothingAllowed(name),
    position: undefined,
  };
}
