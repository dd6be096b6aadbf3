import type { ModuleReport } from "../abi/inspect.ts";
import { LIMITS } from "../base/limits.ts";
import type { PluginConfig } from "../config/config.ts";
import { formatSize } from "../config/units.ts";
import { renderType } from "../wasm/binary/outline.ts";

/** A module is right in itself and does not fit to what YAML says about its plugin. */
export interface Misfit {
  readonly severity: "error" | "warning";
  /** Behind "PLUGIN_". */
  readonly code: "MEMORY_LIMIT" | "SEED" | "NOT_GRANTED";
  /** The end of a sentence about the plugin. */
  readonly message: string;
  readonly hint: string;
}

/** Compares a module with the words of its plugin, as far as that goes without starting it. */
export function misfitsOf(plugin: PluginConfig, report: ModuleReport): Misfit[] {
  const misfits = [memoryMisfit(plugin, report), seedMisfit(plugin, report)];
  return [...misfits, grantMisfit(plugin, report)].filter((misfit) => misfit !== undefined);
}

function memoryMisfit({ limits }: PluginConfig, { pages }: ModuleReport): Misfit | undefined {
  if (pages === undefined || pages.min <= limits.memoryPages) return undefined;
  const wanted = formatSize(pages.min * LIMITS.pageBytes);
  const granted = formatSize(limits.memoryPages * LIMITS.pageBytes);
  return {
    severity: "error",
    code: "MEMORY_LIMIT",
    message: `its memory begins with ${wanted}, and limits.memory is ${granted}`,
    hint: `set limits.memory to more than ${wanted}, so that it can grow`,
  };
}

function seedMisfit({ seed }: PluginConfig, { exports }: ModuleReport): Misfit | undefined {
  if (seed === undefined) return undefined;
  const found = exports.find((each) => each.name === seed);
  const type = found?.kind === "function" ? found.type : undefined;
  if (type?.params.length === 0 && type.results.length === 0) return undefined;
  const shown = found === undefined ? "nothing" : type === undefined ? `a ${found.kind}` : "";
  return {
    severity: "error",
    code: "SEED",
    message:
      `seed takes the name of an exported function of type () -> (), and under ` +
      `${JSON.stringify(seed)} it exports ${shown || (type && renderType(type))}`,
    hint: "export such a function, or remove seed",
  };
}

/**
 * Only of call-outs, and only when the import tells something: SDKs link their whole interface into
 * every module, and then `proxy_grpc_call` is there as well.
 */
function grantMisfit({ name, allow, position }: PluginConfig, report: ModuleReport) {
  const imported = new Set(report.imports.map((each) => each.name));
  const calls = imported.has("proxy_http_call") && !imported.has("proxy_grpc_call");
  const isGranted = allow.httpCall.length + allow.httpCallPatterns.length > 0;
  if (!calls || isGranted) return undefined;
  return {
    severity: "warning",
    code: "NOT_GRANTED",
    message: "it imports proxy_http_call, and allow.http_call grants it nothing to call",
    hint:
      position === undefined
        ? `add { name: ${name}, allow: { http_call: [ID_OF_AN_UPSTREAM] } } to wasm.plugins`
        : "add the id of an upstream to allow.http_call of the plugin",
  } satisfies Misfit;
}
