import { createHash } from "node:crypto";
import { inspectModule, type ModuleReport } from "../abi/inspect.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config, PluginConfig, Position } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ModuleSettings } from "../wasm/module.ts";
import { misfitsOf } from "./plugin-fit.ts";

/** A plugin's module as it was read, checked as far as that goes without starting it. */
export interface ModuleFile {
  readonly name: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly settings: ModuleSettings;
  readonly bytes: Uint8Array;
}

/**
 * Reads and checks the modules of every plugin that is declared or used; one that merely lies in
 * the folder is left alone.
 * @returns diagnostics: errors, which refuse the configuration, and warnings
 */
export async function readModules(
  config: Config,
): Promise<{ modules: ModuleFile[]; diagnostics: Diagnostic[] }> {
  const modules: ModuleFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const uses = firstUses(config);
  for (const plugin of config.plugins) {
    const position = uses.get(plugin.name) ?? plugin.position;
    if (position === undefined) continue;
    const report: Report = (code, message, severity = "error", hint) => {
      diagnostics.push({
        severity,
        code: `PLUGIN_${code}`,
        message,
        file: config.file,
        position: plugin.position ?? position,
        hint,
      });
    };
    const read = await readModule(plugin, report);
    if (read === undefined) continue;
    modules.push(read.module);
    for (const { severity, code, message, hint } of misfitsOf(plugin, read.inspected)) {
      const what = severity === "error" ? "Cannot load plugin" : "Plugin";
      report(code, `${what} "${plugin.name}" from ${plugin.file}: ${message}`, severity, hint);
    }
  }
  return { modules, diagnostics };
}

type Report = (
  code: string,
  message: string,
  severity?: Diagnostic["severity"],
  hint?: string,
) => void;

function firstUses(config: Config): Map<string, Position> {
  const uses = new Map<string, Position>();
  const lists = [config.globalPlugins, ...config.routes.map((route) => route.plugins)];
  for (const use of lists.flat()) {
    if (!use.native && !uses.has(use.name)) uses.set(use.name, use.position);
  }
  return uses;
}

async function readModule(
  plugin: PluginConfig,
  report: Report,
): Promise<{ module: ModuleFile; inspected: ModuleReport } | undefined> {
  const subject = `Cannot load plugin "${plugin.name}" from ${plugin.file}`;
  let bytes: Uint8Array;
  try {
    const file = Bun.file(plugin.file);
    if (file.size > LIMITS.moduleBytesMax) {
      report(
        "TOO_LARGE",
        `${subject}: it has ${file.size} bytes, the limit is ${LIMITS.moduleBytesMax}`,
      );
      return undefined;
    }
    bytes = await file.bytes();
  } catch (error) {
    report("UNREADABLE", `${subject}: ${messageOf(error)}`);
    return undefined;
  }
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (plugin.sha256 !== undefined && plugin.sha256 !== hash) {
    report("HASH_MISMATCH", `${subject}: its sha256 is ${hash}, expected ${plugin.sha256}`);
    return undefined;
  }
  const inspected = inspectModule(bytes, plugin.abi);
  for (const problem of inspected.problems) report(problem.code, `${subject}: ${problem.message}`);
  if (inspected.problems.length > 0) return undefined;
  const { memoryPages, fuel } = plugin.limits;
  const settings = { memoryPages, fuel: fuel > 0 };
  return { module: { name: plugin.name, hash, settings, bytes }, inspected };
}
