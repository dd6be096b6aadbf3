import type { Plugin, PluginHost } from "../filter/filter.ts";
import type { LoadedModule } from "../wasm/module.ts";
import type { GuestSettings } from "./guest/settings.ts";
import { startHttpWasmPlugin } from "./http-wasm/plugin.ts";
import { type AbiChoice, inspectOutline } from "./inspect.ts";
import { startPlugin } from "./proxy-wasm/plugin.ts";
import type { VmScopes } from "./proxy-wasm/vm-scope.ts";

/** What a run without a gateway lends in the gateway's place. */
export interface Lent {
  /** Monotonic clock, ms. */
  readonly nowMs: () => number;
  /** Where its shared data and queues are. */
  readonly scopes: VmScopes;
}

/**
 * Starts a plugin with the ABI that its module is written for.
 * @param nowMs monotonic clock
 * @param scopes where Proxy-Wasm plugins find shared data and queues; absent: the worker's
 * @throws PluginRefused when the module, its start or its configuration is refused
 */
export function startModule(
  module: LoadedModule,
  host: PluginHost,
  settings: GuestSettings,
  abi: AbiChoice,
  lent?: Lent,
): Plugin {
  return inspectOutline(module.outline, abi).abi === "http-wasm"
    ? startHttpWasmPlugin(module, host, settings, lent?.nowMs)
    : startPlugin(module, host, settings, lent?.nowMs, lent?.scopes);
}
