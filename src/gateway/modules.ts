import { createHash } from "node:crypto";
import { inspectModule } from "../abi/inspect.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config, PluginConfig, Position } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ModuleSettings } from "../wasm/module.ts";

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
    const report = (code: string, message: string): void => {
      diagnostics.push({
        severity: "error",
        code,
        message,
        file: config.file,
        position: plugin.position ?? position,
        hint: undefined,
      });
    };
    const module = await readModule(plugin, report);
    if (module !== undefined) modules.push(module);
  }
  return { modules, diagnostics };
}

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
  report: (code: string, message: string) => void,
): Promise<ModuleFile | undefined> {
  const subject = `Cannot load plugin "${plugin.name}" from ${plugin.file}`;
  let bytes: Uint8Array;
  try {
    const file = Bun.file(plugin.file);
    if (file.size > LIMITS.moduleBytesMax) {
      report(
        "PLUGIN_TOO_LARGE",
        `${subject}: it has ${file.size} bytes, the limit is ${LIMITS.moduleBytesMax}`,
      );
      return undefined;
    }
    bytes = await file.bytes();
  } catch (error) {
    report("PLUGIN_UNREADABLE", `${subject}: ${messageOf(error)}`);
    return undefined;
  }
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (plugin.sha256 !== undefined && plugin.sha256 !== hash) {
    report("PLUGIN_HASH_MISMATCH", `${subject}: its sha256 is ${hash}, expected ${plugin.sha256}`);
    return undefined;
  }
  const { problems } = inspectModule(bytes);
  for (const problem of problems)
    report(`PLUGIN_${problem.code}`, `${subject}: ${problem.message}`);
  if (problems.length > 0) return undefined;
  const { memoryPages, fuel } = plugin.limits;
  return { name: plugin.name, hash, settings: { memoryPages, fuel: fuel > 0 }, bytes };
}
