import type { AbiChoice } from "../abi/inspect.ts";
import { VmScopes } from "../abi/proxy-wasm/vm-scope.ts";
import { startModule } from "../abi/start-module.ts";
import type { SandboxConfig } from "../config/config.ts";
import type { Plugin, PluginHost } from "../filter/filter.ts";
import { toBytes } from "./run-options.ts";
import { loadModule } from "../wasm/module.ts";

/** A started plugin, and what a run does to it from outside. */
export interface Started {
  readonly plugin: Plugin;
  /** @returns false when it has no queue of that name, or the queue is full */
  readonly enqueue: (queue: string, item: Uint8Array) => boolean;
}

/**
 * Loads and starts a plugin as a gateway does; its shared data and queues are its own.
 * @throws ModuleError, PluginRefused
 */
export function startForRun(
  bytes: Uint8Array,
  host: PluginHost,
  settings: SandboxConfig,
  abi: AbiChoice,
  nowMs: () => number,
): Started {
  const { memoryPages, fuel } = settings.limits;
  const module = loadModule(bytes, { memoryPages, fuel: fuel > 0 });
  const scopes = new VmScopes(nowMs);
  const { queues } = scopes.acquire(host.vmId);
  const plugin = startModule(module, host, settings, abi, { nowMs, scopes });
  return {
    plugin,
    enqueue: (queue, item) => queues.resolve(host.vmId, toBytes(queue))?.enqueue(item) ?? false,
  };
}
