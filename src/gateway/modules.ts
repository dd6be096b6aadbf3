import { inspectInterface, inspectModule, type ModuleReport } from "../abi/inspect.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Config, PluginConfig } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ModuleSettings } from "../wasm/module.ts";
import { misfitsOf } from "./plugin-fit.ts";
import { cannotLoad, firstUses } from "./plugin-problem.ts";

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
 * the folder is left alone. Their code is left to the worker that loads them, which reads it in any
 * case, unless there is an error already: all are to be told at once, and no worker will load it.
 * @returns diagnostics: errors, which refuse the configuration, and warnings
 */
export async function readModules(
  config: Config,
): Promise<{ modules: ModuleFile[]; diagnostics: Diagnostic[] }> {
  const modules: ModuleFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const uses = firstUses(config);
  const looksAtCode: (() => void)[] = [];
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
    const { module, inspected } = read;
    modules.push(module);
    looksAtCode.push(() => reportProblems(plugin, inspectModule(module.bytes, plugin.abi), report));
    for (const { severity, code, message, hint } of misfitsOf(plugin, inspected)) {
      const what = severity === "error" ? "Cannot load plugin" : "Plugin";
      report(code, `${what} "${plugin.name}" from ${plugin.file}: ${message}`, severity, hint);
    }
  }
  if (diagnostics.some(({ severity }) => severity === "error")) {
    for (const look of looksAtCode) look();
  }
  return { modules, diagnostics };
}

function reportProblems(plugin: PluginConfig, { problems }: ModuleReport, report: Report): void {
  for (const { code, message } of problems) report(code, `${cannotLoad(plugin)}: ${message}`);
}

type Report = (
  code: string,
  message: string,
  severity?: Diagnostic["severity"],
  hint?: string,
) => void;

async function readModule(
  plugin: PluginConfig,
  report: Report,
): Promise<{ module: ModuleFile; inspected: ModuleReport } | undefined> {
  const subject = cannotLoad(plugin);
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
  const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  if (plugin.sha256 !== undefined && plugin.sha256 !== hash) {
    report("HASH_MISMATCH", `${subject}: its sha256 is ${hash}, expected ${plugin.sha256}`);
    return undefined;
  }
  const inspected = inspectInterface(bytes, plugin.abi);
  reportProblems(plugin, inspected, report);
  if (inspected.problems.length > 0) return undefined;
  const { memoryPages, fuel } = plugin.limits;
  const settings = { memoryPages, fuel: fuel > 0 };
  return { module: { name: plugin.name, hash, settings, bytes }, inspected };
}
