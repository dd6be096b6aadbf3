import type { Config, PluginConfig, Position } from "../config/config.ts";
import type { ModuleError } from "../wasm/binary/module-error.ts";
import type { Diagnostic } from "../config/diagnostic.ts";

/** By plugin, where it stands first: one that lies in the folder is declared nowhere. */
export function firstUses(config: Config): Map<string, Position> {
  const uses = new Map<string, Position>();
  const lists = [config.globalPlugins, ...config.routes.map((route) => route.plugins)];
  for (const use of lists.flat()) {
    if (!use.native && !uses.has(use.name)) uses.set(use.name, use.position);
  }
  return uses;
}

/** Begin of a sentence. */
export function cannotLoad({ name, file }: PluginConfig): string {
  return `Cannot load plugin "${name}" from ${file}`;
}

/** That a worker cannot load a module is told as if the master had found it out. */
export function refusedModule(config: Config, name: string, error: ModuleError): Diagnostic {
  const plugin = config.plugins.find((each) => each.name === name);
  return {
    severity: "error",
    code: `PLUGIN_${error.code}`,
    message: plugin === undefined ? error.message : `${cannotLoad(plugin)}: ${error.message}`,
    file: config.file,
    position: plugin?.position ?? firstUses(config).get(name),
    hint: undefined,
  };
}
